"""Group commit: what is waiting is inserted and committed together, and each row is answered for after its commit."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import LiteralString

from db.async_connection import AsyncConnection
from db.background import meanwhile
from db.engine import Database
from db.errors import DatabaseError, Unavailable

logger = logging.getLogger(__name__)

MAX_WAITING_BYTES = 32 * 1024 * 1024
"""Of rows that are in no batch yet: what comes on top is refused."""
BATCH_ROWS = 1000
BATCH_BYTES = 1024 * 1024
PATIENCE_SECONDS = 2.0
"""How long rows wait for a database that is away. It may be a restart that is over in a moment."""
RETRY_SECONDS = 0.1

_NAME = "write"  # of the prepared statement


@dataclass(slots=True)
class _Waiting:
    """A row as JSON, and the future that is told when it is committed: the moment when it was sent."""

    row: bytes
    committed: asyncio.Future[float]


class Writer:
    """Inserts rows with `statement`, whose one parameter is a JSON array of them. `writing` does it.

    The statement must do nothing for a row that is stored already: a batch whose outcome is unknown, because the
    connection was lost, is sent again.
    """

    def __init__(self, database: Database, statement: LiteralString) -> None:
        self._database = database
        self._prepare = f"PREPARE {_NAME} AS {statement}"
        self._queue: deque[_Waiting] = deque()
        self._batch: list[_Waiting] = []  # what is under way
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._sent_at = 0.0  # the batch under way
        self._away_since: float | None = None

    async def add(self, row: bytes) -> float:
        """Return when `row`, a JSON object, is committed: the moment of `perf_counter` when it was sent for that.

        Unavailable if there are too many waiting or the database is away; Failed if the database refuses the row.
        """
        if self._waiting_bytes + len(row) > MAX_WAITING_BYTES:
            raise Unavailable("too many rows are waiting to be written")
        if self._is_away():
            raise Unavailable("the database is away")
        committed = asyncio.get_running_loop().create_future()
        self._waiting_bytes += len(row)
        self._queue.append(_Waiting(row, committed))
        self._wake.set()
        sent_at: float = await committed
        return sent_at

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write what is added meanwhile; what is not written in the end is refused as Unavailable."""
        try:
            async with meanwhile(self._write()):
                yield
        finally:
            self._refuse_all(Unavailable("the service stops"))

    async def _write(self) -> None:
        """Write for ever, on one connection after the other."""
        while True:
            try:
                async with self._database.connected(target_session_attrs="read-write") as connection:
                    await connection.execute(self._prepare)
                    while True:
                        if self._away_since is not None and not self._batch:
                            logger.info("events can be written again")
                            self._away_since = None
                        await self._next_batch()
                        self._sent_at = time.monotonic()
                        await self._store(connection, self._batch)
                        self._batch = []
            except Exception as error:
                if self._away_since is None:
                    logger.warning("events cannot be written, trying again: %s: %s", type(error).__name__, error)
                    self._away_since = self._sent_at if self._batch else time.monotonic()
                if self._is_away():
                    self._refuse_all(Unavailable(str(error)))
                await asyncio.sleep(RETRY_SECONDS)

    def _is_away(self) -> bool:
        """Whether the database is away for longer than a row waits for it."""
        return self._away_since is not None and time.monotonic() - self._away_since > PATIENCE_SECONDS

    async def _next_batch(self) -> None:
        """Fill the batch, unless one is left of a connection that was lost, as soon as there is something to write."""
        while not self._batch:
            self._wake.clear()
            if not self._queue:
                await self._wake.wait()
            size = 0
            while self._queue and len(self._batch) < BATCH_ROWS and size < BATCH_BYTES:
                waiting = self._queue.popleft()
                self._batch.append(waiting)
                size += len(waiting.row)
            self._waiting_bytes -= size

    async def _store(self, connection: AsyncConnection, batch: list[_Waiting]) -> None:
        """Commit `batch`. Where the database refuses it, its halves, until the row that is refused is found.

        Unavailable if the connection is lost.
        """
        rows = b"[" + b",".join([waiting.row for waiting in batch]) + b"]"
        sent_at = time.perf_counter()
        try:
            await connection.run(_NAME.encode(), rows)
        except DatabaseError as error:
            if connection.is_lost:
                raise
            if len(batch) == 1:
                self._answer(batch, error)
            else:
                middle = len(batch) // 2
                await self._store(connection, batch[:middle])
                await self._store(connection, batch[middle:])
        else:
            self._answer(batch, sent_at)

    def _answer(self, batch: list[_Waiting], outcome: float | DatabaseError) -> None:
        """Tell each of `batch` when it was sent, or what became of it."""
        for waiting in batch:
            if waiting.committed.done():
                continue  # nobody waits any more, or it was told before the connection was lost
            if isinstance(outcome, DatabaseError):
                waiting.committed.set_exception(outcome)
            else:
                waiting.committed.set_result(outcome)

    def _refuse_all(self, error: Unavailable) -> None:
        self._answer([*self._batch, *self._queue], error)
        self._batch = []
        self._queue.clear()
        self._waiting_bytes = 0
