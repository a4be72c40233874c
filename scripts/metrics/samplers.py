"""Values that a task of the worker measures from time to time."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from db import partitions
from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError
from db.histograms import SECONDS, Histogram
from scripts.metrics.values import Sample

logger = logging.getLogger(__name__)

LAG_SECONDS = 0.1
"""Between two measurements of the event loop."""
PARTITIONS_SECONDS = 60.0


class Samplers:
    """The lag of the event loop, and the time until which partitions exist, measured while `running`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lag = Histogram(SECONDS)
        self._covered: dict[str, datetime] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Measure until the end of the block."""
        async with running_task(self._measure_lag()), running_task(self._look_at_partitions()):
            yield

    def readings(self) -> Iterator[Sample]:
        """The values as measured last; the time passes even while the database is away."""
        yield "event_loop_lag_seconds", (), self._lag.parts
        now = datetime.now(UTC)
        for table, until in self._covered.items():
            yield "partitions_ahead_seconds", (table,), max(0.0, (until - now).total_seconds())

    async def _measure_lag(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_SECONDS
            await asyncio.sleep(LAG_SECONDS)
            self._lag.add(max(0.0, loop.time() - due))

    async def _look_at_partitions(self) -> None:
        while True:
            try:
                self._covered = await self._database.run(partitions.covered_until, datetime.now(UTC))
            except DatabaseError as error:
                logger.debug("the partitions cannot be looked at: %s", error)
            await asyncio.sleep(PARTITIONS_SECONDS)
