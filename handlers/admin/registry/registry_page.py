"""The Type Registry: what waits for approval, what hubs tried in vain, all event types, and a form for another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from db import event_type_entries, event_types, type_usage
from db.errors import Refused
from db.event_type_entries import STATUSES, Asked, Listed, Page
from db.type_usage import TypeUsage
from handlers.admin import stale
from handlers.admin.registry import names, replays, tries
from handlers.admin.registry.changes import KIND
from handlers.admin.registry.tries import Name, Tried, Waiting
from handlers.admin.roles import GET, POST
from handlers.admin.stale import SEEN, Shown
from handlers.admin.visits import Handle, Visit
from handlers.pages import name_lists, parameters
from handlers.paths import REGISTRY, registry_path
from handlers.sessions.fields import Fields
from handlers.sessions.reading import sentence

ROWS = 50
USAGE_DAYS = 7
WAITING, FRAMEWORK = "waiting", "framework"

_LABELS = {"name": "Name", "description": "Description", "why": "Why"}


@dataclass(frozen=True, slots=True)
class Row:
    """An event type in the list, with the path of its page, and how often it was sent in USAGE_DAYS."""

    entry: Listed
    path: str
    usage: TypeUsage


@dataclass(frozen=True, slots=True)
class RegistryPage:
    """The page. `asked` is what the list is limited to, and `name` is what is known of the name in the form.

    `searched_to` is the last name that was searched, if the search ended before the last name of all.
    """

    waiting: Sequence[Waiting]
    tried: Sequence[Tried]
    rows: Sequence[Row]
    asked: Mapping[str, str]
    is_first: bool
    more: str | None
    searched_to: str | None
    name: Name | None
    fields: Fields
    is_all_waiting: bool
    statuses: tuple[str, ...] = (WAITING, *STATUSES)
    labels: Mapping[str, str] = field(default_factory=lambda: _LABELS)
    days: int = USAGE_DAYS
    title: str = "Event types"
    tab: str = REGISTRY

    @property
    def is_front(self) -> bool:
        """True if the list is not limited, and begins with its first row."""
        return self.is_first and not any(self.asked.values())

    @property
    def start(self) -> str:
        """The path of the first page of the list."""
        return name_lists.path(REGISTRY, self.asked)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the database says for one page."""

    page: Page
    usage: Mapping[str, TypeUsage]
    waiting: Sequence[Waiting]
    tried: Sequence[Tried]


def pages() -> dict[tuple[str, str], Handle]:
    """The page, and the form that registers an event type."""
    return {(GET, REGISTRY): _list, (POST, REGISTRY): _register}


async def _list(visit: Visit) -> Response:
    name = names.parameter(visit.request, "event_type")
    known = await tries.of_name(visit, name) if name else None
    fields = Fields(name=name, replay="yes" if known and known.rejected else "")
    return await _page(visit, fields, known)


async def _register(visit: Visit) -> Response:
    fields = Fields(visit.form)
    name, description = fields.name("name", "the name of the event type"), fields.text("description")
    fields.text("why")
    if not fields.faults:
        try:
            await visit.change("register", _registered, name, description, visit.form.text(SEEN))
        except Refused as error:
            fields.refuse("name", sentence(error))
    if fields.faults:
        is_name = "name" not in fields.faults or (name and len(name) <= parameters.LONGEST and names.is_storable(name))
        return await _page(visit, fields, await tries.of_name(visit, name) if is_name else None, 422)
    note = f"{name} is registered. Hubs may send events of it now."
    return await replays.go_on(visit, registry_path(name), name, note)


def _registered(connection: Connection, name: str, description: str, seen: str) -> None:
    """Register a type, or make a deprecated one active that the form has shown."""
    entry = event_type_entries.get(connection, name)
    if entry and entry.status == "deprecated":
        if not seen:
            raise Refused(f"the event type {name!r} is deprecated: make it active again on its page")
        stale.require_unchanged(connection, entry, Shown(KIND, name, seen, registry_path(name)))
    event_types.register(connection, name, description or None)


async def _page(visit: Visit, fields: Fields, known: Name | None, status: int = 200) -> Response:
    request = visit.request
    asked = {
        "q": parameters.text(request, "q"),
        "status": parameters.choice(request, "status", (WAITING, *STATUSES)),
        "origin": parameters.choice(request, "origin", (FRAMEWORK,)),
        "hub": names.parameter(request, "hub"),
    }
    after = name_lists.after(request) or ""
    is_front = not any(asked.values()) and not after and known is None
    reading = await visit.read(_read, asked, after, is_front)
    rows = [Row(entry, registry_path(entry.name), reading.usage[entry.name]) for entry in reading.page.entries]
    more = reading.page.next_after
    page = RegistryPage(
        waiting=reading.waiting[: tries.MOST_WAITING],
        tried=reading.tried,
        rows=rows,
        asked=asked,
        is_first=not after,
        more=more and name_lists.path(REGISTRY, asked, more),
        searched_to=more if len(rows) < ROWS else None,
        name=known,
        fields=fields,
        is_all_waiting=len(reading.waiting) <= tries.MOST_WAITING,
    )
    return visit.page("registry.html", page, status)


def _read(connection: Connection, asked: Mapping[str, str], after: str, is_front: bool) -> _Reading:
    status = asked["status"] if asked["status"] != WAITING else ""
    limits = Asked(asked["q"], status, asked["status"] == WAITING, asked["hub"], asked["origin"] == FRAMEWORK)
    page = event_type_entries.page(connection, limits, after, ROWS)
    since = datetime.now(UTC) - timedelta(days=USAGE_DAYS)
    usage = type_usage.of_types(connection, [entry.name for entry in page.entries], since)
    if not is_front:
        return _Reading(page, usage, (), ())
    return _Reading(page, usage, tries.waiting(connection), tries.unregistered(connection))
