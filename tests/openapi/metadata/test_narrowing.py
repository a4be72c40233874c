"""Narrowing: a schema without narrowings accepts all that the old one did, and each narrowing is reported."""

import copy
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi.metadata import narrowing
from openapi.metadata.check import check, validator
from openapi.metadata.keywords import URI
from openapi.metadata.narrowing import narrowings
from openapi.schemas.conversion import Node
from openapi.schemas.validators import Validators

NAMES = ["a", "b"]
VALUES = st.recursive(
    st.sampled_from([None, False, True, 0, 1, 1.0, 2, 3, 6, -1, 0.5, "", "a", "ab", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "c"]), inner, max_size=3),
    max_leaves=4,
)
COUNTS = st.integers(0, 3)
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.lists(
        st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"]),
        min_size=1,
        max_size=3,
        unique=True,
    ),
    **dict.fromkeys(["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"], COUNTS),
    **dict.fromkeys(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"], st.sampled_from([-1, 0, 0.5, 2])),
    "multipleOf": st.sampled_from([0.5, 1, 2, 3]),
    "pattern": st.sampled_from(["a", "^b"]),
    "uniqueItems": st.booleans(),
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "required": st.lists(st.sampled_from(NAMES), unique=True),
}


def extended(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas with few keywords; some keywords take schemas of `inner`."""
    keywords = {
        **KEYWORDS,
        "items": inner,
        "additionalProperties": inner,
        "properties": st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=2),
        "allOf": st.lists(inner, min_size=1, max_size=2),
    }
    chosen = st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: keywords[key] for key in keys}))


SCHEMAS = st.recursive(st.booleans() | extended(st.booleans()), extended, max_leaves=4).filter(
    lambda schema: isinstance(schema, dict)
)
INSTANCES = st.lists(VALUES, min_size=20, max_size=20)


def mutated(schema: Any, dice: random.Random) -> Any:
    """`schema` with one keyword, at any depth, removed or changed."""
    if not isinstance(schema, dict) or not schema:
        return dice.choice([True, False, {"type": ["string"]}])
    key = dice.choice(sorted(schema))
    changed = copy.deepcopy(schema)
    match changed[key]:
        case dict() as inner if key == "properties" and inner:
            name = dice.choice(sorted(inner))
            inner[name] = mutated(inner[name], dice)
        case [*branches] if key in ("anyOf", "allOf"):
            index = dice.randrange(len(branches))
            changed[key][index] = mutated(branches[index], dice)
        case dict() as inner if key in ("items", "additionalProperties") and dice.random() < 0.7:
            changed[key] = mutated(inner, dice)
        case int() | float() as number if not isinstance(number, bool) and key not in ("const", "multipleOf"):
            changed[key] = max(0, number + dice.choice([-1, 1]))
        case list() as members if len(members) > 1 and dice.random() < 0.7:
            changed[key] = members[1:]
        case _:
            del changed[key]
    return changed


def shuffled(schema: Any, dice: random.Random) -> Any:
    """`schema` with its keys in another order, and its lists too where their order says nothing."""
    if not isinstance(schema, dict):
        return schema
    items = list(schema.items())
    dice.shuffle(items)
    changed: dict[str, Any] = {"description": "Something else."}
    for key, value in items:
        match value:
            case list() if key in ("anyOf", "allOf"):
                changed[key] = dice.sample([shuffled(branch, dice) for branch in value], len(value))
            case list() if key in ("enum", "required", "type"):
                changed[key] = dice.sample(value, len(value))
            case dict() if key == "properties":
                changed[key] = {name: shuffled(inner, dice) for name, inner in reversed(value.items())}
            case dict() if key in ("items", "additionalProperties"):
                changed[key] = shuffled(value, dice)
            case _:
                changed[key] = value
    return changed


WIDER = {"minLength": -1, "minItems": -1, "minProperties": -1, "maxLength": 1, "maxItems": 1, "maxProperties": 1}


def fields(**properties: Any) -> dict[str, Any]:
    """The schema of an object with `properties`."""
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("small", "big"),
    [
        pytest.param({"type": "integer"}, {"type": "number"}, id="integers are numbers"),
        pytest.param({"type": "integer"}, {"type": ["string", "integer"]}, id="a type more"),
        pytest.param({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 6}, id="a longer text"),
        pytest.param({"type": "string", "minLength": 2}, {"type": "string"}, id="no least length"),
        pytest.param({"type": "string", "pattern": "a"}, {"type": "string"}, id="no pattern"),
        pytest.param({"type": "string", "format": "uuid"}, {"type": "string"}, id="no format"),
        pytest.param({"enum": ["a"]}, {"enum": ["b", "a"]}, id="a value more"),
        pytest.param({"const": "ab"}, {"type": "string", "pattern": "^a", "maxLength": 2}, id="a value that satisfies"),
        pytest.param({"type": "boolean"}, {"enum": [True, False, None]}, id="both truth values"),
        pytest.param(
            {"type": "number", "exclusiveMinimum": 0}, {"type": "number", "minimum": 0}, id="the bound itself"
        ),
        pytest.param(
            {"type": "integer", "minimum": 1}, {"type": "number", "exclusiveMinimum": 0}, id="integers above 0"
        ),
        pytest.param(
            {"type": "number", "multipleOf": 0.3}, {"type": "number", "multipleOf": 0.1}, id="decimal multiples"
        ),
        pytest.param({"type": "number", "maximum": 2}, {"type": "number", "maximum": 2.5}, id="a higher bound"),
        pytest.param({"type": "array", "maxItems": 1}, {"type": "array", "maxItems": 2}, id="an item more"),
        pytest.param({"type": "array", "uniqueItems": True}, {"type": "array"}, id="an item twice"),
        pytest.param(
            {"type": "array", "items": {"type": "integer"}}, {"type": "array", "items": {"type": "number"}}, id="items"
        ),
        pytest.param({"type": "string"}, {"anyOf": [{"type": "null"}, {"type": "string"}]}, id="a branch more"),
        pytest.param(
            {"allOf": [{"type": "string"}, {"maxLength": 3}]}, {"type": "string", "maxLength": 4}, id="a meet"
        ),
        pytest.param({"type": "object", "required": ["a"]}, {"type": "object"}, id="nothing required"),
        pytest.param(
            {"type": "object", "required": ["a"]}, {"type": "object", "minProperties": 1}, id="a field at least"
        ),
        pytest.param({"type": "object", "additionalProperties": False}, {"type": "object"}, id="an open object"),
        pytest.param(
            {**fields(a={}), "additionalProperties": False},
            {**fields(a={}, b={}), "additionalProperties": False},
            id="a field more",
        ),
        pytest.param(fields(a={"type": "string"}), {"type": "object"}, id="a field of any type"),
        pytest.param(
            {"type": "object", "additionalProperties": {"type": "string"}},
            fields(a={"type": "string"}),
            id="a field as all fields were",
        ),
        pytest.param({"type": "object", "maxProperties": 1}, {"type": "object", "maxProperties": 2}, id="more fields"),
    ],
)
def test_a_widening_is_accepted_and_its_reverse_is_reported(small: dict[str, Any], big: dict[str, Any]) -> None:
    """A field may go from the small schema to the big one; the reverse is a narrowing that names the field."""
    assert narrowings(fields(it=small), fields(it=big)) == []
    faults = narrowings(fields(it=big), fields(it=small))
    assert faults
    assert all(fault.pointer.startswith("/properties/it") and "metadata/it" in fault.message for fault in faults)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"const": 1}, {"enum": [1.0]}, id="one value"),
        pytest.param({"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, {"type": "string"}]}, id="types"),
        pytest.param(
            {"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}, id="integer bounds"
        ),
        pytest.param({"type": "integer"}, {"type": "number", "multipleOf": 1}, id="multiples of 1"),
        pytest.param(
            {"allOf": [{"minimum": 1}, {"maximum": 2}]}, {"minimum": 1, "maximum": 2}, id="a meet written out"
        ),
        pytest.param({}, {"minLength": 0, "items": True, "uniqueItems": False, "title": "x"}, id="what says nothing"),
    ],
)
def test_two_ways_to_write_a_schema_are_no_narrowing(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Schemas are compared by the values that they accept."""
    assert narrowings(fields(it=one), fields(it=other)) == []
    assert narrowings(fields(it=other), fields(it=one)) == []


def test_a_comparison_that_takes_too_long_is_reported() -> None:
    """The work is bounded, and an uncompared schema counts as narrower."""
    halves = {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    old = {"type": "object", "allOf": [halves] * 8}
    assert check(old) == []
    assert "cannot be shown" in narrowings(old, {"type": "object"})[0].message
    reordered = {"allOf": [{"anyOf": [{"required": ["b"]}, {"required": ["a"]}]}] * 8, "type": "object"}
    assert narrowings(old, reordered) == []
    assert narrowings(fields(it=old, n={"maximum": 1}), fields(it=reordered, n={"maximum": 2})) == []


@settings(derandomize=True, database=None, deadline=None, max_examples=400)
@given(SCHEMAS, st.randoms(use_true_random=False), INSTANCES)
def test_a_schema_without_narrowings_refuses_no_former_value(
    schema: Any, dice: random.Random, instances: list[Any]
) -> None:
    """Without a narrowing, each instance that the old schema accepts satisfies the new one."""
    for old, new in [(schema, mutated(schema, dice)), (mutated(schema, dice), schema)]:
        if isinstance(old, dict) and isinstance(new, dict) and not narrowings(old, new):
            accepted, accepts = validator(old), validator(new)
            assert not [value for value in instances if accepted.is_valid(value) and not accepts.is_valid(value)]


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(SCHEMAS, st.randoms(use_true_random=False))
def test_another_order_is_no_narrowing(schema: dict[str, Any], dice: random.Random) -> None:
    """Neither the order nor a description makes a difference."""
    assert narrowings(schema, schema) == []
    assert narrowings(schema, shuffled(schema, dice)) == []


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(SCHEMAS, st.data())
def test_a_relaxed_bound_is_no_narrowing(schema: dict[str, Any], data: st.DataObject) -> None:
    """A schema without one of its own keywords, or with a relaxed count, accepts all that it did; that is proved."""
    keys = sorted(schema.keys() - {"properties", "additionalProperties"})
    wider = copy.deepcopy(schema)
    if keys:
        key = data.draw(st.sampled_from(keys))
        if key in WIDER:
            wider[key] = max(0, wider[key] + WIDER[key])
        else:
            del wider[key]
    assert narrowings(schema, wider) == []


def test_the_work_on_a_schema_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long list of values is sorted once, however many alternatives it is compared with."""
    ordered = 0
    text = narrowing._text

    def counted(value: Any) -> str:
        nonlocal ordered
        ordered += 1
        return text(value)

    def schema(start: int) -> dict[str, Any]:
        listed = {"enum": [number % 10 for number in range(500)]}
        few = [{"minProperties": number} for number in range(4)]
        many = [{"maxProperties": number} for number in range(start, start + 14)]
        return {"type": "object", "properties": {"b": listed}, "allOf": [{"anyOf": many}, {"anyOf": few}]}

    monkeypatch.setattr(narrowing, "_text", counted)
    *_, fault = narrowings(schema(100), schema(20))
    assert "cannot be shown" in fault.message
    assert ordered < 4000


def alternatives(longest: int) -> dict[str, Any]:
    """The schema of an object with many alternatives, each over many fields."""
    short = {"type": "string", "maxLength": longest}
    one_of_seven = [{"anyOf": [{"properties": {f"{name}{i}": short}} for i in range(7)]} for name in "pq"]
    return {**fields(**{f"n{i}": {"maxLength": 4} for i in range(300)}), "allOf": one_of_seven}


def conjunctions(fewest: int) -> dict[str, Any]:
    """The schema of an object with many alternatives, each combined with many schemas."""
    one_of_eleven = [{"anyOf": [{"required": [f"{name}{i}"]} for i in range(11)]} for name in "pq"]
    many = [{"allOf": [{"minProperties": fewest}] * 16}] * 12
    return {"type": "object", "allOf": [*one_of_eleven, *many]}


@pytest.mark.parametrize("schema", [alternatives, conjunctions])
def test_a_costly_comparison_takes_little_time(schema: Callable[[int], dict[str, Any]]) -> None:
    """A hub whose schema is costly to compare waits a moment, and so do the other hubs."""
    old, new = schema(9), schema(8)
    assert check(old) == check(new) == []
    started = time.process_time()
    assert narrowings(new, old)
    assert time.process_time() - started < 2


def test_a_list_of_values_is_compiled_for_the_types_that_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for all types: each compilation takes a millisecond."""
    compiled = 0
    compile_one = Validators._compiled

    def counted(self: Validators, node: Node) -> Any:
        nonlocal compiled
        compiled += 1
        return compile_one(self, node)

    monkeypatch.setattr(Validators, "_compiled", counted)
    old, new = (fields(it={"anyOf": [{"enum": [i]} for i in range(start, start + 10)]}) for start in (0, 1))
    (fault,) = narrowings(old, new)
    assert "may no longer be 0" in fault.message
    assert compiled <= 11


def test_another_pattern_is_a_narrowing() -> None:
    """The check does not find out whether it means the same."""
    old, new = (fields(it={"type": "string", "pattern": pattern}) for pattern in ("^ab", "^a"))
    (fault,) = narrowings(old, new)
    assert fault.pointer == "/properties/it/pattern"


@pytest.mark.parametrize(
    ("new", "pointer"),
    [
        pytest.param({"properties": {"it": {"maxLength": 5}}}, "/properties/it/maxLength", id="a field"),
        pytest.param({"allOf": [{}, {"maxProperties": 5}]}, "/allOf/1/maxProperties", id="a branch"),
        pytest.param({"additionalProperties": {"minItems": 5}}, "/additionalProperties/minItems", id="other fields"),
        pytest.param({"additionalProperties": False}, "/additionalProperties", id="no other field"),
        pytest.param({"properties": {"it": False}}, "/properties/it", id="a field that may not be"),
        pytest.param({"required": ["it"]}, "/required", id="a required field"),
    ],
)
def test_a_narrowing_has_the_pointer_of_its_keyword(new: dict[str, Any], pointer: str) -> None:
    """Its place in the new schema, or else the schema around it."""
    assert {fault.pointer for fault in narrowings({"type": "object"}, {"type": "object", **new})} == {pointer}


def test_a_removed_field_is_a_narrowing() -> None:
    """Reported at the object that no longer has it."""
    closed = {"type": "object", "additionalProperties": False}
    text = {"type": "string"}
    old, new = fields(it={**closed, "properties": {"a": {}, "b": text}}), fields(it={**closed, "properties": {"a": {}}})
    (fault,) = narrowings(old, new)
    assert fault.pointer == "/properties/it"
    assert fault.message.startswith("metadata/it/b ")


def test_a_too_large_number_is_reported_only_if_the_rest_changed() -> None:
    """A schema is never narrower than itself."""
    old = fields(it={"const": 1e301})
    assert narrowings(old, {**old, "title": "x"}) == []
    (fault,) = narrowings(old, {"type": "object"})
    assert "cannot be shown" in fault.message


def test_the_dialect_has_no_effect() -> None:
    """Also if only the new schema names it."""
    assert narrowings(fields(it={"const": 1}), {**fields(it={}), "$schema": URI}) == []
