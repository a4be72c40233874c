"""What hubs tried and were refused: types that wait for approval, and names that are not registered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from db import event_type_entries, event_type_traffic, hubs, rejected_submissions
from db.event_type_entries import Entry
from db.event_type_traffic import MOST_COUNTED, HubCount
from handlers.admin import stale
from handlers.admin.registry import names
from handlers.admin.visits import Visit
from handlers.paths import register_path, registry_path
from openapi import decimals
from openapi.rendering.visible_text import visible

MOST_WAITING = 5
"""Waiting types on top of the list; the others are in the list of the status `waiting`."""
MOST_HUBS = 10
"""Hubs in one row."""
_LARGE = 16_000
"""Characters: a form may have four times as many bytes, most of which are escapes of blanks and quotes."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event type that waits for approval, or whose proposal does, with the paths of its forms.

    `schema` is what would come in force, as JSON, empty if any metadata would be accepted. `rejected` submissions had
    the name meanwhile.
    """

    entry: Entry
    description: str
    version: int
    schema: str
    rejected: str
    seen: str
    path: str
    approve: str
    refuse: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A name that is not registered, and which hubs sent it how often, the last time at `last_at`."""

    name: str
    path: str
    hubs: Sequence[HubCount]
    last_at: datetime
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Name:
    """What is known of a name: its entry in the registry, if it has one, and the rejections that have it, by hub.

    `rejected` is their number in words, empty if there are none; `nearest` are the paths of similar types by name.
    """

    name: str
    entry: Entry | None
    path: str
    seen: str
    rejected: str
    hubs: Sequence[HubCount]
    other_hubs: int
    nearest: dict[str, str]


def schema_text(schema: Any, is_short: bool = False) -> str:
    """A schema as JSON for people; empty if it is None. If it `is_short`, a large one is in one line, to fit a form."""
    if schema is None:
        return ""
    text = visible(decimals.dumps(schema, ensure_ascii=False, indent=2))
    return text if not is_short or len(text) <= _LARGE else visible(decimals.dumps(schema, ensure_ascii=False))


def in_words(count: int) -> str:
    """A number of rejections, which are counted up to MOST_COUNTED; empty for 0."""
    return f"{count:,} or more" if count >= MOST_COUNTED else f"{count:,}" if count else ""


def waiting(connection: Connection) -> list[Waiting]:
    """The first types that wait for approval, and one more than MOST_WAITING if there are more."""
    entries = event_type_entries.waiting(connection, MOST_WAITING + 1)
    rejected = event_type_traffic.rejected_with(connection, [entry.name for entry in entries])
    return [_waiting(entry, rejected[entry.name]) for entry in entries]


def _waiting(entry: Entry, rejected: int) -> Waiting:
    name, proposal = entry.name, entry.proposal
    return Waiting(
        entry,
        proposal["description"] if proposal else entry.description,
        proposal["version"] if proposal else entry.version,
        schema_text(proposal["metadata_schema"] if proposal else entry.metadata_schema),
        in_words(rejected),
        stale.state_of(entry),
        registry_path(name),
        registry_path(name, "approve"),
        registry_path(name, "refuse"),
    )


def unregistered(connection: Connection) -> list[Tried]:
    """The names that hubs tried, newest first; each with the hubs that sent it."""
    rows = rejected_submissions.unregistered(connection)
    by_id = hubs.names(connection, [row.hub_id for row in rows])
    by_name: dict[str, list[rejected_submissions.Unregistered]] = {}
    for row in rows:
        by_name.setdefault(row.event_type, []).append(row)
    tried = []
    for name, group in by_name.items():
        counts = [HubCount(by_id[row.hub_id], row.count) for row in group if row.hub_id in by_id]
        counts.sort(key=lambda each: (-each.count, each.hub))
        tried.append(Tried(name, register_path(name), counts[:MOST_HUBS], group[0].last_at, len(counts) > MOST_HUBS))
    return tried


async def of_name(visit: Visit, name: str) -> Name:
    """What is known of `name`."""
    entry, by_hub = await visit.read(_of_name, name)
    nearest = [] if entry else names.nearest(visit, name)
    return Name(
        name,
        entry,
        registry_path(name),
        stale.state_of(entry) if entry else "",
        in_words(sum(each.count for each in by_hub)),
        by_hub[:MOST_HUBS],
        len(by_hub[MOST_HUBS:]),
        {near: registry_path(near) for near in nearest},
    )


def _of_name(connection: Connection, name: str) -> tuple[Entry | None, list[HubCount]]:
    return event_type_entries.get(connection, name), event_type_traffic.rejected_by_hub(connection, name)
