"""Containment: a schema accepts every value of another, or a careful comparison does not prove that."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.schemas.containment import MOST_LISTED, MOST_WITHIN
from openapi.schemas.conversion import Node
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.schemas.faults import ITEM, OTHER, UNDECIDED, Fault

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
HARD, AS_HARD = "^(a|b)*a(a|b){12}$", "^(b|a)*a(b|a){12}$"


def document(schemas: dict[str, Any]) -> Document:
    """A document with `schemas` for its components."""
    return Document("", {"openapi": "3.0.3", "info": {}, "paths": {}, "components": {"schemas": schemas}})


def faults(small: Any, big: Any, is_text: bool = False, **components: Any) -> list[Fault]:
    """The reasons why `big` may refuse values of `small`; each component is the same in both, or a pair."""
    old, new = (
        document(
            {"Root": root}
            | {name: schema[side] if isinstance(schema, tuple) else schema for name, schema in components.items()}
        )
        for side, root in enumerate((small, big))
    )
    engine = Engine(old, new, Direction.REQUEST)
    root = ("components", "schemas", "Root")
    return engine.faults(Node((engine.old.at(root),)), Node((engine.new.at(root),)), is_text)


def breaks(small: Any, big: Any, is_text: bool = False, **components: Any) -> list[tuple[Any, ...]]:
    """The breaks: keyword and path."""
    return [(fault.keyword, *fault.path) for fault in faults(small, big, is_text, **components) if fault.is_break]


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(**properties: Any) -> dict[str, Any]:
    """A closed object with `properties`."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def cyclic(max_length: int) -> dict[str, Any]:
    """The schema of a tree of texts."""
    return thing(text={**TEXT, "maxLength": max_length}, children={"type": "array", "items": ref("Tree")})


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param(2, 3, [], id="wider"),
        pytest.param(3, 2, [("maxLength", "text")], id="narrower"),
    ],
)
def test_cycles_are_followed_once(small: int, big: int, expected: list[Any]) -> None:
    """A pair that holds under its own assumption holds; a fault within is reported once, by the shortest path."""
    assert breaks(ref("Tree"), ref("Tree"), Tree=(cyclic(small), cyclic(big))) == expected


def test_cycles_of_different_lengths_may_be_equivalent() -> None:
    """A cycle of one schema against a cycle of two."""
    one, other = thing(next=ref("A")), thing(next=ref("B"))
    assert breaks(ref("A"), ref("A"), A=(one, other), B=thing(next=ref("A"))) == []
    ended = thing(next=ref("A"), text=TEXT)
    assert breaks(ref("A"), ref("A"), A=(ended, other), B=thing(text=TEXT, next=ref("A")))


def test_conclusions_from_a_wrong_assumption_are_dropped() -> None:
    """After an alternative fails, pairs that held only under its assumptions are compared again."""
    node = {**thing(next=ref("Node"), text={**TEXT, "maxLength": 5}), "required": ["text"]}
    narrow = {**thing(next=ref("Node"), text={**TEXT, "maxLength": 3}), "required": ["text"]}
    union = {"anyOf": [ref("Node"), thing(next=ref("Node"), other=NUMBER)]}
    assert breaks(union, union, Node=(node, narrow))
    assert breaks(union, union, Node=node) == []


def test_the_paths_of_faults() -> None:
    """Through properties, items, and undeclared properties."""
    small = thing(a={"type": "array", "items": {"type": "object", "additionalProperties": NUMBER}})
    big = thing(a={"type": "array", "items": {"type": "object", "additionalProperties": {**NUMBER, "minimum": 1}}})
    [fault] = faults(small, big)
    assert (fault.keyword, fault.in_small, fault.in_big, fault.path) == ("minimum", None, 1, ("a", ITEM, OTHER))
    assert [step.name for step in fault.steps] == ["", OTHER, ITEM, "a"]
    assert fault.owner == {**NUMBER, "minimum": 1}
    assert fault.form is not None


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param({"type": "object"}, {"type": "object", "properties": {"a": TEXT}}, [], id="what openness lets in"),
        pytest.param(
            {"type": "object", "additionalProperties": NUMBER},
            {"type": "object", "additionalProperties": NUMBER, "properties": {"a": TEXT}},
            [("type", "a")],
            id="what is said of others",
        ),
        pytest.param({"type": "object"}, thing(a=TEXT), [("additionalProperties",)], id="closed"),
        pytest.param(
            thing(a=TEXT, b=TEXT), thing(a=TEXT), [("properties",)], id="a property gone from a closed object"
        ),
        pytest.param(
            {"type": "object", "properties": {"a": TEXT}},
            {"type": "object", "additionalProperties": NUMBER},
            [("type", "a"), ("type", OTHER)],
            id="a property that is as others now",
        ),
        pytest.param(
            {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": NUMBER},
            {"type": "object", "additionalProperties": NUMBER},
            [],
            id="a property that others have",
        ),
        pytest.param(thing(a={"not": {}}), thing(), [], id="a property that nothing could be"),
        pytest.param(
            {"type": "array", "maxItems": 0, "items": TEXT}, {"type": "array", "items": NUMBER}, [], id="no items"
        ),
        pytest.param({**TEXT, "minLength": 3, "maxLength": 2}, NUMBER, [], id="nothing is within all"),
        pytest.param({**TEXT, "enum": ["abc", "b"], "maxLength": 2}, {"enum": ["b"]}, [], id="listed in vain"),
        pytest.param({"enum": ["a", None]}, {**TEXT}, [("nullable",)], id="a null that is listed"),
        pytest.param({**TEXT, "nullable": True}, TEXT, [("nullable",)], id="null"),
        pytest.param({"type": "boolean"}, {"enum": [True]}, [("enum",)], id="a boolean that is not listed"),
        pytest.param(TEXT, {**TEXT, "enum": ["a"]}, [("enum",)], id="texts that are not listed"),
        pytest.param({**TEXT, "enum": ["abc"]}, {**TEXT, "maxLength": 2}, [("maxLength",)], id="listed and too long"),
        pytest.param(
            {"type": "integer", "enum": [1]},
            {**NUMBER, "minimum": 1, "exclusiveMinimum": True},
            [("minimum",)],
            id="listed and too small",
        ),
        pytest.param(TEXT, {"contentEncoding": "x"}, [], id="what jsonschema-rs knows to refuse nothing"),
        pytest.param(
            TEXT,
            {"allOf": [{**TEXT, "contentEncoding": "x", "maxLength": 5}]},
            [("maxLength",), (UNDECIDED,)],
            id="what is not understood",
        ),
        pytest.param({"contentEncoding": "x"}, {"contentEncoding": "x"}, [], id="what is not understood but the same"),
        pytest.param({**TEXT, "pattern": HARD}, {**TEXT, "pattern": AS_HARD}, [("pattern",)], id="too hard"),
        pytest.param(TEXT, {**TEXT, "not": {"enum": ["a"]}}, [("not",)], id="an exclusion"),
        pytest.param({**TEXT, "minLength": 2}, {**TEXT, "not": {"maxLength": 1}}, [], id="an exclusion of nothing"),
        pytest.param(
            {**TEXT, "not": {"maxLength": 2}}, {**TEXT, "not": {"maxLength": 1}}, [], id="a smaller exclusion"
        ),
        pytest.param(
            {**TEXT, "not": {"pattern": "^a"}}, {**TEXT, "not": {"pattern": "^ab"}}, [], id="an exclusion by a pattern"
        ),
    ],
)
def test_containment(small: Any, big: Any, expected: list[Any]) -> None:
    """Keyword by keyword, with each fault once."""
    assert breaks(small, big) == expected


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param([TEXT, NUMBER], [NUMBER, TEXT], [], id="in another order"),
        pytest.param([TEXT], [{**TEXT, "maxLength": 1}, {**TEXT, "minLength": 2}], [], id="parts of the whole"),
        pytest.param([TEXT], [{**TEXT, "maxLength": 1}, {**TEXT, "minLength": 3}], [("anyOf",)], id="a gap"),
        pytest.param(
            [thing(a=TEXT), thing(b=TEXT)],
            [thing(a=TEXT), thing(b=NUMBER)],
            [("type", "b")],
            id="each against its own",
        ),
        pytest.param([thing(a=TEXT)], [thing(b=TEXT), thing(c=TEXT)], [("anyOf",)], id="against none of many"),
        pytest.param([{"enum": ["a"]}, TEXT], [TEXT, {"enum": ["b"]}], [], id="what is listed within what is not"),
    ],
)
def test_alternatives(small: list[Any], big: list[Any], expected: list[Any]) -> None:
    """Each form is within one of the others, or jsonschema-rs shows that it is within their union."""
    assert breaks({"anyOf": small}, {"anyOf": big}) == expected


def test_the_alternative_with_the_fewest_differences_is_reported() -> None:
    """It is the one to report if several alternatives accept all values."""
    one, other = {**TEXT, "maxLength": 9, "default": "a", "deprecated": True}, {**TEXT, "maxLength": 8}
    assert [fault.keyword for fault in faults({**TEXT, "maxLength": 5}, {"anyOf": [one, other]})] == [
        "default",
        "deprecated",
    ]


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param(NUMBER, TEXT, [], id="any text"),
        pytest.param({"type": "boolean"}, {"not": {}}, [("not",)], id="nothing"),
        pytest.param(NUMBER, {**TEXT, "maxLength": 9}, [("type",)], id="short texts"),
        pytest.param(NUMBER, {**TEXT, "enum": ["1"]}, [("type",)], id="some texts"),
        pytest.param({"type": "object"}, TEXT, [("type",)], id="objects are no text"),
        pytest.param(TEXT, NUMBER, [("type",)], id="texts are no numbers"),
    ],
)
def test_values_sent_as_text(small: Any, big: Any, expected: list[Any]) -> None:
    """A number that is sent as text is a text; in JSON it is not."""
    assert breaks(small, big, is_text=True) == expected
    assert breaks(small, big)


def listing(count: int) -> dict[str, Any]:
    """An enum of objects, too large for jsonschema-rs."""
    return {"enum": [{"a": [index] * 3} for index in range(count)]}


@pytest.mark.parametrize(
    ("small", "big"),
    [
        pytest.param(listing(MOST_LISTED + 1), listing(MOST_LISTED + 2), id="objects that are listed"),
        pytest.param({**TEXT, "maxLength": 5}, {"anyOf": [{**TEXT, "maxLength": 9}] * 201}, id="alternatives"),
    ],
)
def test_too_large_schemas_are_not_decided(small: Any, big: Any) -> None:
    """The result is undecided, though the containment would hold."""
    assert breaks(small, big) == [(UNDECIDED,)]


def test_schemas_at_the_limit_are_decided() -> None:
    """For enums of objects."""
    assert breaks(listing(MOST_LISTED), listing(MOST_LISTED + 1)) == []
    assert breaks(listing(MOST_LISTED + 1), {"type": "object"}) == [(UNDECIDED,)]


def test_after_too_many_faults_the_rest_is_not_decided() -> None:
    """The last entry stands for those left out."""
    names = [f"p{index}" for index in range(MOST_WITHIN + 1)]
    paths = breaks({"type": "object"}, {"type": "object", "required": names})
    assert 1 < len(paths) < MOST_WITHIN
    assert paths[-1] == (UNDECIDED,)


@pytest.mark.parametrize(("levels", "expected"), [(79, []), (80, [(UNDECIDED, *["p"] * 80)])], ids=["deep", "too deep"])
def test_too_deep_schemas_are_not_decided(levels: int, expected: list[Any]) -> None:
    """Beyond the maximum path, if the remaining schema is too large for jsonschema-rs."""

    def deep(count: int) -> Any:
        schema: Any = {"enum": [f"{index}" for index in range(count)]}
        for _ in range(levels):
            schema = thing(p=schema)
        return schema

    assert breaks(deep(1_000), deep(1_001)) == expected


def test_marks_are_reported_and_break_nothing() -> None:
    """Defaults and other annotations: once, if all forms have the same."""
    small, big = {**TEXT, "default": "a", "nullable": True}, {**TEXT, "default": "b", "nullable": True}
    [fault] = faults(small, big)
    assert (fault.keyword, fault.in_small, fault.in_big, fault.is_break) == ("default", ["a"], ["b"], False)
    assert fault.owner["default"] == "b"
    [gone] = faults(small, {**TEXT, "nullable": True})
    assert (gone.in_small, gone.in_big, gone.owner["default"]) == (["a"], [], "a")


def test_a_number_that_is_listed_may_be_written_with_a_fraction() -> None:
    """In OpenAPI 3.0 the number 1 takes 1.0, and the integer 1 does not."""
    number, integer = {**NUMBER, "enum": [1]}, {"type": "integer", "enum": [1]}
    assert breaks(number, integer) == [("enum",)]
    assert breaks(integer, number) == []
    assert breaks({**NUMBER, "not": integer}, {**NUMBER, "not": number}) == [("not",)]


def test_a_format_counts_for_listed_texts() -> None:
    """Draft 4 of JSON Schema, in which jsonschema-rs reads schemas of OpenAPI 3.0, does not know UUIDs."""
    listed = {**TEXT, "enum": ["a"]}
    assert breaks(listed, {**listed, "format": "uuid"}) == [("enum",)]
    assert breaks({"anyOf": [listed]}, {"anyOf": [listed], "format": "uuid"}) == [("enum",)]


@pytest.mark.parametrize("written", ["^(red|blue)$", "^(?:blue|red)$", "^red$|^blue$"])
def test_a_pattern_of_few_texts_is_a_list_of_them(written: str) -> None:
    """In both directions; what the list lacks is named."""
    pattern, listed = {**TEXT, "pattern": written}, {**TEXT, "enum": ["red", "blue"]}
    assert breaks(pattern, listed) == breaks(listed, pattern) == []
    [fault] = faults(pattern, {**TEXT, "enum": ["red"]})
    assert (fault.keyword, fault.in_small, fault.in_big) == ("enum", ["blue"], ["red"])
    [fault] = faults({**TEXT, "enum": ["red", "blue", "green"]}, pattern)
    assert (fault.keyword, fault.in_small) == ("pattern", ["green"])
    assert breaks({**pattern, "maxLength": 3}, {**TEXT, "enum": ["red"]}) == []
    assert breaks({**TEXT, "pattern": "^r"}, listed) == [("enum",)]
