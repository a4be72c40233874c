"""The list of event types, with a search: it says which names events may carry."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from db import event_types
from db.errors import Unavailable
from db.event_types import PUBLIC, Listed, Page
from handlers.pages import name_lists, parameters
from handlers.pages.templates import HEADERS, html
from handlers.paths import EVENT_TYPES, event_type_path
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.rendering.representations import Representation, endpoint

ROWS = 50


@dataclass(frozen=True, slots=True)
class Row:
    """An event type, and the path of its page."""

    event_type: Listed
    path: str


@dataclass(frozen=True, slots=True)
class EventTypes:
    """The page. `start` is the path of the first page, `more` that of the next one, if there is one.

    `part` and `status` are what was asked for. `searched_to` is the last name that was searched, if the search ended
    before the last name of all.
    """

    rows: list[Row]
    part: str
    status: str
    statuses: tuple[str, ...]
    is_first: bool
    start: str
    more: str | None
    searched_to: str | None
    title: str = "Event types"
    tab: str = EVENT_TYPES


def routes() -> list[Route]:
    """The page."""
    return [Route(EVENT_TYPES, endpoint(_list, HEADERS))]


async def _list(request: Request) -> Representation:
    part, status = parameters.text(request, "q"), parameters.choice(request, "status", PUBLIC)
    after, statuses = name_lists.after(request) or "", (status,) if status else PUBLIC
    try:
        page = await service_state(request).database.run(event_types.page, statuses, part, after, ROWS)
    except Unavailable as error:
        raise Problem("unavailable", reason=str(error)) from None
    return html("event_types.html", _page(page, part, status, after))


def _page(page: Page, part: str, status: str, after: str) -> EventTypes:
    rows = [Row(entry, event_type_path(entry.name)) for entry in page.entries]
    asked, more = {"q": part, "status": status}, page.next_after
    return EventTypes(
        rows,
        part,
        status,
        PUBLIC,
        is_first=not after,
        start=name_lists.path(EVENT_TYPES, asked),
        more=more and name_lists.path(EVENT_TYPES, asked, more),
        searched_to=more if len(rows) < ROWS else None,
    )
