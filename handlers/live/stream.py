"""The stream to one viewer, as Server-Sent Events (HTML, section 9.2): each row once, in the order of positions."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from db.errors import Unavailable, UnknownPosition
from db.tail import Filters
from handlers.live.filters import matches
from handlers.live.tail import PART_ROWS, Page, Row, Tail
from openapi.serving.messages import encoded

HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-accel-buffering": "no",
    "x-content-type-options": "nosniff",
}
RETRY_MILLISECONDS = 1000
QUIET_SECONDS = 15.0
"""The longest time without a message: proxies cut connections that are silent for long."""
CHECK_SECONDS = 1.0
"""Between two looks whether the viewer may read on."""
LONGEST_SECONDS = 3600.0
WAIT_SECONDS = 1.0
PIECE_BYTES = 64 * 1024
"""About as much is handed over at once to a client that may not read."""


class End(StrEnum):
    """Why a stream ends. After the first two the client opens another one, from its last position."""

    STOPPING = "stopping"
    LONGEST = "longest"
    NOT_ALLOWED = "not allowed"
    UNKNOWN_POSITION = "unknown position"


@dataclass(frozen=True, slots=True)
class Viewer:
    """A session, by which streams are counted. `still_allowed` says whether it may read on, and raises nothing."""

    session: str
    still_allowed: Callable[[], Awaitable[bool]]


class Stream:
    """The messages to one viewer, after `position`; None stands for the last position of the first poll."""

    def __init__(self, tail: Tail, filters: Filters, viewer: Viewer, position: int | None) -> None:
        self._tail = tail
        self._filters = filters
        self._viewer = viewer
        self._position = position
        self._is_behind: bool | None = None  # None: the viewer does not know yet
        self._end: End | None = None
        self._ends_at = time.monotonic() + LONGEST_SECONDS
        self._checked_at = self._sent_at = time.monotonic()

    async def messages(self) -> AsyncIterator[bytes]:
        """The bytes to send, until the stream ends. Each is made when the one before has been handed over."""
        yield b"retry: %d\n\n" % RETRY_MILLISECONDS
        while not await self._has_ended():
            async for message in self._next():
                self._sent_at = time.monotonic()
                yield message
        yield _event("end", {"why": self._end})

    async def _next(self) -> AsyncIterator[bytes]:
        """The messages about what comes next, after a wait if there is nothing."""
        if self._is_quiet():
            yield self._still_here()
        if (page := await self._page()) is None:
            await self._tail.change(WAIT_SECONDS)
            return
        if page.behind and not page.is_from_memory:
            self._is_behind = True
            yield self._note("behind", page.last - (self._position or 0) + page.behind)
        for piece in _pieces([row for row in page.rows if matches(self._filters, row)]):
            yield piece
            if await self._has_ended():  # handing it over may have taken long
                return
        self._position = page.last
        if not page.behind and self._is_behind is not False:
            self._is_behind = False
            yield self._note("current", 0)

    async def _page(self) -> Page | None:
        """What comes next: from memory, or else from the database; None if there is nothing at the moment."""
        if self._position is None:
            self._position = self._tail.position
        if self._position is None:
            return None
        page = self._tail.since(self._position) or await self._read(self._position)
        is_news = page is not None and (page.last > self._position or self._is_behind is not False)
        return page if is_news else None

    async def _read(self, position: int) -> Page | None:
        """A page from the database; None if it cannot be read at the moment."""
        try:
            return await self._tail.page(position, PART_ROWS, self._filters)
        except UnknownPosition:
            self._end = End.UNKNOWN_POSITION
        except Unavailable:
            pass  # the log has it, from the poll
        return None

    async def _has_ended(self) -> bool:
        """True if the stream ends now; `_end` says why."""
        now = time.monotonic()
        if self._tail.has_ended:
            self._end = End.STOPPING
        elif now >= self._ends_at:
            self._end = End.LONGEST
        elif now >= self._checked_at + CHECK_SECONDS:
            self._checked_at = now
            if not await self._viewer.still_allowed():
                self._end = End.NOT_ALLOWED
        return self._end is not None

    def _note(self, name: str, behind: int) -> bytes:
        """An event that says how many positions are left, with the one from which a client without rows goes on."""
        return b"id: %d\n" % (self._position or 0) + _event(name, {"position": self._position, "behind": behind})

    def _is_quiet(self) -> bool:
        return time.monotonic() >= self._sent_at + QUIET_SECONDS or self._tail.probed_at > self._sent_at

    def _still_here(self) -> bytes:
        """A comment, and the position: rows that the filters left out need not be read again."""
        place = b"" if self._position is None or self._is_behind is None else b"id: %d\n" % self._position
        return b": still here\n" + place + b"\n"


class EventStream(Response):
    """The response that sends a stream until it ends or its client is gone; Problem if there are too many."""

    media_type = "text/event-stream"

    def __init__(self, tail: Tail, viewer: Viewer, stream: Stream) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._tail = tail
        self._viewer = viewer
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response to one request."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        async with self._tail.seat(self._viewer.session):
            await send(start)
            await _until_gone(self._send(send), receive)

    async def _send(self, send: Send) -> None:
        async for message in self._stream.messages():
            await send({"type": "http.response.body", "body": message, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _until_gone(sending: Awaitable[None], receive: Receive) -> None:
    """Await `sending`, or cancel it once the client is gone: a client that does not read would hold it for long."""
    sent = asyncio.ensure_future(sending)
    tasks = {sent, asyncio.ensure_future(_gone(receive))}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if sent.done():
            await sent
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _pieces(rows: Sequence[Row]) -> Iterator[bytes]:
    """The messages of `rows`, joined up to about `PIECE_BYTES`."""
    messages: list[bytes] = []
    size = 0
    for row in rows:
        messages.append(b"id: %d\ndata: %b\n\n" % (row.position, row.message))
        size += len(messages[-1])
        if size >= PIECE_BYTES:
            yield b"".join(messages)
            messages, size = [], 0
    if messages:
        yield b"".join(messages)


def _event(name: str, data: dict[str, object]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), encoded(data))
