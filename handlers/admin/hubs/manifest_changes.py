"""What one manifest of a hub changes against another: what it adds, leaves out, and defines in another way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from db import hub_capability_manifests, hubs
from db.errors import NotFound
from openapi import decimals
from openapi.rendering.visible_text import visible
from openapi.standards.json_pointer import pointer

MOST = 100
"""Limit on what a comparison names of each kind."""
DEEPEST, LONGEST = 12, 300
"""Limits on the levels of a value that are compared by themselves, and on the characters of a value."""
ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A place in an entry, as a JSON Pointer, and its values there as JSON, None where there is none."""

    place: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes of one kind of entries: names of those that are added and left out, and differences by name.

    `others` is the number of changes beyond MOST.
    """

    added: Sequence[str]
    left_out: Sequence[str]
    changed: Mapping[str, Sequence[Difference]]
    others: int

    @property
    def is_none(self) -> bool:
        """True if nothing has changed."""
        return not (self.added or self.left_out or self.changed)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two revisions, and the changes from `before` to `after` by the kind of what is listed."""

    before: int
    after: int
    changes: dict[str, Changes]


def compare(connection: Connection, name: str, before: int, after: int) -> Comparison:
    """The changes from one revision of the hub named `name` to another; NotFound if it has no such revision."""
    old, new = (_manifest(connection, name, number) for number in (before, after))
    changes = {
        "Event types": event_types(old, new),
        "Widgets": widgets(old, new),
    }
    return Comparison(before, after, changes)


def _manifest(connection: Connection, name: str, number: int) -> dict[str, Any]:
    """A revision; that before the first one lists nothing."""
    if number == 0:
        return {"event_types": [], "widgets": []}
    row = hub_capability_manifests.revision(connection, hubs.get(connection, name).id, number)
    if row is None:
        raise NotFound(f"the hub {name!r} has no manifest of revision {number}")
    manifest: dict[str, Any] = row["manifest"]
    return manifest


def event_types(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """The changes of the event types between two manifests."""
    return _changes(_by(before["event_types"], "name"), _by(after["event_types"], "name"))


def widgets(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Likewise, of the widgets, which are named by their ids."""
    return _changes(_by(before["widgets"], "id"), _by(after["widgets"], "id"))


def _by(entries: Sequence[Mapping[str, Any]], key: str) -> dict[str, Mapping[str, Any]]:
    return {str(entry[key]): entry for entry in entries}


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    added = sorted(after.keys() - before.keys())
    left_out = sorted(before.keys() - after.keys())
    changed = {
        name: found for name in sorted(before.keys() & after.keys()) if (found := _all(before[name], after[name]))
    }
    shown = dict(list(changed.items())[:MOST])
    others = sum(max(0, len(each) - MOST) for each in (added, left_out, changed))
    return Changes(added[:MOST], left_out[:MOST], shown, others)


def _all(before: Any, after: Any) -> list[Difference]:
    """The first MOST differences of two values."""
    found = []
    for difference in _differences(before, after, ()):
        found.append(difference)
        if len(found) == MOST:
            break
    return found


def _differences(before: Any, after: Any, parts: tuple[str | int, ...]) -> Iterator[Difference]:
    if len(parts) < DEEPEST and isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _differences(before.get(name, ABSENT), after.get(name, ABSENT), (*parts, name))
    elif (old := _json(before)) != (new := _json(after)):
        yield Difference(visible(pointer(*parts)), _cut(old), _cut(new))


def _json(value: Any) -> str | None:
    return None if value is ABSENT else decimals.dumps(value, ensure_ascii=False, sort_keys=True)


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= LONGEST else f"{text[:LONGEST]}…"
