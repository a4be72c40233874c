"""The sessions that are read for long: whether they still live, by one statement a second for all of a process."""

import asyncio
import time

from db import page_sessions
from db.engine import Database
from db.errors import Unavailable

SECONDS = 0.9
"""How long an answer of the database counts."""
FORGOTTEN_AFTER = 60.0
"""Seconds after which a session is no longer asked for by itself."""


class LivingSessions:
    """The sessions of admins that something has asked for lately."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asked: dict[str, float] = {}  # when each was asked for last
        self._answered: set[str] = set()  # those that the last answer is about
        self._living: set[str] = set()
        self._read_at = -SECONDS
        self._reading = asyncio.Lock()

    async def has(self, digest: str) -> bool:
        """True if the session lives, as of a second ago at most; also while the database is away."""
        self._asked[digest] = time.monotonic()
        if self._is_old() or digest not in self._answered:
            async with self._reading:
                if self._is_old() or digest not in self._answered:
                    await self._read()
        return digest in self._living

    def _is_old(self) -> bool:
        return time.monotonic() > self._read_at + SECONDS

    async def _read(self) -> None:
        started = time.monotonic()
        self._asked = {digest: at for digest, at in self._asked.items() if at > started - FORGOTTEN_AFTER}
        asked = set(self._asked)
        try:
            self._living = await self._database.run(page_sessions.living, asked)
        except Unavailable:
            self._living |= asked
        self._answered, self._read_at = asked, started
