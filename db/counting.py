"""Numbers that each process counts in memory, and that are added up in the database."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection

from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
"""A process that is killed loses what it counted since it last wrote."""

Key = TypeVar("Key")
Add = Callable[[Connection, Counter[Key], datetime], None]
"""Adds counts to what the database has of the hour or day that an instant is in."""


class Counting(Generic[Key]):
    """What this process has counted and not written. `written` writes it."""

    def __init__(self, database: Database, name: str, add: Add[Key]) -> None:
        """`name` is what the log calls these numbers."""
        self._database = database
        self._name = name
        self._add = add
        self._counts: Counter[Key] = Counter()
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def flushing(self) -> AsyncIterator[None]:
        """Write what is counted meanwhile, every second, and what is left in the end."""
        try:
            async with running_task(self._write_on()):
                yield
        finally:
            await self.write()

    async def write(self) -> None:
        """Write what was counted; where that fails it is written the next time."""
        async with self._one_at_a_time:
            counts, self._counts = self._counts, Counter()
            if counts:
                try:
                    await self._database.run(self._add, counts, datetime.now(UTC))
                except DatabaseError as error:
                    logger.warning("%s cannot be written, trying again: %s", self._name, error)
                    self._counts.update(counts)

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await asyncio.shield(self.write())  # at the end of `written` what is under way is waited for
