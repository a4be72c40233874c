"""The changes that may make a new schema for `metadata` refuse values that the old one accepted.

Both are compared like the schemas of two documents, with two differences. A hub may have sent any field that an open
object does not declare. Hubs wait for the response, so less work is done. An undecided change is also reported.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openapi import decimals
from openapi.budget import Limit
from openapi.contract import ContractError, Document
from openapi.diff.comparison.messages import Message
from openapi.diff.comparison.schema_changes import Place, change
from openapi.diff.sentences import sentence
from openapi.metadata.keywords import ANNOTATIONS
from openapi.schemas.containment import Effort
from openapi.schemas.conversion import Node
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.schemas.faults import Fault
from openapi.standards.json_pointer import pointer

EFFORT = Effort(
    searches_patterns=False,
    most_comparisons=Limit(2500),
    most_together=Limit(2500),
    most_forms=128,
    most_weighed=Limit(0),
)
"""With these limits the worst known case takes a quarter of a second, and most take a hundredth of a second."""
_NAME = "metadata"
_PLACE = Place("", "", Direction.REQUEST, lambda value, _: Message(str(value), str(value)))


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A change that may make the new schema refuse values, and its place in the new schema (RFC 6901)."""

    pointer: str
    message: str


def narrowings(old: dict[str, Any], new: dict[str, Any]) -> list[Narrowing]:
    """The changes that may make `new` refuse values that `old` accepts; empty only if it accepts all of them.

    `metadata.check` must find no fault in either.
    """
    if _written(old) == _written(new):
        return []
    engine = Engine(_document(old), _document(new), None, EFFORT, _written)
    try:
        small, big = (Node((schemas.at((_NAME,)),)) for schemas in (engine.old, engine.new))
    except ContractError as error:
        return [Narrowing("", f"{_NAME}: it cannot be shown that every accepted value is still accepted: {error}")]
    faults = engine.faults(small, big, is_undeclared_sent=True)
    return list(dict.fromkeys(_narrowing(engine, fault) for fault in faults if fault.is_break))


def _document(schema: dict[str, Any]) -> Document:
    return Document("", {_NAME: {key: value for key, value in schema.items() if key != "$schema"}})


def _narrowing(engine: Engine, fault: Fault) -> Narrowing:
    narrowed = change(engine, fault, _PLACE, is_narrowing=True)
    has_place = narrowed.is_in_new and any(schema is not False for schema in fault.steps[0].pair.big.schemas)
    place = narrowed.pointer if has_place else next(_around(engine, fault), "")
    return Narrowing(place.removeprefix(f"/{_NAME}"), _NAME + sentence(narrowed))


def _around(engine: Engine, fault: Fault) -> Iterator[str]:
    """The places in the new schema, outward, around a part that only the old one has or that `false` refuses."""
    for step in fault.steps:
        for schema in step.pair.big.schemas:
            place = engine.place(schema)
            if place and isinstance(schema, dict):
                is_named = step.form and step.name in schema.get("properties", {})
                yield pointer(*place[1], *(("properties", step.name) if is_named else ()))


def _written(schema: Any) -> str:
    """`schema` as a canonical text, independent of annotations and order."""
    return _text(_ordered(schema))


def _ordered(schema: Any) -> Any:
    """`schema` without annotations; lists without a significant order are sorted."""
    if isinstance(schema, bool):
        return schema
    ordered = {key: value for key, value in schema.items() if key not in ANNOTATIONS}
    for key in ("allOf", "anyOf"):
        if key in ordered:
            ordered[key] = sorted((_ordered(branch) for branch in ordered[key]), key=_text)
    for key in ("enum", "required", "type"):
        if isinstance(ordered.get(key), list):
            ordered[key] = sorted(ordered[key], key=_text)
    for key in ("items", "additionalProperties"):
        if key in ordered:
            ordered[key] = _ordered(ordered[key])
    if "properties" in ordered:
        ordered["properties"] = {name: _ordered(inner) for name, inner in ordered["properties"].items()}
    return ordered


def _text(value: Any) -> str:
    return decimals.dumps(value, sort_keys=True)
