"""The upkeep of the database, which each worker does besides serving requests."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from db import clocks, event_type_days, partitions, rejected_submissions, signing_keys, tokens, usage_minutes
from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError
from db.rejected_submissions import Bounds

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 3600


class Upkeep:
    """Creates the coming weeks' partitions, and drops what is beyond retention, days, bounds and expiry.

    Each step stands alone: if one fails, the others are done all the same.
    """

    def __init__(
        self,
        database: Database,
        retention_days: int | None,
        rejections: Bounds,
        succeeded: Callable[[str], object] = lambda _step: None,
    ) -> None:
        """`succeeded` is called with the name of each step that succeeds."""
        self._database = database
        self._retention_days = retention_days
        self._rejections = rejections
        self._succeeded = succeeded
        self._steps: dict[str, Callable[[], list[str] | int]] = {
            "partitions_made": self._create_partitions,
            "partitions_dropped": self._drop_partitions,
            "events_dropped_by_type": self._delete_events_by_type,
            "rejected_submissions_dropped": self._trim_rejected_submissions,
            "minutes_dropped": self._delete_minutes,
            "signing_keys_dropped": self._forget_signing_keys,
            "tokens_dropped": self._forget_tokens,
        }

    def running(self) -> AbstractAsyncContextManager[None]:
        """Do all steps now and every hour, until the context ends."""
        return running_task(self._keep_up())

    async def _keep_up(self) -> None:
        while True:
            await asyncio.to_thread(self.do_all)
            await asyncio.sleep(INTERVAL_SECONDS)

    def do_all(self) -> None:
        """Do all steps once; those that fail are logged."""
        done: dict[str, Any] = {}
        for name, step in self._steps.items():
            try:
                done[name] = step()
                self._succeeded(name)
            except Exception as error:  # after any error the worker serves on, and the next attempt may succeed
                logger.warning("upkeep failed: %s: %s", name, error, exc_info=not isinstance(error, DatabaseError))
        if any(done.values()):
            logger.info("upkeep", extra=done)

    def _create_partitions(self) -> list[str]:
        return partitions.create_coming(self._database, *self._clocks())

    def _drop_partitions(self) -> list[str]:
        if self._retention_days is None:
            return []
        dropped = partitions.drop_expired(self._database, self._clocks()[0], self._retention_days)
        return [partition.name for partition in dropped]

    def _delete_events_by_type(self) -> int:
        return event_type_days.delete_old(self._database)

    def _trim_rejected_submissions(self) -> int:
        dropped = 0
        with self._database.begin() as connection:
            hubs = rejected_submissions.hubs(connection)
        for hub_id in hubs:  # a transaction each: nothing is locked for long
            with self._database.begin() as connection:
                dropped += rejected_submissions.trim(connection, hub_id, self._rejections)
        return dropped

    def _delete_minutes(self) -> int:
        with self._database.begin() as connection:
            return usage_minutes.delete_old(connection)

    def _clocks(self) -> tuple[datetime, datetime]:
        with self._database.begin() as connection:
            return clocks.both(connection)

    def _forget_signing_keys(self) -> int:
        with self._database.begin() as connection:
            return signing_keys.forget_expired(connection)

    def _forget_tokens(self) -> int:
        with self._database.begin() as connection:
            return tokens.forget_expired(connection)
