"""Passwords: hashed with Argon2id, checked on threads, and checked as slowly for names that do not exist."""

import asyncio
import unicodedata
from collections import Counter
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 12, 1000
"""Characters."""
AT_ONCE = 2
"""Each check takes 64 MiB and a third of a second (the defaults of argon2-cffi 25.1): more would delay events."""
MOST_WAITING, MOST_OF_SENDER = 20, 4
"""Checks that may wait for their turn in a process, and those among them that one sender may have."""
_HASHER = PasswordHasher()


class Busy(Exception):
    """Too many checks wait already."""


class Passwords:
    """Checks passwords for one process."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting: Counter[str] = Counter()

    async def matches(self, password: str, hashed: str | None, sender: str) -> bool:
        """True if `hashed` is the hash of `password`; Busy if too many checks wait, in all or of the `sender`.

        A missing hash takes as long.
        """
        if self._waiting.total() >= MOST_WAITING or self._waiting[sender] >= MOST_OF_SENDER:
            raise Busy
        self._waiting[sender] += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(_matches, password, hashed)
        finally:
            self._waiting[sender] -= 1
            if not self._waiting[sender]:
                del self._waiting[sender]


def fault(password: str) -> str | None:
    """What is wrong with a new password; None if nothing is."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"A password has {SHORTEST} to {LONGEST} characters. This one has {len(password)}."
    return None


def hash_of(password: str) -> str:
    """The hash of a password, in PHC's string format. It takes a third of a second."""
    return _HASHER.hash(_normal(password))


def _matches(password: str, hashed: str | None) -> bool:
    try:
        return _HASHER.verify(hashed or _of_nobody(), _normal(password)) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


def _normal(password: str) -> str:
    """One form for what looks alike: keyboards differ in how they compose characters (NIST SP 800-63B)."""
    return unicodedata.normalize("NFKC", password[: LONGEST + 1])


@lru_cache(maxsize=1)
def _of_nobody() -> str:
    return _HASHER.hash("")
