"""The upkeep of the database, which each worker does besides serving requests."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from db import partitions, rejected_submissions, signing_keys, tokens
from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError
from db.rejected_submissions import Bounds

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 3600


Succeeded = Callable[[str], None]
"""Called with each step of the upkeep that succeeded: partitions, rejections or tokens."""


def maintenance(
    opened: Database, retention_days: int | None, rejections: Bounds, succeeded: Succeeded
) -> AbstractAsyncContextManager[None]:
    """Create the coming weeks' partitions, and drop rows beyond retention and bounds, until the context ends."""
    return running_task(_keep_up(opened, retention_days, rejections, succeeded))


async def _keep_up(opened: Database, retention_days: int | None, rejections: Bounds, succeeded: Succeeded) -> None:
    while True:
        try:
            await asyncio.to_thread(_keep_up_once, opened, retention_days, rejections, succeeded)
        except Exception as error:  # after any error the worker serves on, and the next attempt may succeed
            logger.warning("upkeep failed: %s", error, exc_info=not isinstance(error, DatabaseError))
        await asyncio.sleep(INTERVAL_SECONDS)


def _keep_up_once(opened: Database, retention_days: int | None, rejections: Bounds, succeeded: Succeeded) -> None:
    now = datetime.now(UTC)
    created, dropped = partitions.upkeep(opened, now, retention_days)
    succeeded("partitions")
    with opened.begin() as connection:
        hubs = rejected_submissions.hubs(connection)
    forgotten = 0
    for hub_id in hubs:  # a transaction each, so that nothing is locked for long
        with opened.begin() as connection:
            forgotten += rejected_submissions.trim(connection, hub_id, rejections, now)
    succeeded("rejections")
    with opened.begin() as connection:
        signing_keys.forget_expired(connection)
        tokens.forget_expired(connection)
    succeeded("tokens")
    if created or dropped or forgotten:
        names = [partition.name for partition in dropped]
        logger.info(
            "upkeep",
            extra={"partitions_made": created, "partitions_dropped": names, "rejected_submissions_dropped": forgotten},
        )
