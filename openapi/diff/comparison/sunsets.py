"""Deprecations with a sunset: operations, parameters and properties with `deprecated: true` and `x-sunset`.

`x-sunset` is a date such as 2026-10-01, or a timestamp (RFC 3339).
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from openapi.contract import METHODS, ContractError, Document
from openapi.diff.comparison.changes import Change, Deprecation
from openapi.diff.comparison.operations import blank, operations
from openapi.diff.comparison.text_changes import OF_NAMES, VALUES
from openapi.schemas.conversion import Parts
from openapi.standards import date_times
from openapi.standards.json_pointer import pointer, split

SUNSET = "x-sunset"
REMOVALS = frozenset(
    {"operation-removed", "parameter-removed", "request-property-removed", "response-property-removed"}
)
"""Rules of changes that may be announced."""
_NO_SCHEMAS = frozenset({"example", "examples", "const", *VALUES})
_Places = dict[Parts, tuple[Parts, Mapping[str, Any]]]


def deprecation(raw: Any) -> Deprecation | None:
    """What the operation, parameter or schema `raw` announces; None unless it is deprecated."""
    if not isinstance(raw, dict) or raw.get("deprecated") is not True:
        return None
    return Deprecation(raw.get(SUNSET), day_of(raw.get(SUNSET)))


def with_deprecations(changes: Iterable[Change], old: Document) -> Iterator[Change]:
    """`changes`, those of REMOVALS with what the old document announced."""
    for change in changes:
        if change.rule in REMOVALS and not change.is_in_new:
            try:
                yield replace(change, deprecation=deprecation(old.at(split(change.pointer))))
                continue
            except (ContractError, LookupError, TypeError, ValueError):
                pass
        yield change


def compare(old: Document, new: Document) -> Iterator[Change]:
    """The changes of sunsets, for what is in both documents at the same place. Each component has its own."""
    before, after = _places(old), _places(new)
    for key, (parts, raw) in after.items():
        was = before.get(key, (parts, {}))[1]
        if was.get(SUNSET) != raw.get(SUNSET):
            yield _change(new, parts, was, raw)


def _change(new: Document, parts: Parts, was: Mapping[str, Any], raw: Mapping[str, Any]) -> Change:
    """The change at `parts` from the sunset of `was` to that of `raw`."""
    announced, now = deprecation(was), deprecation(raw)
    rule = "sunset-changed"
    if announced and announced.day and now and (now.day is None or now.day < announced.day):
        rule = "sunset-earlier"
    elif raw.get(SUNSET) is not None and day_of(raw[SUNSET]) is None:
        rule = "sunset-invalid"
    where = pointer(*parts, SUNSET) if SUNSET in raw else pointer(*parts)
    names = tuple(_operations(new, parts))
    subject = names[0] if len(parts) == len(("paths", "path", "method")) and names else _subject(parts, raw)
    return Change(rule, where, True, None, names, subject, was.get(SUNSET), raw.get(SUNSET))


def day_of(written: Any) -> date | None:
    """The first day in UTC that is all after the sunset `written`; None if it is none."""
    if not isinstance(written, str):
        return None
    try:
        instant = date_times.parse(written if "T" in written.upper() else f"{written}T00:00:00Z")
        is_midnight = instant.time().isoformat() == "00:00:00"
        return instant.date() + timedelta(days=not is_midnight)
    except (ValueError, OverflowError):
        return None


def _places(document: Document) -> _Places:
    """What has a sunset or is deprecated: its place and value, by its place in the words of both documents."""
    places: _Places = {}
    seen: set[int] = set()
    waiting: list[tuple[Any, Parts, Parts, bool]] = [(document.document, (), (), False)]
    while waiting:
        node, parts, key, is_names = waiting.pop()
        if not isinstance(node, dict | list) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            for index, item in enumerate(node):
                waiting.append((item, (*parts, str(index)), (*key, _name_in_list(item, index)), False))
            continue
        if not is_names and (SUNSET in node or "deprecated" in node):
            places[key] = parts, node
        for name, value in node.items():
            if is_names or not (name in _NO_SCHEMAS or name.startswith("x-")):
                own = blank(name) if parts == ("paths",) else name
                are_names = not is_names and (name in OF_NAMES or parts == ("components",))
                waiting.append((value, (*parts, name), (*key, own), are_names))
    return places


def _name_in_list(item: Any, index: int) -> str:
    """The name of a parameter among others, or else the index."""
    if isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("in"), str):
        return f"{item['in']} {item['name']}"
    return str(index)


def _operations(document: Document, parts: Parts) -> Iterator[str]:
    """The names of the operations at or around `parts`; none for a component."""
    if parts[:1] == ("paths",):
        depth = 3 if len(parts) > 2 and parts[2] in METHODS else 2
        yield from (operation.name for operation in operations(document) if operation.parts[:depth] == parts[:depth])


def _subject(parts: Parts, raw: Mapping[str, Any]) -> str:
    """The place for people: a parameter, or a property."""
    if isinstance(raw.get("in"), str):
        return f"{raw['in']} parameter {raw.get('name')}"
    names = [name for before, name in itertools.pairwise(parts) if before == "properties"]
    component = parts[2] if parts[:2] == ("components", "schemas") and len(parts) > 2 else ""
    if not names:
        return f"schema {component}" if component else "/".join(parts)
    return f"property {'/'.join(names)}" + (f" of {component}" if component else "")
