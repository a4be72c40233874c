"""The page of the live tail and its stream. Without a script the page has the newest rows, and a link to newer ones."""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.errors import Unavailable, UnknownPosition
from db.tail import LAST_POSITION, SPAN, Filters
from handlers.live.filters import OUTCOMES, filters, query_of
from handlers.live.stream import EventStream, Stream, Viewer
from handlers.live.tail import Row, Tail
from handlers.pages import parameters
from handlers.paths import ADMIN
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.serving.request_state import request_state
from openapi.standards import date_times

LIVE = f"{ADMIN}/live"
STREAM = f"{LIVE}/stream"
ROWS = 100
MOST_PAGES = 3
"""Limit on the pages that are searched for the rows of one page."""
_POSITION = re.compile("[0-9]{1,19}")

Admit = Callable[[Request], Awaitable[Viewer]]
"""The viewer of a request; Problem unless it may see what all hubs submit."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row on the page, as the stream has it; `received_at` is also an instant."""

    row: dict[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Live:
    """The page: rows, the newest first. The stream goes on after position `after`; `newer` is the path of later rows.

    `searched` is the number of rows that the search ended after; None if it did not end early.
    """

    rows: Sequence[Shown]
    filters: Filters
    outcomes: Sequence[str]
    after: int
    stream: str
    newer: str
    start: str
    is_newest: bool
    searched: int | None
    title: str = "Live"
    tab: str = LIVE


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a page, the newest first, the position up to which it is complete, and what was searched."""

    rows: Sequence[Row]
    last: int
    searched: int | None


async def show(request: Request) -> Live:
    """The page that a request asks for; Problem if the database is away, or the query cannot be read."""
    asked, after = filters(request), _position(parameters.text(request, "after"))
    tail = service_state(request).tail
    try:
        found = await (_newest(tail, asked) if after is None else _after(tail, asked, after))
    except Unavailable as error:
        raise Problem("unavailable", reason=str(error)) from None
    except UnknownPosition:
        raise _unknown_position() from None
    return _live(found, asked, is_newest=after is None)


def stream_route(admit: Admit) -> Route:
    """The stream, for viewers that `admit` returns."""
    return Route(STREAM, _stream(admit), methods=["GET"])


def _stream(admit: Admit) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        """The stream, after the last position that the client has seen, if it says so."""
        request_state(request.scope).headers = [(b"cache-control", b"no-store")]
        viewer = await admit(request)
        tail = service_state(request).tail
        # The header counts: a client that connects again sends the query of the first time, and then the header.
        position = _position(request.headers.get("last-event-id") or parameters.text(request, "after"))
        return EventStream(tail, viewer, Stream(tail, filters(request), viewer, position))

    return endpoint


def _position(text: str) -> int | None:
    """A position; None for an empty text. UnreadableParameter if it is none."""
    if not text:
        return None
    if not _POSITION.fullmatch(text) or int(text) > LAST_POSITION:
        raise _unknown_position()
    return int(text)


def _unknown_position() -> Problem:
    return parameters.UnreadableParameter(
        "after is no position of this database", "Leave it out, to begin with what is newest."
    )


async def _newest(tail: Tail, asked: Filters) -> Found:
    rows: list[Row] = []
    last, until = None, LAST_POSITION
    for _ in range(MOST_PAGES):
        page = await tail.newest(until, ROWS - len(rows), asked)
        last = page.last if last is None else last
        rows += page.rows
        until = page.after
        if len(rows) == ROWS or not until:
            return Found(rows, last, None)
    return Found(rows, last or 0, MOST_PAGES * SPAN)


async def _after(tail: Tail, asked: Filters, after: int) -> Found:
    rows: list[Row] = []
    for _ in range(MOST_PAGES):
        page = await tail.page(after, ROWS - len(rows), asked)
        rows += page.rows
        after = page.last
        if len(rows) == ROWS or not page.behind:
            return Found(rows[::-1], after, None)
    return Found(rows[::-1], after, MOST_PAGES * SPAN)


def _live(found: Found, asked: Filters, *, is_newest: bool) -> Live:
    shown = [json.loads(row.message) for row in found.rows]
    return Live(
        [Shown(row, date_times.parse(row["received_at"])) for row in shown],
        asked,
        OUTCOMES,
        found.last,
        _path(STREAM, asked),
        _path(LIVE, asked, after=found.last),
        _path(LIVE, asked),
        is_newest,
        found.searched,
    )


def _path(path: str, asked: Filters, **more: int) -> str:
    query = "&".join(part for part in (urlencode(more), query_of(asked)) if part)
    return f"{path}?{query}" if query else path
