"""Stored events: one by its id, or those of a hub in a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from db import event_search, hubs
from db.event_search import StoredEvent
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.pages import parameters
from handlers.pages.page_problems import PageRefusal
from handlers.pages.templates import PRIVATE
from handlers.paths import ADMIN

PATH = f"{ADMIN}/events"
ROWS = 50
_UUID = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INSTANT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
"""What the browser's field for a date and a time sends; it is taken as UTC."""
_HIGHEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Events:
    """The page: what was asked for, and the events of it; None before something was asked for."""

    hub: str
    since: str
    until: str
    events: Sequence[StoredEvent] | None
    more: str | None
    title: str = "Events"
    tab: str = PATH


@dataclass(frozen=True, slots=True)
class Event:
    """The page of one event."""

    event: StoredEvent
    title: str = "Event"
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """The search, and the page of an event."""
    return {(GET, PATH): _search, (GET, f"{PATH}/{{id}}"): _event}


async def _search(visit: Visit) -> Response:
    request = visit.request
    if identifier := parameters.text(request, "id"):
        _uuid(identifier)
        return RedirectResponse(f"{PATH}/{identifier}", 303, PRIVATE)
    name, now = parameters.text(request, "hub"), datetime.now(UTC)
    since, until = _instant(visit, "since", now - timedelta(days=1)), _instant(visit, "until", now)
    shown = Events(name, f"{since:%Y-%m-%dT%H:%M}", f"{until:%Y-%m-%dT%H:%M}", None, None)
    if not name:
        return visit.page("events.html", shown)
    hub = await visit.read(hubs.get, name)
    before = parameters.number(request, "before", _HIGHEST)
    # The field has minutes: the whole last one is meant.
    between = since, until + timedelta(minutes=1)
    found = await visit.read(event_search.of_hub, hub.id, between, before, ROWS + 1)
    events, more = found[:ROWS], None
    if len(found) > ROWS:
        query = {"hub": name, "since": shown.since, "until": shown.until, "before": events[-1].position}
        more = f"{PATH}?{urlencode(query, errors='replace')}"
    return visit.page("events.html", Events(name, shown.since, shown.until, events, more))


async def _event(visit: Visit) -> Response:
    identifier = _uuid(visit.request.path_params["id"])
    event = await visit.read(event_search.get, identifier)
    if event is None:
        raise _absent(identifier)
    return visit.page("event.html", Event(event))


def _uuid(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise parameters.UnreadableParameter("id is no UUID", "An id has 36 characters, as the API returns it.")
    return UUID(text)


def _absent(identifier: UUID) -> PageRefusal:
    return PageRefusal(
        404,
        "event_not_found",
        f"There is no event {identifier}",
        "All stored events were searched. It may have been rejected, or dropped after the days that events are kept.",
        {f"{ADMIN}/rejected/{identifier}": "Look for it among the rejected ones"},
    )


def _instant(visit: Visit, name: str, default: datetime) -> datetime:
    """The instant in the parameter `name`, in UTC."""
    text = parameters.text(visit.request, name)
    if not text:
        return default
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise parameters.UnreadableParameter(
            f"{name} is no date and time", f"Send {name} as {default:%Y-%m-%dT%H:%M}, in UTC."
        ) from None
