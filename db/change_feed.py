"""What a process keeps of the database in memory: told of each change, and confirmed again and again."""

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

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.005
"""Between two looks at the database, however many wait for one."""
RETRY_SECONDS = 0.1
"""Before another connection is tried."""

Update = Callable[[AsyncConnection, bool], Awaitable[None]]
"""Takes over what has changed; everything if it is told that the connection is a new one."""


class ChangeFeed:
    """One connection after the other follows `channel`: it is told of each change by NOTIFY.

    It looks by itself as often as `poll_seconds`. What `update` took over counts as confirmed for `fresh_seconds`.
    """

    def __init__(
        self, database: Database, channel: LiteralString, update: Update, poll_seconds: float, fresh_seconds: float
    ) -> None:
        self.fresh_until = 0.0
        """Until when what is in memory may be relied on, in seconds of `time.monotonic`."""
        self._database = database
        self._channel: LiteralString = channel
        self._update = update
        self._poll_seconds = poll_seconds
        self._fresh_seconds = fresh_seconds
        self._is_followed = True
        self._wake = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load what is followed, and follow it meanwhile; Unavailable if it cannot be loaded."""
        async with running_task(self._follow()):
            await self.refresh()
            yield

    async def refresh(self) -> None:
        """Return when all is as the database had it after this was called; Unavailable if that fails."""
        looked = asyncio.get_running_loop().create_future()
        self._waiting.append(looked)
        self._wake.set()
        await looked

    async def _follow(self) -> None:
        """Follow the database for ever, on one connection after the other."""
        while True:
            try:
                async with self._database.connected() as connection:
                    await connection.execute("LISTEN " + self._channel)
                    await self._confirm(connection, True)  # the server may be another one now, or have been restored
                    while True:
                        await self._pause(connection)
                        await self._confirm(connection, False)
            except Exception as error:
                if self._is_followed:
                    told = (self._channel, type(error).__name__, error)
                    logger.warning("the %s cannot be followed, trying again: %s: %s", *told)
                    self._is_followed = False
                if time.monotonic() > self.fresh_until:
                    self._tell_waiting(error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _confirm(self, connection: AsyncConnection, is_new: bool) -> None:
        """Take over what has changed, and tell those who were waiting."""
        told, self._waiting = self._waiting, []
        started = time.monotonic()
        try:
            await self._update(connection, is_new)
        except BaseException:
            self._waiting += told
            raise
        self.fresh_until = started + self._fresh_seconds
        if not self._is_followed:
            logger.info("following the %s again", self._channel)
            self._is_followed = True
        for looked in told:
            if not looked.done():
                looked.set_result(None)

    async def _pause(self, connection: AsyncConnection) -> None:
        """Until somebody waits, a change is notified, or it is time to look."""
        await asyncio.sleep(PAUSE_SECONDS)
        with connection.readable(self._wake), suppress(TimeoutError):
            async with asyncio.timeout(self._poll_seconds):
                await self._wake.wait()
        self._wake.clear()

    def _tell_waiting(self, error: Exception) -> None:
        told, self._waiting = self._waiting, []
        for looked in told:
            if not looked.done():
                looked.set_exception(Unavailable(str(error)))
