"""Rate limits: a token bucket for each hub, shared by all worker processes of one service.

A bucket is stored as in the generic cell rate algorithm (ITU-T I.371, annex A): as the time when it will be full, the
theoretical arrival time. Taking tokens moves that time forward, at most as far ahead of now as an empty bucket takes to
fill.
"""

import asyncio
import mmap
import time
from collections.abc import Callable
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_UN, lockf
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self
from uuid import UUID

from openapi.problems import Problem

SECOND = 1_000_000_000
"""In nanoseconds, like every time here."""
SETS = 4096
SLOTS = 16
"""The most hubs that a set remembers at the same time."""
LONGEST_DEBT_SECONDS = 60
"""How far ahead of its rate a stream may take tokens that it must wait for."""
LEASES = 1000
"""A lease is the needed tokens, or 1/LEASES of the rate or the burst (the smaller) if that is more."""
LEASE_SECONDS = 1.0
"""How long a process may use a lease."""

_ID_BYTES = 16
_SLOT_BYTES = _ID_BYTES + 8
_SET_BYTES = SLOTS * _SLOT_BYTES

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class RatePolicy:
    """At most `rate` tokens a second after `burst` of them at once, each at least 1."""

    rate: int
    burst: int

    @cached_property
    def period(self) -> int:
        """The time per token, rounded up, so that the rate is never exceeded."""
        return -(-SECOND // self.rate)

    @cached_property
    def capacity(self) -> int:
        """The time that an empty bucket takes to fill."""
        return self.burst * self.period

    @cached_property
    def header(self) -> Header:
        """RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10): the burst, and the seconds until it refills."""
        return b"ratelimit-policy", b'"default";q=%d;w=%d' % (self.burst, -(-self.capacity // SECOND))


class Quota(NamedTuple):
    """The result of taking tokens; a tuple because every request makes one."""

    is_granted: bool
    remaining: int
    reset_seconds: int
    """Until the bucket is full, rounded up."""
    retry_after_seconds: int
    """Until the same cost can be granted, at least 1; until the bucket is full if it never can; 0 if granted."""


class RateLimits:
    """The buckets, in a file that each process maps: a table of sets of slots, each an id and its arrival time.

    A hub belongs to one set. If the set is full, a new hub takes over the slot with the oldest arrival time. Its
    bucket is the fullest. Usually it is full, and nothing is lost; else its old hub may take the same tokens again.

    A set is locked while it is read and written. A process owns the locks (POSIX record locks): threads of one process
    would not exclude each other, and opening and closing the file elsewhere in the process would release them. The
    kernel releases the locks of a killed process. The set stays intact, because a time is written with one store: at
    worst a hub has the arrival time of the hub that had its slot before, or a slot belongs to no hub.
    """

    def __init__(self, path: Path, clock: Callable[[], int] = time.monotonic_ns) -> None:
        """Map the file at `path` that `create` made. `clock` is the same for all processes of the machine."""
        self._clock = clock
        self._file = path.open("r+b")
        self._descriptor = self._file.fileno()
        self._bytes = mmap.mmap(self._descriptor, SETS * _SET_BYTES)
        self._times = memoryview(self._bytes).cast("q")

    @staticmethod
    def create(path: Path) -> None:
        """Create the file at `path`, 1.5 MiB, with every bucket full. OSError if the disk has no room for it."""
        # Not a sparse file: if the disk filled up later, writing to the map would kill the process.
        path.write_bytes(bytes(SETS * _SET_BYTES))

    def close(self) -> None:
        """Close the file; the buckets stay in it."""
        self._times.release()
        self._bytes.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, hub_id: UUID, cost: int, policy: RatePolicy) -> Quota:
        """Take `cost` tokens from the bucket of a hub, or nothing if it has fewer.

        A cost of 0 takes nothing, and is refused to a hub that owes tokens. A cost above the burst is never granted.
        """
        charge, capacity = cost * policy.period, policy.capacity
        ahead = self._advance(hub_id, charge, capacity)
        is_granted = ahead + charge <= capacity
        if is_granted:
            ahead += charge
            wait = 0
        else:
            wait = max(1, -(-(ahead + min(charge, capacity) - capacity) // SECOND))
        return Quota(is_granted, max(0, (capacity - ahead) // policy.period), -(-ahead // SECOND), wait)

    def take_later(self, hub_id: UUID, cost: int, policy: RatePolicy) -> float:
        """Take `cost` tokens even if the bucket has fewer, to pace a stream; return the seconds until it has them.

        A hub owes at most `LONGEST_DEBT_SECONDS` of tokens. If the wait is longer, nothing was taken: retry after it.
        """
        charge, capacity = cost * policy.period, policy.capacity
        ahead = self._advance(hub_id, charge, capacity + LONGEST_DEBT_SECONDS * SECOND)
        return max(0, ahead + charge - capacity) / SECOND

    def refill(self) -> None:
        """Fill every bucket. Call this where no other process uses the file: no set is locked."""
        self._bytes[:] = bytes(SETS * _SET_BYTES)

    def _advance(self, hub_id: UUID, charge: int, furthest: int) -> int:
        """Move the arrival time of a hub forward by `charge`, unless it would be more than `furthest` ahead of now.

        Return how far ahead it was before. Most of the run time goes into the two system calls of the lock.
        """
        start = hub_id.int % SETS * _SET_BYTES
        key = hub_id.bytes
        lockf(self._descriptor, LOCK_EX, _SET_BYTES, start)
        try:
            slot = self._bytes.find(key, start, start + _SET_BYTES)
            if (slot - start) % _SLOT_BYTES:  # no slot, or the bytes are parts of other slots
                slot = self._find_whole(key, start)
            now = self._clock()
            ahead = max(0, self._times[slot + _ID_BYTES >> 3] - now) if slot >= 0 else 0
            if charge and ahead + charge <= furthest:
                if slot < 0:
                    slot = self._take_over(key, start)
                self._times[slot + _ID_BYTES >> 3] = now + ahead + charge
            return ahead
        finally:
            lockf(self._descriptor, LOCK_UN, _SET_BYTES, start)

    def _find_whole(self, key: bytes, start: int) -> int:
        """The offset of the slot of `key` in the set at `start`; -1 if absent."""
        return next((slot for slot in _slots(start) if self._bytes[slot : slot + _ID_BYTES] == key), -1)

    def _take_over(self, key: bytes, start: int) -> int:
        """Give `key` the slot with the oldest arrival time in the set at `start`; return its offset."""
        slot = min(_slots(start), key=lambda slot: self._times[slot + _ID_BYTES >> 3])
        self._bytes[slot : slot + _ID_BYTES] = key
        return slot


def _slots(start: int) -> range:
    return range(start, start + _SET_BYTES, _SLOT_BYTES)


class Bucket:
    """The bucket of one hub as one process sees it.

    A process leases several tokens at once from the shared bucket and uses them within `LEASE_SECONDS`, so that most
    requests need no lock. Unused tokens are lost: at most 1/`LEASES` of the rate for each process.
    """

    def __init__(self, limits: RateLimits, hub_id: UUID, policy: RatePolicy) -> None:
        self._limits = limits
        self._hub_id = hub_id
        self._policy = policy
        self._lease = min(policy.rate, policy.burst) // LEASES
        self._left = 0  # of the leased tokens
        self._until = 0.0
        self._quota = Quota(True, policy.burst, 0, 0)

    @property
    def burst(self) -> int:
        """The number of tokens in a full bucket."""
        return self._policy.burst

    def take(self, cost: int, taken: int = 0) -> None:
        """Take `cost` tokens in addition to `taken`; Problem if the bucket has fewer, or can never have as many."""
        if taken + cost > self._policy.burst:
            raise Problem("too_many_items", count=taken + cost, limit=self._policy.burst)
        now = time.monotonic()
        if now > self._until:
            self._left = 0
        if cost > self._left:
            self._take_lease(cost - self._left, now)
        self._left -= cost

    async def wait_for(self, cost: int) -> None:
        """Take `cost` tokens, and wait until the bucket has refilled those that it lacked."""
        while cost:
            part = min(cost, self._policy.burst)
            wait = self._limits.take_later(self._hub_id, part, self._policy)
            if wait <= LONGEST_DEBT_SECONDS:
                cost -= part
            await asyncio.sleep(wait)
        self._quota = self._limits.take(self._hub_id, 0, self._policy)

    def refill(self) -> None:
        """Fill this bucket and all others, as `RateLimits.refill` does, and give up the lease."""
        self._limits.refill()
        self._left, self._quota = 0, Quota(True, self._policy.burst, 0, 0)

    def headers(self) -> tuple[Header, Header]:
        """The state of the bucket in a response: RateLimit-Policy and RateLimit (same draft as `RatePolicy.header`)."""
        quota = self._quota
        remaining = min(quota.remaining + self._left, self._policy.burst)  # the bucket refills during a lease
        left = b'"default";r=%d;t=%d' % (remaining, quota.reset_seconds)
        return self._policy.header, (b"ratelimit", left)

    def _take_lease(self, missing: int, now: float) -> None:
        """Lease `missing` tokens, or more for later requests; Problem if the bucket has fewer than `missing`."""
        for amount in dict.fromkeys((max(missing, self._lease), missing)):
            self._quota = self._limits.take(self._hub_id, amount, self._policy)
            if self._quota.is_granted:
                self._left += amount
                self._until = now + LEASE_SECONDS
                return
        raise refused(self._policy, self._quota)


def refused(policy: RatePolicy, quota: Quota) -> Problem:
    """The 429 for a hub that exceeded its rate."""
    retry_after = (b"retry-after", b"%d" % quota.retry_after_seconds)
    return Problem("too_many_requests", [retry_after], rate=policy.rate, burst=policy.burst)
