"""Keeps database rows in memory up to date: a NOTIFY reports each change, and a poll confirms the rows."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import LiteralString

from db.async_connection import AsyncConnection
from db.background import running_task
from db.engine import Database
from db.errors import Unavailable
from db.outage_log import OutageLog

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.005
"""Between two updates, however many callers wait for one."""
RETRY_SECONDS = 0.1
"""Before another connection attempt."""

Update = Callable[[AsyncConnection, bool], Awaitable[None]]
"""Applies the changes to memory, or all rows if its second argument says that the connection is new."""


class ChangeFeed:
    """Calls `update` after each NOTIFY on `channel` and every `poll_seconds`; reconnects after a failure.

    After an update the rows in memory count as confirmed for `fresh_seconds`.
    """

    def __init__(
        self, database: Database, channel: LiteralString, update: Update, poll_seconds: float, fresh_seconds: float
    ) -> None:
        self.fresh_until = 0.0
        """The time when the rows in memory become stale, in seconds of `time.monotonic`."""
        self._database = database
        self._channel: LiteralString = channel
        self._update = update
        self._poll_seconds = poll_seconds
        self._fresh_seconds = fresh_seconds
        self._outage = OutageLog(logger, over=f"following the {channel} again")
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def age(self) -> float:
        """The seconds since the rows in memory were those of the database."""
        return time.monotonic() - (self.fresh_until - self._fresh_seconds)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load the rows and keep them up to date; Unavailable if they cannot be loaded."""
        async with running_task(self._follow()):
            await self.refresh()
            yield

    async def refresh(self) -> None:
        """Wait until memory is at least as recent as this call; Unavailable if the database cannot be read."""
        updated = asyncio.get_running_loop().create_future()
        self._waiting.append(updated)
        self._wake.set()
        await updated

    async def _follow(self) -> None:
        """Follow the database forever; reconnect after each failure."""
        while True:
            try:
                async with self._database.connected() as connection:
                    await connection.execute("LISTEN " + self._channel)
                    await self._confirm(connection, True)  # the server may have been replaced or restored
                    while True:
                        await self._pause(connection)
                        await self._confirm(connection, False)
            except Exception as error:
                names = self._channel, type(error).__name__
                self._outage.fails("the %s cannot be followed, trying again: %s: %s", *names, error)
                if time.monotonic() > self.fresh_until:
                    self._fail_waiting(error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _confirm(self, connection: AsyncConnection, is_new: bool) -> None:
        """Apply the changes, and resume the callers that waited for them."""
        waiting, self._waiting = self._waiting, []
        started = time.monotonic()
        try:
            await self._update(connection, is_new)
        except BaseException:
            self._waiting += waiting
            raise
        self.fresh_until = started + self._fresh_seconds
        self._outage.works()
        for updated in waiting:
            if not updated.done():
                updated.set_result(None)

    async def _pause(self, connection: AsyncConnection) -> None:
        """Return when a caller waits, a change is notified, or the next poll is due."""
        await asyncio.sleep(PAUSE_SECONDS)
        with connection.readable(self._wake), suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):
                await self._wake.wait()
        self._wake.clear()

    def _fail_waiting(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, []
        for updated in waiting:
            if not updated.done():
                updated.set_exception(Unavailable(str(error)))
