"""The tail of one worker: the newest rows of all hubs in memory, by one poll for all viewers."""

import asyncio
import logging
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import Connection, RowMapping

from db import tail
from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError
from db.outage_log import OutageLog
from db.tail import ALL, PAYLOAD_CHARACTERS, Filters
from openapi.problems import RETRY, Problem
from openapi.serving.messages import encoded
from openapi.standards import date_times

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.25
POLL_ROWS = 500
PART_ROWS = 200
"""Limit on the rows that a stream takes at once: a viewer that reads nothing holds them, of 13 KiB each at most."""
FLOOD, CALM = 2000, 1000
"""Positions a second: a worker follows until more than FLOOD of them are given out, and again from CALM on."""
SMOOTHED_SECONDS = 1.0
"""The rate is smoothed over this time: a batch is no flood."""
FLOODED_ROWS_SECOND = 400
"""Limit on the rows that a worker reads while it does not follow, for all viewers: ingest needs the machine."""
KEPT_ROWS, KEPT_BYTES = 1000, 2 * 1024 * 1024
"""Limits on the rows in memory. A viewer that is further behind reads pages until it has caught up."""
CATCHING_UP = 2
"""Limit on the pages that a worker reads at one time for viewers that are behind."""
MIN_TURN_SECONDS = 0.05
"""In a flood, between two pages of one place in the line, also if the first had few rows."""
STREAMS_OF_SESSION, STREAMS = 5, 50
"""Limits on the streams of a worker."""
PROBES = 5


@dataclass(frozen=True, slots=True)
class Row:
    """A submission: what filters look at, and its `message` as JSON."""

    position: int
    hub: str
    event_type: str | None
    is_accepted: bool
    message: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in the order of positions, where the next page begins, and how many positions are left to read."""

    rows: Sequence[Row]
    last: int
    behind: int
    is_from_memory: bool = False


@dataclass(frozen=True, slots=True)
class Newest:
    """Some rows, the newest first: all that are asked for after position `after`, up to `last`."""

    rows: Sequence[Row]
    after: int
    last: int


class Rate:
    """How many positions are given out a second, as polls see it; `is_flood` says whether they are too many."""

    def __init__(self) -> None:
        self.is_flood = False
        self._smoothed = 0.0
        self._last: tuple[float, int] | None = None

    def add(self, horizon: int) -> None:
        """A poll sees `horizon` now."""
        now = time.monotonic()
        if self._last:
            then, last = self._last
            share = min(1.0, (now - then) / SMOOTHED_SECONDS)
            self._smoothed += (horizon - last) / SMOOTHED_SECONDS - self._smoothed * share
            self.is_flood = self._smoothed > (CALM if self.is_flood else FLOOD)
        self._last = now, horizon


class Tail:
    """The newest rows, shared by all viewers of a worker: a slow viewer takes no memory, it only falls behind.

    `position` is the last one that was read; None until the first poll since there are viewers. In a flood the worker
    reads nothing ahead: viewers fall behind, are told so, and take turns at pages until it is over. So none misses a
    row, and what they read does not slow down what arrives.
    """

    def __init__(self, database: Database) -> None:
        self.position: int | None = None
        self.has_ended = False
        self.probed_at = 0.0  # when each stream was last asked to send something, by `time.monotonic`
        self._database = database
        self._start = 0  # every row after this position, up to `position`, is in `_rows`
        self._rows: list[Row] = []
        self._change = asyncio.Event()  # of the position; another one after each
        self._sessions: Counter[str] = Counter()  # the streams of each
        self._has_viewers = asyncio.Event()
        self._pages = asyncio.Semaphore(CATCHING_UP)
        self._rate = Rate()

    @asynccontextmanager
    async def seat(self, session: str) -> AsyncIterator[None]:
        """Count a stream of `session`; Problem if the session or the worker has too many.

        A client that has closed its connection is noticed when it is sent something, so all are sent something first.
        """
        if self._is_full(session):
            await self._probe(session)
        if self._is_full(session):
            raise Problem("too_many_streams", [RETRY], limit=STREAMS_OF_SESSION)
        self._sessions[session] += 1
        self._has_viewers.set()
        try:
            yield
        finally:
            self._sessions[session] -= 1
            if not self._sessions[session]:
                del self._sessions[session]
            if not self._sessions:
                self._has_viewers.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Tail"]:
        """Poll while there are viewers, until the end of the block."""
        async with running_task(self._follow()):
            yield self

    def end(self) -> None:
        """Let every stream end: the worker is to stop."""
        self.has_ended = True
        self._wake()

    def since(self, position: int) -> Page | None:
        """The next rows in memory after `position`; None if some of them are in memory no longer, or not yet.

        A position ahead of the tail is that of a viewer that has just read a page, or of another database.
        """
        if self.position is None or not self._start <= position <= self.position:
            return None
        first = bisect_right(self._rows, position, key=attrgetter("position"))
        rows = self._rows[first : first + PART_ROWS]
        last = rows[-1].position if first + PART_ROWS < len(self._rows) else self.position
        return Page(rows, last, self.position - last, is_from_memory=True)

    async def change(self, seconds: float) -> None:
        """Wait until there are other rows, or for `seconds`."""
        change = self._change
        try:
            async with asyncio.timeout(seconds):
                await change.wait()
        except TimeoutError:
            return

    async def page(self, after: int, limit: int, asked: Filters) -> Page:
        """At most `limit` rows after a position that is in memory no longer; DatabaseError if they cannot be read."""
        async with self._pages:
            page = await self._database.run(_page, after, limit, asked)
            if self._rate.is_flood:
                await asyncio.sleep(max(MIN_TURN_SECONDS, len(page.rows) * CATCHING_UP / FLOODED_ROWS_SECOND))
            return page

    async def newest(self, until: int, limit: int, asked: Filters) -> Newest:
        """The newest rows up to `until`, at most `limit`; DatabaseError if they cannot be read."""
        async with self._pages:
            return await self._database.run(_newest, until, limit, asked)

    def _is_full(self, session: str) -> bool:
        return self._sessions[session] >= STREAMS_OF_SESSION or self._sessions.total() >= STREAMS

    async def _probe(self, session: str) -> None:
        """Let every stream send something until `session` has a seat, for a second at most.

        A connection that its client has closed takes what is sent first, and fails when more is sent.
        """
        for _ in range(PROBES):
            self.probed_at = time.monotonic()
            self._wake()
            await asyncio.sleep(1 / PROBES)
            if not self._is_full(session):
                return

    async def _follow(self) -> None:
        outage = OutageLog(logger, over="the tail follows the database again")
        while True:
            if not self._has_viewers.is_set():
                self.position, self._rows, self._rate = None, [], Rate()
                await self._has_viewers.wait()
            started, is_full = time.monotonic(), False
            try:
                is_full = await self._poll()
                outage.works()
            except DatabaseError as error:
                outage.fails("the tail waits for the database: %s", error)
            await asyncio.sleep(0 if is_full else max(0, POLL_SECONDS - (time.monotonic() - started)))

    async def _poll(self) -> bool:
        """Read what is new, but not in a flood; True if there is more."""
        if self.position is None or self._rate.is_flood:
            self._jump(await self._database.run(tail.horizon))
            return False
        page = await self._database.run(_page, self.position, POLL_ROWS, ALL)
        self._rate.add(page.last + page.behind)
        if page.last == self.position:
            return False
        self._keep(page.rows)
        self.position = page.last
        self._wake()
        return page.behind > 0

    def _jump(self, position: int) -> None:
        """Follow from `position` on, and remember nothing before it."""
        self._rate.add(position)
        self.position = self._start = position
        self._rows = []
        self._wake()

    def _keep(self, rows: Sequence[Row]) -> None:
        """Add `rows`, and forget the oldest ones beyond the limits."""
        kept = [*self._rows, *rows][-KEPT_ROWS:]
        size = sum(len(row.message) for row in kept)
        first = 0
        while size > KEPT_BYTES:
            size -= len(kept[first].message)
            first += 1
        forgotten = len(self._rows) + len(rows) - len(kept) + first
        if forgotten:
            self._start = [*self._rows, *rows][forgotten - 1].position
        self._rows = kept[first:]

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


def _page(connection: Connection, after: int, limit: int, asked: Filters) -> Page:
    page = tail.page(connection, after, limit, asked)
    return Page([_row(row) for row in page.rows], page.last, page.behind)


def _newest(connection: Connection, until: int, limit: int, asked: Filters) -> Newest:
    found = tail.newest(connection, until, limit, asked)
    return Newest([_row(row) for row in found.rows], found.after, found.last)


def _row(row: RowMapping) -> Row:
    """A row, with its content as text that is cut off after `PAYLOAD_CHARACTERS`."""
    payload = row["payload"] if row["raw"] is None else bytes(row["raw"]).decode("utf-8", "replace")
    content = {
        "position": row["position"],
        "kind": row["kind"],
        "outcome": "accepted" if row["is_accepted"] else "rejected",
        "hub": row["hub"] or str(row["hub_id"]),
        "event_type": row["event_type"],
        "widget_id": row["widget_id"] and str(row["widget_id"]),
        "received_at": date_times.render(row["received_at"]),
        "id": str(row["id"]),
        "batch_index": row["batch_index"],
        "code": row["code"],
        "error": row["error"],
        "payload": payload[:PAYLOAD_CHARACTERS],
        "is_cut_off": len(row["payload"] or row["raw"]) > PAYLOAD_CHARACTERS,
    }
    return Row(row["position"], content["hub"], row["event_type"], row["is_accepted"], encoded(content))
