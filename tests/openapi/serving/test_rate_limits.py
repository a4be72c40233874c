"""Token buckets: the tokens that one process or several grant, and when."""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from fcntl import LOCK_EX, lockf
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.problems import Problem
from openapi.serving import rate_limits
from openapi.serving.rate_limits import (
    LONGEST_DEBT_SECONDS,
    SECOND,
    SETS,
    SLOTS,
    Bucket,
    Quota,
    RateLimits,
    RatePolicy,
    refused,
)

HUB = UUID(int=5)
POLICY = RatePolicy(rate=10, burst=20)
SPAWN = multiprocessing.get_context("spawn")


class Clock:
    """A clock that stands still until a test sets it, in nanoseconds."""

    def __init__(self) -> None:
        self.now = 10**15

    def __call__(self) -> int:
        """The time in nanoseconds."""
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with full buckets only."""
    file = tmp_path / "rate-limits"
    RateLimits.create(file)
    return file


@pytest.fixture
def clock() -> Clock:
    """The clock of `limits`."""
    return Clock()


@pytest.fixture
def limits(path: Path, clock: Clock) -> Iterator[RateLimits]:
    """Full buckets."""
    with RateLimits(path, clock) as opened:
        yield opened


def test_a_burst_is_granted_to_its_last_token(limits: RateLimits) -> None:
    """A full bucket grants its burst, one by one or at once, and then nothing."""
    assert [limits.take(HUB, 1, POLICY).is_granted for _ in range(21)] == [True] * 20 + [False]
    assert limits.take(UUID(int=6), 20, POLICY) == Quota(True, 0, 2, 0)


def test_a_token_is_back_after_its_period_and_no_sooner(limits: RateLimits, clock: Clock) -> None:
    """At 10 per second, a token is back after 100 ms and not a nanosecond before."""
    limits.take(HUB, 20, POLICY)
    clock.now += SECOND // 10 - 1
    assert limits.take(HUB, 1, POLICY) == Quota(False, 0, 2, 1)
    clock.now += 1
    assert limits.take(HUB, 1, POLICY) == Quota(True, 0, 2, 0)


def test_a_period_is_rounded_up(limits: RateLimits, clock: Clock) -> None:
    """A bucket never grants 3 tokens per second within a nanosecond less than a second."""
    limits.take(HUB, 1, RatePolicy(3, 1))
    clock.now += SECOND // 3
    assert not limits.take(HUB, 1, RatePolicy(3, 1)).is_granted
    clock.now += 1
    assert limits.take(HUB, 1, RatePolicy(3, 1)).is_granted


def test_a_bucket_holds_no_more_than_the_burst(limits: RateLimits, clock: Clock) -> None:
    """A long pause of a hub adds no further tokens."""
    limits.take(HUB, 20, POLICY)
    clock.now += 3600 * SECOND
    assert limits.take(HUB, 0, POLICY) == Quota(True, 20, 0, 0)


def test_a_refusal_takes_nothing(limits: RateLimits) -> None:
    """The tokens are the same before and after; the quota says when the same cost would be granted."""
    limits.take(HUB, 5, POLICY)
    assert limits.take(HUB, 16, POLICY) == Quota(False, 15, 1, 1)
    assert limits.take(HUB, 15, POLICY).is_granted
    assert limits.take(HUB, 15, POLICY).retry_after_seconds == 2


def test_more_than_the_burst_is_never_granted(limits: RateLimits) -> None:
    """Not even by a full bucket."""
    assert limits.take(HUB, 21, POLICY) == Quota(False, 20, 0, 1)
    limits.take(HUB, 20, POLICY)
    assert limits.take(HUB, 10**6, POLICY).retry_after_seconds == 2


def test_tokens_may_be_taken_in_advance(limits: RateLimits, clock: Clock) -> None:
    """The result is the wait until the debt is paid; until then nothing else is granted."""
    assert limits.take_later(HUB, 20, POLICY) == 0
    assert limits.take_later(HUB, 5, POLICY) == 0.5
    assert not limits.take(HUB, 0, POLICY).is_granted
    clock.now += SECOND // 2
    assert limits.take(HUB, 0, POLICY) == Quota(True, 0, 2, 0)


def test_a_debt_is_bounded(limits: RateLimits) -> None:
    """Tokens are not taken if the wait for them would be too long."""
    longest = 20 + 10 * LONGEST_DEBT_SECONDS
    assert limits.take_later(HUB, longest, POLICY) == LONGEST_DEBT_SECONDS
    assert limits.take_later(HUB, 1, POLICY) == pytest.approx(LONGEST_DEBT_SECONDS + 0.1)
    assert limits.take_later(HUB, 0, POLICY) == LONGEST_DEBT_SECONDS


def test_a_full_set_drops_its_oldest_bucket(limits: RateLimits, clock: Clock) -> None:
    """That hub's bucket is full again, the others are unchanged, and a cost of 0 drops no bucket."""
    hubs = [UUID(int=1 + SETS * number) for number in range(SLOTS + 1)]
    for hub in hubs[:SLOTS]:
        limits.take(hub, 20, POLICY)
        clock.now += 1
    limits.take(hubs[SLOTS], 0, POLICY)
    assert not limits.take(hubs[0], 1, POLICY).is_granted
    limits.take(hubs[SLOTS], 20, POLICY)
    assert [limits.take(hub, 0, POLICY).remaining for hub in hubs] == [20] + [0] * SLOTS


def test_an_id_is_found_only_at_the_start_of_a_slot(limits: RateLimits, clock: Clock) -> None:
    """The end of an id and its arrival time may look like the id of another hub."""
    hub = UUID(bytes=b"\1" * 14 + b"\3\0")
    limits.take(hub, 20, POLICY)
    limits.take(UUID(bytes=b"\2" * 14 + b"\3\0"), 20, POLICY)
    arrival = (clock.now + 2 * SECOND).to_bytes(8, "little")
    lookalike = UUID(bytes=hub.bytes[8:] + arrival)
    assert lookalike.int % SETS == hub.int % SETS
    assert limits.take(lookalike, 0, POLICY).remaining == 20


def test_the_headers_are_those_of_the_draft() -> None:
    """Structured fields with the burst, its window, what remains and when it is full again."""
    assert RatePolicy(10, 100).header == (b"ratelimit-policy", b'"default";q=100;w=10')
    assert RatePolicy(1000, 1).header == (b"ratelimit-policy", b'"default";q=1;w=1')
    assert RatePolicy(10, 101).header[1] == b'"default";q=101;w=11'


def test_a_refusal_says_when_to_retry() -> None:
    """429 with Retry-After from the quota, and the policy in words."""
    problem = refused(POLICY, Quota(False, 3, 2, 1))
    assert (problem.status, problem.error) == (
        429,
        "this hub may send 10 items per second after a burst of 20, and has sent more",
    )
    assert problem.headers == [(b"retry-after", b"1")]
    assert problem.is_transient


def test_the_headers_of_a_bucket_have_the_remaining_tokens(limits: RateLimits) -> None:
    """The policy and what remains, before and after a refusal."""
    bucket = Bucket(limits, HUB, POLICY)
    bucket.take(1)
    assert bucket.headers() == (POLICY.header, (b"ratelimit", b'"default";r=19;t=1'))
    bucket.take(19)
    assert bucket.headers() == (POLICY.header, (b"ratelimit", b'"default";r=0;t=2'))
    with pytest.raises(Problem) as caught:
        bucket.take(1)
    assert (caught.value.code, caught.value.headers) == ("too_many_requests", [(b"retry-after", b"1")])
    assert bucket.headers() == (POLICY.header, (b"ratelimit", b'"default";r=0;t=2'))


def test_a_bucket_leases_several_tokens_at_a_time(limits: RateLimits, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket leases a thousandth of the rate for a second; the remaining count includes the rest of the lease."""
    policy = RatePolicy(10_000, 10_000)
    bucket, another = Bucket(limits, HUB, policy), Bucket(limits, HUB, policy)
    for taken in range(1, 12):
        bucket.take(1)
        assert bucket.headers()[1][1].startswith(b'"default";r=%d;' % (10_000 - taken))
    assert limits.take(HUB, 0, policy).remaining == 10_000 - 20
    another.take(9_980)
    with pytest.raises(Problem):
        another.take(1)
    bucket.take(9)
    with pytest.raises(Problem):
        bucket.take(1)
    monkeypatch.setattr(rate_limits, "LEASE_SECONDS", 0)
    fresh = Bucket(limits, UUID(int=7), policy)
    for _ in range(3):
        fresh.take(1)
    assert limits.take(UUID(int=7), 0, policy).remaining == 10_000 - 30


def test_no_more_than_the_burst_remains(limits: RateLimits, clock: Clock) -> None:
    """The bucket refills while a stream waits, and the rest of the lease does not count in addition."""
    policy = RatePolicy(10_000, 10_000)
    bucket = Bucket(limits, HUB, policy)
    bucket.take(1)
    clock.now += SECOND
    asyncio.run(bucket.wait_for(0))
    assert bucket.headers()[1] == (b"ratelimit", b'"default";r=10000;t=0')


def test_a_lease_is_used_up(limits: RateLimits) -> None:
    """The rest of a lease counts for the next cost, and for a stream that waits: the whole burst is available."""
    policy = RatePolicy(100_000, 100_000)
    bucket = Bucket(limits, HUB, policy)
    for _ in range(1000):
        bucket.take(51)
        asyncio.run(bucket.wait_for(49))
    with pytest.raises(Problem):
        bucket.take(1)


def test_a_slow_sender_has_the_whole_burst(limits: RateLimits, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any rate, fewer leased tokens expire than come back."""
    monkeypatch.setattr(rate_limits, "LEASE_SECONDS", 0)
    policy = RatePolicy(10, 1_000_000)
    bucket = Bucket(limits, HUB, policy)
    for _ in range(100):
        bucket.take(1)
        clock.now += SECOND
    assert limits.take(HUB, 0, policy).remaining == 1_000_000


def test_buckets_are_refilled(limits: RateLimits) -> None:
    """That of a hub and all others; the headers say so at once, and what the hub has leased counts no more."""
    bucket, other = Bucket(limits, HUB, POLICY), Bucket(limits, UUID(int=6), POLICY)
    full = bucket.headers()
    for each in (bucket, other):
        each.take(20)
    bucket.refill()
    assert bucket.headers() == full
    assert [limits.take(name, 20, POLICY).is_granted for name in (HUB, UUID(int=6))] == [True, True]


def test_a_hub_has_one_bucket(limits: RateLimits) -> None:
    """All its requests share the bucket; another hub has another one."""
    Bucket(limits, HUB, POLICY).take(20)
    with pytest.raises(Problem):
        Bucket(limits, HUB, POLICY).take(1)
    Bucket(limits, UUID(int=6), POLICY).take(20)


def test_a_cost_above_the_burst_is_too_much(limits: RateLimits) -> None:
    """422 instead of 429, because waiting would not help; nothing is taken."""
    bucket = Bucket(limits, HUB, POLICY)
    with pytest.raises(Problem) as caught:
        bucket.take(21)
    assert (caught.value.status, caught.value.error) == (422, "the batch has 21 items; the limit is 20")
    bucket.take(20)


def test_a_stream_waits_for_its_tokens(path: Path) -> None:
    """A stream is paced to the rate: more tokens than the burst are taken in parts, until all are taken."""
    policy = RatePolicy(rate=100, burst=10)
    with RateLimits(path) as limits:
        began = time.monotonic()
        asyncio.run(Bucket(limits, HUB, policy).wait_for(35))
        assert 0.25 - 0.01 <= time.monotonic() - began < 2
        assert limits.take(HUB, 0, policy).remaining < 10
        before = limits.take(HUB, 0, policy)
        asyncio.run(Bucket(limits, HUB, policy).wait_for(0))
        assert limits.take(HUB, 0, policy).remaining >= before.remaining


def test_a_stream_retries_after_a_debt_beyond_the_bound(
    limits: RateLimits, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If nothing was taken because the wait is too long, the stream waits and takes the tokens again."""
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert len(slept) <= 500, "the wait never ends"
        clock.now += round(seconds * SECOND)

    monkeypatch.setattr(rate_limits, "asyncio", SimpleNamespace(sleep=sleep))  # only for this module
    assert limits.take_later(HUB, 20 + 10 * LONGEST_DEBT_SECONDS, POLICY) == LONGEST_DEBT_SECONDS
    asyncio.run(Bucket(limits, HUB, POLICY).wait_for(20))
    assert slept == [LONGEST_DEBT_SECONDS + 2, 0]
    assert limits.take(HUB, 0, POLICY) == Quota(True, 0, 2, 0)
    slept.clear()
    asyncio.run(Bucket(limits, HUB, POLICY).wait_for(10_000))  # more than the greatest debt
    assert slept == [2] * 500


@given(
    st.builds(RatePolicy, st.integers(1, 10**6), st.integers(1, 1000)),
    st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 1200)), max_size=30),
)
def test_no_window_is_granted_more_than_burst_and_rate(
    tmp_path_factory: pytest.TempPathFactory, policy: RatePolicy, requests: list[tuple[int, int]]
) -> None:
    """Between any two instants, both inclusive, exactly."""
    file = tmp_path_factory.getbasetemp() / "window"
    RateLimits.create(file)
    clock = Clock()
    granted = []
    with RateLimits(file, clock) as limits:
        for pause, cost in requests:
            clock.now += pause
            if limits.take(HUB, cost, policy).is_granted:
                granted.append((clock.now, cost))
    for first, (begin, _) in enumerate(granted):
        total = 0
        for end, cost in granted[first:]:
            total += cost
            assert (total - policy.burst) * SECOND <= policy.rate * (end - begin)


def take_for(path: Path, seconds: float, granted: "multiprocessing.Queue[int]") -> None:
    """Take tokens as fast as possible."""
    deadline = time.monotonic() + seconds
    count = 0
    with RateLimits(path) as limits:
        while time.monotonic() < deadline:
            count += limits.take(HUB, 1, RatePolicy(1000, 500)).is_granted
    granted.put(count)


def test_processes_share_a_bucket(path: Path) -> None:
    """Two processes that take at the same time get together as much as one alone."""
    granted = SPAWN.Queue()
    began = time.monotonic()
    processes = [SPAWN.Process(target=take_for, args=(path, 0.5, granted)) for _ in range(2)]
    for process in processes:
        process.start()
    total = sum(granted.get(timeout=60) for _ in processes)
    lasted = time.monotonic() - began
    for process in processes:
        process.join()
    assert 500 + 1000 * 0.4 <= total <= 500 + 1000 * lasted


def lock_and_wait(path: Path, locked: "multiprocessing.Queue[int]") -> None:
    """Hold the lock of every set until killed."""
    with path.open("r+b") as file:
        lockf(file, LOCK_EX)
        locked.put(1)
        signal.pause()


def test_a_process_waits_for_a_lock_until_its_owner_ends(path: Path) -> None:
    """The owner of a lock delays others until it is killed."""
    locked = SPAWN.Queue()
    process = SPAWN.Process(target=lock_and_wait, args=(path, locked))
    process.start()
    locked.get(timeout=60)
    began = time.monotonic()
    threading.Timer(0.3, os.kill, (process.pid, signal.SIGKILL)).start()
    with RateLimits(path) as limits:
        assert limits.take(HUB, 20, POLICY).is_granted
    assert time.monotonic() - began > 0.2
    process.join()
