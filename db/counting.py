"""Counters that each process keeps in memory and adds to the database every second."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Generic, TypeVar

from sqlalchemy import Connection

from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError
from db.outage_log import OutageLog

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0
"""Between two writes: a process that is killed loses its counts since the last one."""
MOST_KEPT = 100_000
"""Limit on the counts that are kept while they cannot be written: further keys are dropped, and the log says so."""

Key = TypeVar("Key")
Add = Callable[[Connection, Counter[Key], datetime], None]
"""Adds counts to the database, for the hour or day of an instant."""


class Counting(Generic[Key]):
    """The counts of this process that are not written yet; `flushing` writes them."""

    def __init__(self, database: Database, name: str, add: Add[Key]) -> None:
        """`name` is the name of these counts in the log."""
        self._database = database
        self._name = name
        self._add = add
        self._counts: Counter[Key] = Counter()
        self._write_lock = asyncio.Lock()
        self._outage = OutageLog(logger, over=f"{name} can be written again")
        self._loss = OutageLog(logger, over=f"{name} are no longer lost")

    @asynccontextmanager
    async def flushing(self) -> AsyncIterator[None]:
        """Write the counts every second, and once more at the end."""
        try:
            async with running_task(self._write_on()):
                yield
        finally:
            await self.write()

    async def write(self) -> None:
        """Write the counts; those that cannot be written are kept for the next time, at most MOST_KEPT."""
        async with self._write_lock:
            counts, self._counts = self._counts, Counter()
            if counts:
                try:
                    await self._database.run(self._add, counts, datetime.now(UTC))
                except DatabaseError as error:
                    self._outage.fails("%s cannot be written, trying again: %s", self._name, error)
                    self._keep(counts)
                else:
                    self._outage.works()
                    self._loss.works()

    def _keep(self, counts: Counter[Key]) -> None:
        """Add `counts` to those of the meantime. Of too many the first ones stay, which go on counting."""
        counts.update(self._counts)
        if len(counts) > MOST_KEPT:
            dropped = sum(islice(counts.values(), MOST_KEPT, None))
            self._loss.fails("%s are lost, as too many wait to be written: %d", self._name, dropped)
            counts = Counter(dict(islice(counts.items(), MOST_KEPT)))
        self._counts = counts

    async def _write_on(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            await asyncio.shield(self.write())  # the end of `flushing` waits for a write under way
