"""The changes of a schema and its marks, derived from containment faults in both directions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from openapi.diff.comparison.changes import Change, Witness
from openapi.diff.comparison.joined_changes import joined
from openapi.diff.comparison.messages import Carriage, Message
from openapi.diff.wire.abridged import Paths, Step
from openapi.schemas.conversion import MARKS, Node, Parts, Schema, Schemas, name_of, published
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.schemas.faults import ITEM, OTHER, UNDECIDED, Fault, index_of
from openapi.standards.json_pointer import pointer

_NAMES = {
    ("properties", True): "property-removed",
    ("properties", False): "property-added",
    ("required", True): "property-required",
    ("required", False): "property-optional",
}
_TEXT: Schema = {"type": "string"}
_NULL: Schema = {"type": "null"}
_DEEPEST = 5
"""Limit on the nested alternatives that are searched for one without a type."""
_OF_TEXTS = frozenset((*MARKS, "minLength", "maxLength", "pattern", "format"))
"""Keywords that limit texts alone, or nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a schema: its name for people, its operation, and a function that builds a message with a value.

    The function also takes the paths within the value that people want to see.
    """

    subject: str
    operation: str
    direction: Direction
    message: Callable[[Any, Paths], Message]
    is_text: bool = False
    carriage: Callable[[Any], Carriage] = lambda _: Carriage.CLEAR
    is_required: bool = False
    """True if the old document requires a value there."""
    is_form: bool = False
    """True if it is a form, whose fields are texts; those `encoded` have media types of their own."""
    encoded: frozenset[str] = frozenset()

    def carries(self, worst: Carriage) -> Callable[[Any], bool]:
        """A function that returns True if a message can carry a value as well as `worst`, or better."""
        return lambda value: self.carriage(value) <= worst


def compare(engine: Engine, old: Parts | None, new: Parts | None, place: Place) -> Iterator[Change]:
    """The changes from the schema at `old` to the schema at `new`; None is a schema that accepts anything."""
    before, after = engine.old.at(old) if old else True, engine.new.at(new) if new else True
    sent, taken = (_as_sent(schemas, schema, place) for schemas, schema in ((engine.old, before), (engine.new, after)))
    narrowed = _changes(engine, sent, Node((after,)), place, True)
    widened = _changes(engine, taken, Node((before,)), place, False)
    yield from joined([*narrowed, *widened])


def _as_sent(schemas: Schemas, schema: Schema, place: Place) -> Node:
    """The values of `schema` that a message has at `place`: without a type they are texts in a text, and in a form."""
    if place.is_text and _is_untyped(schemas, schema):
        return Node((schema, _TEXT))
    if place.is_form and isinstance(target := _target(schemas, schema), dict):
        properties = target.get("properties", {})
        names = [name for name in properties if name not in place.encoded and _is_untyped(schemas, properties[name])]
        if names:
            return Node((schema, {"properties": dict.fromkeys(names, _TEXT)}))
    return Node((schema,))


def _is_untyped(schemas: Schemas, schema: Schema, depth: int = 0) -> bool:
    """True if `schema` allows values of all types, or all but null, and limits only texts."""
    target = _target(schemas, schema)
    if not isinstance(target, dict):
        return target

    def untyped(keyword: str) -> list[bool]:
        return [_is_untyped(schemas, inner, depth + 1) for inner in target.get(keyword, ()) if inner != _NULL]

    if depth > _DEEPEST or not target.keys() <= {*_OF_TEXTS, "allOf", "anyOf", "oneOf"}:
        return False
    return all(untyped("allOf")) and any(untyped("anyOf") or [True]) and untyped("oneOf") in ([], [True])


def _target(schemas: Schemas, schema: Schema) -> Schema:
    """What `schema` leads to."""
    seen = set[str]()
    while isinstance(schema, dict) and schema.keys() == {"$ref"} and schema["$ref"] not in seen:
        seen.add(schema["$ref"])
        schema = schemas.targets.get(schema["$ref"], schema)
    return schema


def _changes(engine: Engine, small: Node, big: Node, place: Place, is_narrowing: bool) -> Iterator[Change]:
    """The changes by which `big` refuses what `small` accepts: the old schema and the new one, or the other way."""
    for fault in engine.faults(small, big, place.is_text):
        if fault.keyword not in MARKS:
            yield change(engine, fault, place, is_narrowing)
        elif is_narrowing and fault.keyword == "discriminator":
            yield from _discriminator(engine, fault, place)
        elif is_narrowing:
            yield _mark(engine, fault, place, *_judged_mark(fault, place))


def change(engine: Engine, fault: Fault, place: Place, is_narrowing: bool) -> Change:
    """The change of accepted values that `fault` shows."""
    is_break = fault.is_break and is_narrowing == (place.direction is Direction.REQUEST)

    def find_witness() -> Witness | None:
        for worst in (Carriage.AMBIGUOUS, Carriage.IN_WORDS):
            values = engine.witnesses(fault, place.is_text, place.carries(worst))
            if values:
                value = min(values, key=place.carriage)
                message = place.message(value, [_steps(part) for part in fault.in_parts()])
                return Witness(value, message.whole, message.short, message.curl)
        return None

    effect = "narrowed" if is_narrowing else "widened"
    kind = _NAMES.get((fault.keyword, is_narrowing), f"{fault.keyword}-{effect}")
    old, new = (fault.in_small, fault.in_big) if is_narrowing else (fault.in_big, fault.in_small)
    return replace(
        _mark(engine, fault, place, kind, is_break),
        old=published(old),
        new=published(new),
        find_witness=find_witness if is_break else None,
        is_of_schema=True,
        is_cut=fault.is_cut,
    )


def _mark(engine: Engine, fault: Fault, place: Place, kind: str, is_break: bool) -> Change:
    """The change at the place of `fault`, such as that of a mark; `kind` is the end of its rule."""
    is_new, where = _where(engine, fault)
    return Change(
        rule=f"{place.direction}-{kind}",
        pointer=where,
        is_in_new=is_new,
        direction=place.direction,
        operations=(place.operation,),
        subject=_subject(place, fault),
        old=published(fault.in_small),
        new=published(fault.in_big),
        is_break=is_break,
    )


def _judged_mark(fault: Fault, place: Place) -> tuple[str, bool]:
    """The end of the rule for the change of a mark, and True if it is a break.

    A default has no meaning for a client that always sends a value, and changes none if there was no default.
    """
    if fault.keyword != "default":
        return f"{fault.keyword}-changed", False
    if fault.is_always_sent or (place.is_required and not fault.path):
        return "required-default-changed", False
    if not fault.in_small:
        return "default-added", False
    return "default-changed" if fault.in_big else "default-removed", place.direction is Direction.REQUEST


def _discriminator(engine: Engine, fault: Fault, place: Place) -> Iterator[Change]:
    """The changes of the values that distinguish alternatives, which no keyword of JSON Schema demands."""

    def changed(kind: str, old: Any, new: Any, is_break: bool = False) -> Change:
        shown = replace(fault, in_small=old, in_big=new)
        return _mark(engine, shown, place, f"discriminator-{kind}", is_break)

    if fault.in_small is None or fault.in_big is None:
        kind = "added" if fault.in_small is None else "removed"
        before, after = (side and side["propertyName"] for side in (fault.in_small, fault.in_big))
        yield changed(kind, before, after)
        return
    names = fault.in_small["propertyName"], fault.in_big["propertyName"]
    if names[0] != names[1]:
        yield changed("property-changed", *names, is_break=True)
    is_request = place.direction is Direction.REQUEST
    old, new = fault.in_small["mapping"], fault.in_big["mapping"]
    if removed := sorted(old.keys() - new.keys()):
        yield changed("values-removed", removed, None, is_request)
    if added := sorted(new.keys() - old.keys()):
        yield changed("values-added", None, added, not is_request)
    moved = [value for value in sorted(old.keys() & new.keys()) if _is_moved(engine, old[value], new[value])]
    if moved:
        before, after = ({value: name_of(side[value]) for value in moved} for side in (old, new))
        yield changed("mapping-changed", before, after, is_break=True)


def _is_moved(engine: Engine, old: Schema, new: Schema) -> bool:
    """True if a value of a discriminator leads to a component with another name, and other content."""
    before, after = Node((old,)), Node((new,))
    return name_of(old) != name_of(new) and any(
        fault.keyword not in MARKS for fault in (*engine.faults(before, after), *engine.faults(after, before))
    )


def _where(engine: Engine, fault: Fault) -> tuple[bool, str]:
    """True if a fault is in the new document, and its JSON Pointer: its keyword if present, else its schema."""
    owner = _owner(engine, fault)
    owner_place = engine.place(owner)
    if owner_place is None:
        return True, ""
    is_new, parts = owner_place
    named = ("enum", "const") if fault.keyword == "enum" else (fault.keyword,)
    if fault.keyword == UNDECIDED and isinstance(fault.in_big, str):
        named = (fault.in_big,)
    keyword = next((name for name in named if isinstance(owner, dict) and name in owner), None)
    return is_new, pointer(*parts, keyword) if keyword else pointer(*parts)


def _steps(fault: Fault) -> list[Step]:
    """The names and indexes from a value to `fault`; a proof has an undeclared property as its last one."""
    steps: list[Step] = []
    for step in fault.path:
        index = index_of(step)
        steps.append(0 if step == ITEM else index if index is not None else "other" if step == OTHER else step)
    return [*steps, fault.in_small] if fault.keyword == "properties" else steps


def _owner(engine: Engine, fault: Fault) -> Any:
    """The schema to blame for `fault`: its owner, unless that is in a component that both documents have the same.

    Then it is the innermost schema around the fault that is in no such component, if there is one; of the two that
    are compared there, rather the one in the other document.
    """
    place = engine.place(fault.owner)
    if place is None or not engine.is_shared(place[1]):
        return fault.owner
    for step in fault.steps:
        around = [
            (inner[0] == place[0], schema)
            for schema in (*step.pair.small.schemas, *step.pair.big.schemas)
            if (inner := engine.place(schema)) and not engine.is_shared(inner[1])
        ]
        if around:
            return min(around, key=lambda side: side[0])[1]
    return fault.owner


def _subject(place: Place, fault: Fault) -> str:
    steps = [step if step == ITEM or index_of(step) is not None else f"/{step}" for step in fault.path]
    if fault.keyword == "properties":
        steps.append(f"/{fault.in_small}")
    if fault.keyword == "required":
        steps.append(f"/{fault.in_big}")
    return (place.subject + " " + "".join(steps)).strip()
