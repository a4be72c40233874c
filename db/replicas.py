"""The replicas of the service that live: each writes a row once a second.

A row that is not written shows a worker that the database takes no writes, such as a standby or one with a full disk.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import Connection, text

from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
LIVE_SECONDS = 3
"""A replica lives if its row is younger than this."""
STALE_SECONDS = 3.0
"""After so long without a written row the database counts as one that takes no writes."""

# The workers of a replica share a row, and one of them writes it each second. A row with a time in the future was
# written before a clock was set back. The commit does not wait for the disk.
_BEAT = text("""
    INSERT INTO replicas (id, seen_at) VALUES (:id, now()) ON CONFLICT (id) DO UPDATE SET seen_at = now()
    WHERE replicas.seen_at NOT BETWEEN now() - interval '0.8 s' AND now()
""")
_LIVING = text(f"""
    SELECT count(*) FROM replicas
    WHERE seen_at BETWEEN now() - interval '{LIVE_SECONDS} s' AND now() + interval '1 s'
""")  # noqa: S608 (a number)
_FORGET = text("DELETE FROM replicas WHERE seen_at NOT BETWEEN now() - interval '1 day' AND now() + interval '1 day'")


class Replicas:
    """The number of living replicas, of this one at least, as last counted while `running`."""

    def __init__(self, database: Database, identifier: UUID) -> None:
        """`identifier` is that of this replica, which its workers share."""
        self.count = 1
        self._database = database
        self._id = identifier
        self._written_at = time.monotonic()
        self._error = ""

    @property
    def away_seconds(self) -> float:
        """How long the row could not be written; 0 if it can."""
        seconds = time.monotonic() - self._written_at
        return seconds if seconds >= STALE_SECONDS else 0.0

    @property
    def fault(self) -> str | None:
        """Why the database takes no writes; None if it does."""
        if not self.away_seconds:
            return None
        return self._error or f"no answer for {STALE_SECONDS:g} seconds"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write and count once a second until the end of the block."""
        async with running_task(self._beat_forever()):
            yield

    async def _beat_forever(self) -> None:
        is_first = True
        while True:
            try:
                self.count = await self._database.run(beat, self._id, is_first)
                self._written_at, self._error, is_first = time.monotonic(), "", False
            except DatabaseError as error:  # the limits stay as they are, and readiness says so
                self._error = str(error)
            except Exception:
                logger.exception("the row of this replica cannot be written")
            await asyncio.sleep(BEAT_SECONDS)


def beat(connection: Connection, identifier: UUID, with_cleaning: bool = False) -> int:
    """Write the row of a replica; returns the number of living ones. `with_cleaning` deletes old rows."""
    connection.execute(text("SET LOCAL synchronous_commit = off"))
    if with_cleaning:
        connection.execute(_FORGET)
    connection.execute(_BEAT, {"id": identifier})
    count: int = connection.execute(_LIVING).scalar_one()
    return max(1, count)
