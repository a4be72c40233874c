"""The upkeep of the database, which each worker sees to beside its requests."""

import asyncio
import logging
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from db import partitions
from db.background import meanwhile
from db.engine import Database
from db.errors import DatabaseError

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 3600


def kept_up(opened: Database, retention_days: int | None) -> AbstractAsyncContextManager[None]:
    """Meanwhile the partitions of the coming weeks are made, and those older than the retention are dropped."""
    return meanwhile(_keep_up(opened, retention_days))


async def _keep_up(opened: Database, retention_days: int | None) -> None:
    while True:
        try:
            made, dropped = await asyncio.to_thread(partitions.upkeep, opened, datetime.now(UTC), retention_days)
            if made or dropped:
                names = [partition.name for partition in dropped]
                logger.info("upkeep", extra={"partitions_made": made, "partitions_dropped": names})
        except Exception as error:  # whatever it is, requests are served on, and the next time may do
            logger.warning("upkeep failed: %s", error, exc_info=not isinstance(error, DatabaseError))
        await asyncio.sleep(INTERVAL_SECONDS)
