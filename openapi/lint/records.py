"""What a submission accepts, its record can say: otherwise the service answers what its own contract forbids."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openapi import decimals
from openapi.contract import Contract, Operation, essence, is_json, schema_key
from openapi.lint import walk
from openapi.lint.walk import Parts
from openapi.schemas.conversion import Node, Schema
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.serving.operations import OperationTable
from openapi.standards.json_pointer import pointer
from openapi.standards.media_types import NDJSON

LONGEST = 60
"""Limit on the characters of a value in a sentence."""
_PRESENT: Schema = {"type": ["array", "boolean", "number", "object", "string"]}
"""Null in a submission means that the field is absent, and a record leaves out what is absent."""
_TIME: Schema = {"maxLength": len("2026-03-31T12:00:00.250000Z")}
"""A record has a time in UTC with microseconds, however long it was in the submission."""


@dataclass(frozen=True, slots=True)
class Unsayable:
    """A `value` that a submission accepts as the field `name`, and its record forbids; with the place of each."""

    name: str
    value: Any
    accepted: Parts
    forbidden: Parts

    @property
    def shown(self) -> str:
        """The value as JSON; if that is long, its beginning."""
        text = decimals.dumps(self.value, ensure_ascii=False)
        if len(text) <= LONGEST:
            return text
        size = f" ({len(self.value):,} characters)" if isinstance(self.value, str) else ""
        return f"{text[:LONGEST]}\u2026{size}"

    def __str__(self) -> str:
        """The fault if both places are in one document."""
        return (
            f"a submission accepts {self.shown} as {self.name}, and its record cannot say that: "
            f"{pointer(*self.forbidden)} forbids it"
        )


def unsayable(submitting: Contract, answering: Contract, operations: OperationTable) -> Iterator[Unsayable]:
    """One for each field that `submitting` accepts with values that the records of `answering` forbid.

    Only fields with a proof: a comparison that stays undecided is no fault.
    """
    engine = Engine(submitting, answering, Direction.REQUEST)
    pairs = [
        (name, accepted[0], forbidden[-1], _accepted(engine, submitting, accepted), _node(engine, forbidden))
        for name, accepted, forbidden in _fields(submitting, answering, operations)
    ]
    for name, accepted, forbidden, small, big in pairs:  # the engine compares after it has converted every schema
        faults = [fault for fault in engine.faults(small, big) if fault.is_break]
        values = next(filter(None, map(engine.witnesses, faults)), None)
        if values:
            yield Unsayable(name, values[0], accepted, forbidden)


def record_places(answering: Contract, operations: OperationTable, submission: str) -> list[Parts]:
    """The places of the schemas of JSON records with which `answering` answers what `submission` stored, each once.

    Empty if it has no operation that answers them.
    """
    readings = operations.readings.get(submission, ())
    return list(dict.fromkeys(_bodies(answering, operations, readings, ("responses", "200"), _is_of_values)))


def _fields(
    submitting: Contract, answering: Contract, operations: OperationTable
) -> Iterator[tuple[str, list[Parts], list[Parts]]]:
    """Each field of a submission with the places of its schemas there and in the record, once."""
    seen = set[tuple[Parts, Parts]]()
    for submission, readings in operations.readings.items():
        for body in _bodies(submitting, operations, (submission,), ("requestBody",)):
            for record in _bodies(answering, operations, readings, ("responses", "200")):
                if (body, record) not in seen:
                    seen.add((body, record))
                    yield from _shared(submitting, body, answering, record)


def _shared(
    submitting: Contract, body: Parts, answering: Contract, record: Parts
) -> Iterator[tuple[str, list[Parts], list[Parts]]]:
    accepted: dict[str, list[Parts]] = {}
    for parts in _joined(submitting, body):
        for name in submitting.at(parts).get("properties", {}):
            accepted.setdefault(name, []).append((*parts, "properties", name))
    for name, places in accepted.items():
        marked = {key for parts in places for key in ("readOnly", "writeOnly") if submitting.at(parts).get(key) is True}
        in_record = [place for parts in _joined(answering, record) for place in _of(answering, parts, name)]
        if in_record and not marked:
            yield name, places, in_record


def _of(contract: Contract, parts: Parts, name: str) -> list[Parts]:
    """The place of what the object schema at `parts` says about its property `name`, if it says anything."""
    schema = contract.at(parts)
    if name in schema.get("properties", {}):
        return [(*parts, "properties", name)]
    return [(*parts, "additionalProperties")] if "additionalProperties" in schema else []


def _bodies(
    contract: Contract,
    operations: OperationTable,
    names: tuple[str, ...],
    where: Parts,
    is_taken: Callable[[str], bool] = lambda _: True,
) -> Iterator[Parts]:
    """The places of the schemas of one item in the bodies at `where` in the operations with these current `names`.

    Only bodies of media types that are taken.
    """
    for operation in contract.operations:
        if operations.name(operation.operation_id) in names and _has(contract, operation, where):
            content = contract.at((*operation.pointer, *where)).get("content", {})
            for media_type, declared in content.items():
                key = schema_key(media_type, declared)
                if key in declared and is_taken(media_type):
                    yield _item(contract, (*operation.pointer, *where, "content", media_type, key))


def _is_of_values(media_type: str) -> bool:
    return is_json(media_type) or essence(media_type) == NDJSON


def _has(contract: Contract, operation: Operation, where: Parts) -> bool:
    node = contract.at(operation.pointer)
    for part in where:
        node = contract.resolve(node.get(part, {}))
    return bool(node)


def _item(contract: Contract, parts: Parts) -> Parts:
    """The place of the schema of one item, if the schema at `parts` is that of an array, or of a page of a list."""
    schema = contract.at(parts)
    if schema.get("type") == "array" and "items" in schema:
        return walk.place(contract, (*parts, "items"))
    listed = contract.resolve(schema.get("properties", {}).get("items", {}))
    if listed.get("type") == "array" and "items" in listed:
        return walk.place(contract, (*parts, "properties", "items", "items"))
    return walk.place(contract, parts)


def _joined(contract: Contract, parts: Parts) -> Iterator[Parts]:
    """The places of the schema at `parts`, and of those that its `allOf` joins to it."""
    yield parts
    for index in range(len(contract.at(parts).get("allOf", ()))):
        yield from _joined(contract, walk.place(contract, (*parts, "allOf", str(index))))


def _accepted(engine: Engine, contract: Contract, places: list[Parts]) -> Node:
    """The values of a field as a record repeats them."""
    is_time = any(
        contract.at(joined).get("format") == "date-time" for parts in places for joined in _joined(contract, parts)
    )
    converted = tuple(engine.old.at(parts) for parts in places)
    return Node((*converted, _PRESENT, *([_TIME] if is_time else [])))


def _node(engine: Engine, places: list[Parts]) -> Node:
    return Node(tuple(engine.new.at(parts) for parts in places))
