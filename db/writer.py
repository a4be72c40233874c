"""Group commit: the waiting rows are inserted and committed together; each caller resumes after the commit."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, Protocol

from sqlalchemy import Connection

from db.async_connection import AsyncConnection, TextRow
from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError, Interrupted, NoPartition, RowRefused, Unavailable
from db.outage_log import CALM_SECONDS, OutageLog
from db.write_counts import WriteCounts

logger = logging.getLogger(__name__)

MAX_WAITING_BYTES = 32 * 1024 * 1024
"""Limit on the rows that wait for a batch: further rows are refused."""
BATCH_ROWS = 1000
BATCH_BYTES = 1024 * 1024
PATIENCE_SECONDS = 2.0
"""Rows wait this long for an unreachable database: it may be a restart that is over in a moment."""
RETRY_SECONDS = 0.1
REFUSAL_SECONDS = 2.0
"""For how long a writer counts as faulty after a batch that the database refused as a whole."""
PARTITION_SECONDS = 1.0
"""The time between two attempts to create missing partitions, while they fail."""

EncodedRow = tuple[str, bytes]
"""An id, and the row as a JSON object that includes the id."""
Outcome = TextRow | DatabaseError | None
"""None: the row is stored. A row: the result of `explanation` for it. An error: the database refused it."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of a writer; the one parameter of each is a JSON array of rows.

    `insert` returns the ids of the rows that it did not store. It must do nothing for a row that is already stored: if
    the connection is lost, the outcome of the batch is unknown, and the batch is sent again. `explanation` runs after
    the commit if some rows were not stored: it receives them, and returns the id and the reasons of each. `partitions`
    creates the missing partitions for the rows with some ids, and returns their names. `on_connection` has no
    parameter, and runs before the first batch of each connection.
    """

    insert: LiteralString
    explanation: LiteralString | None = None
    partitions: Callable[[Connection, Sequence[str]], list[str]] | None = None
    on_connection: LiteralString | None = None


Outcomes = dict[str, TextRow | DatabaseError]
"""The outcomes of the rows of a batch that are not stored, by id."""


@dataclass(slots=True)
class _Waiting:
    """Rows that were added together, and the future result of their batch: when it was sent, and its outcomes."""

    rows: Sequence[EncodedRow]
    bytes: int
    added_at: float
    done: asyncio.Future[tuple[float, Outcomes]]
    request: Any = None  # its span, if it is traced


class CommitTraces(Protocol):
    """The tracing of the commits of a writer."""

    def current(self) -> Any:
        """The span of the present request; None if it is not traced."""

    def committed(self, requests: Sequence[Any], rows: int, seconds: float) -> None:
        """Rows of these `requests`, and others, have just been committed, which took `seconds`."""


class Writer:
    """Inserts rows with its statements while `writing` runs."""

    def __init__(self, database: Database, statements: Statements) -> None:
        self._database = database
        self._statements = statements
        self._queue: deque[_Waiting] = deque()
        self._batch: list[_Waiting] = []  # the batch under way
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._sent_at = 0.0  # the batch under way
        self._away_since: float | None = None
        self._refusals = OutageLog(logger, over="the database stores rows again", calm_seconds=CALM_SECONDS)
        self._partitions_after = 0.0  # the earliest time of the next attempt to create partitions, by `monotonic`
        self._refused_at = float("-inf")  # the last batch that was refused as a whole, by `monotonic`
        self._refusal = ""
        self._is_connected = False
        self.counts = WriteCounts()
        self.traces: CommitTraces | None = None

    @property
    def fault(self) -> str | None:
        """Why rows cannot be stored now; None if they can, as far as is known.

        A refusal of all rows counts for a moment: only another batch shows whether it would be refused, too.
        """
        if not self._is_connected:
            return "there is no connection to the database"
        return self._refusal if time.monotonic() - self._refused_at < REFUSAL_SECONDS else None

    @property
    def waiting_rows(self) -> int:
        """The rows that have no outcome yet."""
        return sum(len(waiting.rows) for waiting in [*self._batch, *self._queue])

    @property
    def waiting_bytes(self) -> int:
        """The bytes of the rows that wait for a batch."""
        return self._waiting_bytes

    @property
    def away_seconds(self) -> float:
        """How long rows cannot be written; 0 if they can."""
        return 0.0 if self._away_since is None else time.perf_counter() - self._away_since

    async def add(self, row: EncodedRow) -> tuple[float, Outcome]:
        """Like `add_all`, for one row; raises the error if the database refuses the row."""
        sent_at, outcomes = await self._queued([row])
        outcome = outcomes.get(row[0])
        if isinstance(outcome, DatabaseError):
            raise outcome
        return sent_at, outcome

    async def add_all(self, rows: Sequence[EncodedRow]) -> tuple[float, list[Outcome]]:
        """Write `rows`, whose ids differ; returns the time of sending (`perf_counter`) and the outcome of each.

        Unavailable if too many rows wait, or the database cannot be reached.
        """
        sent_at, outcomes = await self._queued(rows)
        return sent_at, [outcomes.get(identifier) for identifier, _ in rows]

    def _queued(self, rows: Sequence[EncodedRow]) -> asyncio.Future[tuple[float, Outcomes]]:
        size = sum([len(row) for _, row in rows])
        if self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise Unavailable("too many rows are waiting to be written")
        if self._is_unavailable():
            raise Unavailable("the database is unavailable")
        waiting = _Waiting(rows, size, time.perf_counter(), asyncio.get_running_loop().create_future())
        if self.traces:
            waiting.request = self.traces.current()
        self._waiting_bytes += size
        self._queue.append(waiting)
        self._wake.set()
        return waiting.done

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write the added rows; at the end, rows that are not written are refused as Unavailable."""
        try:
            async with running_task(self._write()):
                yield
        finally:
            self._refuse_all(Unavailable("the service stops"))

    async def _write(self) -> None:
        """Write forever; reconnect after each failure."""
        while True:
            try:
                async with self._database.connected(target_session_attrs="read-write") as connection:
                    await connection.execute(f"PREPARE insert AS {self._statements.insert}")
                    if self._statements.explanation:
                        await connection.execute(f"PREPARE explanation AS {self._statements.explanation}")
                    if self._statements.on_connection:
                        await connection.execute(self._statements.on_connection)
                    self._is_connected = True
                    while True:
                        if self._away_since is not None and not self._batch:
                            logger.info("rows can be written again")
                            self._away_since = None
                        await self._next_batch()
                        self._sent_at = time.perf_counter()
                        await self._store(connection)
            except Exception as error:
                self._is_connected = False
                if self._away_since is None:
                    self.counts.lost()
                    logger.warning("rows cannot be written, trying again: %s: %s", type(error).__name__, error)
                    self._away_since = self._sent_at if self._batch else time.perf_counter()
                if self._is_unavailable():
                    self._refuse_all(Unavailable(str(error)))
                await asyncio.sleep(RETRY_SECONDS)

    def _is_unavailable(self) -> bool:
        """True if the database has been unreachable for longer than a row waits."""
        return self._away_since is not None and time.perf_counter() - self._away_since > PATIENCE_SECONDS

    async def _next_batch(self) -> None:
        """Wait for rows and fill the batch, unless a lost connection left one."""
        while not self._batch:
            self._wake.clear()
            if not self._queue:
                await self._wake.wait()
            count = size = 0
            while self._queue and count < BATCH_ROWS and size < BATCH_BYTES:
                waiting = self._queue.popleft()
                self._batch.append(waiting)
                count += len(waiting.rows)
                size += waiting.bytes
            self._waiting_bytes -= size
            self.counts.taken([waiting.added_at for waiting in self._batch], time.perf_counter())

    async def _store(self, connection: AsyncConnection) -> None:
        """Commit the batch, and set the result of each future in it; Unavailable if the connection is lost."""
        rows = [row for waiting in self._batch for row in waiting.rows]
        outcomes = await self._stored(connection, rows)
        self.counts.committed(len(rows), time.perf_counter() - self._sent_at)
        result = self._sent_at, outcomes
        batch, self._batch = self._batch, []
        if self.traces and (requests := [waiting.request for waiting in batch if waiting.request is not None]):
            self.traces.committed(requests, len(rows), time.perf_counter() - self._sent_at)
        for waiting in batch:
            if not waiting.done.done():  # its request may have been cancelled
                waiting.done.set_result(result)

    async def _stored(
        self, connection: AsyncConnection, rows: Sequence[EncodedRow], may_repeat: bool = True
    ) -> Outcomes:
        """Commit `rows`; returns the outcomes of those that are not stored, by id.

        If the database refuses them for a cause that has passed, they are sent once more, if they `may_repeat`.
        Unavailable if the connection is lost.
        """
        try:
            missing = {identifier for (identifier,) in await connection.run(b"insert", _array(rows))}
            self._refusals.works()
            if not missing:
                return {}
            rows = [row for row in rows if row[0] in missing]
            return {str(row[0]): row for row in await connection.run(b"explanation", _array(rows))}
        except DatabaseError as error:
            if connection.is_lost:
                raise
            self.counts.refused(error)
            return await self._refused(connection, rows, error, may_repeat)

    async def _refused(
        self, connection: AsyncConnection, rows: Sequence[EncodedRow], error: DatabaseError, may_repeat: bool
    ) -> Outcomes:
        """The outcomes of `rows`, which the database refused together.

        If a row is at fault, their halves are committed, down to that row. Any other error concerns every row: no half
        would fare better, and a server whose disk is full logs each statement that fails.
        """
        if isinstance(error, RowRefused):
            if len(rows) > 1:
                middle = len(rows) // 2
                first = await self._stored(connection, rows[:middle], may_repeat)
                return first | await self._stored(connection, rows[middle:], may_repeat)
        else:
            try:
                if may_repeat and await self._is_mended(error, rows):
                    return await self._stored(connection, rows, may_repeat=False)
            except NoPartition as uncreated:
                error = uncreated
            self._refusals.fails("the database refuses all rows: %s", error)
            self._refused_at, self._refusal = time.monotonic(), str(error)
            if not isinstance(error, Unavailable):  # a missing right or table, which an operator may mend
                error = Unavailable(str(error))
        return dict.fromkeys([identifier for identifier, _ in rows], error)

    async def _is_mended(self, error: DatabaseError, rows: Sequence[EncodedRow]) -> bool:
        """True if `rows` may be stored now although they were refused with `error`."""
        if isinstance(error, NoPartition) and self._statements.partitions:
            return await self._create_partitions(self._statements.partitions, rows)
        return isinstance(error, Interrupted)

    async def _create_partitions(
        self, create: Callable[[Connection, Sequence[str]], list[str]], rows: Sequence[EncodedRow]
    ) -> bool:
        """Create the partitions that `rows` lack; False if that failed a moment ago, NoPartition if it fails now."""
        if time.monotonic() < self._partitions_after:
            return False
        self._partitions_after = time.monotonic() + PARTITION_SECONDS
        try:
            created = await self._database.run(create, [identifier for identifier, _ in rows])
        except Exception as error:  # whatever it is, the writer goes on
            raise NoPartition(f"there is no partition for a row, and none can be created: {error}") from None
        if created:
            logger.warning("rows had no partition, which upkeep should have created: created %s", ", ".join(created))
            self._partitions_after = 0.0
        return True

    def _refuse_all(self, error: Unavailable) -> None:
        for waiting in [*self._batch, *self._queue]:
            if not waiting.done.done():
                waiting.done.set_exception(error)
        self._batch = []
        self._queue.clear()
        self._waiting_bytes = 0


def _array(rows: Sequence[EncodedRow]) -> bytes:
    return b"[" + b",".join([row for _, row in rows]) + b"]"
