"""The list of hubs: who is there, who is quiet, and who fails. Owners create hubs here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from db import event_type_entries, hub_list, hubs, submission_usage, widget_list
from db.errors import Refused
from db.hub_list import STATES, Listed, State
from handlers.admin.hubs import states
from handlers.admin.hubs.form_pages import WHY, SecretPage, checked, show_once
from handlers.admin.hubs.paths import HUBS
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.pages import name_lists, parameters
from handlers.paths import REGISTRY, WIDGETS, hub_path
from handlers.sessions.fields import Fields
from handlers.sessions.reading import sentence

ROWS = 25
_READY = "The hub may report now."
HOURS = timedelta(hours=6)
"""A day would be too many blocks of the disk for one page."""


@dataclass(frozen=True, slots=True)
class Row:
    """A hub, its path, its state in words, and how many items were stored and rejected in the last 6 hours."""

    hub: Listed
    path: str
    state: str
    stored: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Hubs:
    """The page. `start` is the path of the first page, `more` that of the next one, None after the last one.

    `searched_to` is the last name that was searched, if the search ended before the last name of all.
    """

    rows: Sequence[Row]
    part: str
    state: str
    is_first: bool
    start: str
    more: str | None
    searched_to: str | None
    fields: Fields
    states: tuple[str, ...] = STATES
    labels: Mapping[str, str] = field(default_factory=lambda: {"name": "Name", WHY: "Why"})
    title: str = "Hubs"
    tab: str = HUBS


def pages() -> dict[tuple[str, str], Handle]:
    """The page and its form."""
    return {(GET, HUBS): _list, (POST, HUBS): _create}


async def _list(visit: Visit) -> Response:
    request = visit.request
    part, state = parameters.text(request, "q"), parameters.choice(request, "state", STATES)
    return await _page(
        visit, Fields(), part, next((each for each in STATES if each == state), None), name_lists.after(request)
    )


async def _create(visit: Visit) -> Response:
    fields = checked(visit)
    name = fields.name("name", "a name")
    if not fields.faults:
        try:
            _, key = await visit.change("create", hubs.create, name)
        except Refused as error:
            fields.refuse("name", sentence(error))
        else:
            missing = await visit.read(_missing)
            notes = ["Its events are refused until there is something to report about."] if missing else [_READY]
            links = {**missing, hub_path(name): "Its page is the place to rotate the key."}
            return show_once(visit, SecretPage("The new hub", name, {"API key": key}, notes, links))
    return await _page(visit, fields, "", None, None)


def _missing(connection: Connection) -> dict[str, str]:
    """What events need and nobody has registered, by the path where it is registered."""
    needs = {
        WIDGETS: ("No widget is active: register one.", widget_list.has_active),
        REGISTRY: ("No event type is active: register one.", event_type_entries.has_active),
    }
    return {path: sentence for path, (sentence, is_there) in needs.items() if not is_there(connection)}


async def _page(visit: Visit, fields: Fields, part: str, state: State | None, after: str | None) -> Response:
    now = datetime.now(UTC)
    page, outcomes = await visit.read(_read, state, part, after, now)
    rows = [_row(hub, outcomes[hub.id], now) for hub in page.hubs]
    asked, more = {"q": part, "state": state or ""}, page.next_after
    shown = Hubs(
        rows,
        part,
        state or "",
        after is None,
        name_lists.path(HUBS, asked),
        None if more is None else name_lists.path(HUBS, asked, more),
        more if len(rows) < ROWS else None,
        fields,
    )
    return visit.page("hubs.html", shown, 422 if fields.faults else 200)


def _read(
    connection: Connection, state: State | None, part: str, after: str | None, now: datetime
) -> tuple[hub_list.Page, Mapping[UUID, Counter[str]]]:
    page = hub_list.page(connection, state, part, after, ROWS)
    return page, submission_usage.outcomes(connection, [hub.id for hub in page.hubs], now - HOURS)


def _row(hub: Listed, outcomes: Counter[str], now: datetime) -> Row:
    state = states.word(hub.disabled_at, hub.cut_over_at, hub.last_seen_at, now)
    return Row(hub, hub_path(hub.name), state, outcomes["created"] + outcomes["duplicate"], outcomes["rejected"])
