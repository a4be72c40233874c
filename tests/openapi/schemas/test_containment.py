"""Whether a schema accepts all that another one accepts: what is proved, and what on the careful side is not."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.schemas.containment import MOST_LISTED, MOST_WITHIN
from openapi.schemas.conversion import Direction, Node
from openapi.schemas.engine import Engine
from openapi.schemas.faults import ITEM, OTHER, UNDECIDED, Fault

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
HARD, AS_HARD = "^(a|b)*a(a|b){12}$", "^(b|a)*a(b|a){12}$"


def document(schemas: dict[str, Any]) -> Document:
    """A document with `schemas` for its components."""
    return Document("", {"openapi": "3.0.3", "info": {}, "paths": {}, "components": {"schemas": schemas}})


def faults(small: Any, big: Any, is_text: bool = False, **components: Any) -> list[Fault]:
    """Why `big` may refuse what `small` accepts; `components` are of both, each as it is, or as a pair."""
    old, new = (
        document(
            {"Root": root}
            | {name: told[side] if isinstance(told, tuple) else told for name, told in components.items()}
        )
        for side, root in enumerate((small, big))
    )
    engine = Engine(old, new, Direction.REQUEST)
    root = ("components", "schemas", "Root")
    return engine.faults(Node((engine.old.at(root),)), Node((engine.new.at(root),)), is_text)


def breaks(small: Any, big: Any, is_text: bool = False, **components: Any) -> list[tuple[Any, ...]]:
    """The breaks: keyword and the way to it."""
    return [(fault.keyword, *fault.path) for fault in faults(small, big, is_text, **components) if fault.is_break]


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(**properties: Any) -> dict[str, Any]:
    """An object that has nothing but `properties`."""
    return {"type": "object", "properties": properties, "additionalProperties": False}


def cyclic(most: int) -> dict[str, Any]:
    """A tree of texts."""
    return thing(text={**TEXT, "maxLength": most}, children={"type": "array", "items": ref("Tree")})


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param(2, 3, [], id="wider"),
        pytest.param(3, 2, [("maxLength", "text")], id="narrower"),
    ],
)
def test_cycles_are_gone_through_once(small: int, big: int, expected: list[Any]) -> None:
    """What holds while it is assumed holds; a fault within is told once, by the shortest way."""
    assert breaks(ref("Tree"), ref("Tree"), Tree=(cyclic(small), cyclic(big))) == expected


def test_cycles_of_other_lengths_are_the_same_trees() -> None:
    """A cycle of one against a cycle of two."""
    one, other = thing(next=ref("A")), thing(next=ref("B"))
    assert breaks(ref("A"), ref("A"), A=(one, other), B=thing(next=ref("A"))) == []
    ended = thing(next=ref("A"), text=TEXT)
    assert breaks(ref("A"), ref("A"), A=(ended, other), B=thing(text=TEXT, next=ref("A")))


def test_what_was_concluded_from_a_wrong_assumption_is_forgotten() -> None:
    """Of alternatives that are tried in vain: a pair that held only while another one was assumed to hold."""
    node = {**thing(next=ref("Node"), text={**TEXT, "maxLength": 5}), "required": ["text"]}
    narrow = {**thing(next=ref("Node"), text={**TEXT, "maxLength": 3}), "required": ["text"]}
    union = {"anyOf": [ref("Node"), thing(next=ref("Node"), other=NUMBER)]}
    found = breaks(union, union, Node=(node, narrow))
    assert found
    assert breaks(union, union, Node=node) == []


def test_the_ways_to_faults() -> None:
    """Through properties, items, and what is not declared."""
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
            [("type", OTHER), ("type", OTHER), ("nullable", OTHER), ("type", OTHER), ("type", "a")],
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
def test_what_is_within(small: Any, big: Any, expected: list[Any]) -> None:
    """Keyword by keyword; each fault once."""
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
    """Each form within one of the others, or what jsonschema-rs can show of all of them together."""
    assert breaks({"anyOf": small}, {"anyOf": big}) == expected


def test_the_alternative_that_says_least_otherwise_is_told() -> None:
    """Of several that accept all."""
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
def test_what_is_sent_as_text(small: Any, big: Any, expected: list[Any]) -> None:
    """A number that is sent as text is a text; where values are JSON it is none."""
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
def test_too_much_is_not_decided(small: Any, big: Any) -> None:
    """Though it would hold."""
    assert breaks(small, big) == [(UNDECIDED,)]


def test_as_much_as_is_compared_is_decided() -> None:
    """Of objects that are listed."""
    assert breaks(listing(MOST_LISTED), listing(MOST_LISTED + 1)) == []
    assert breaks(listing(MOST_LISTED + 1), {"type": "object"}) == [(UNDECIDED,)]


def test_of_too_many_faults_the_rest_is_not_decided() -> None:
    """Whatever may be left out."""
    names = [f"p{index}" for index in range(MOST_WITHIN + 1)]
    found = breaks({"type": "object"}, {"type": "object", "required": names})
    assert 1 < len(found) < MOST_WITHIN
    assert found[-1] == (UNDECIDED,)


@pytest.mark.parametrize(("levels", "expected"), [(79, []), (80, [(UNDECIDED, *["p"] * 80)])], ids=["deep", "too deep"])
def test_what_is_too_deep_is_not_decided(levels: int, expected: list[Any]) -> None:
    """Where the way is longer than is gone, and what is left too large for jsonschema-rs."""

    def deep(count: int) -> Any:
        schema: Any = {"enum": [f"{index}" for index in range(count)]}
        for _ in range(levels):
            schema = thing(p=schema)
        return schema

    assert breaks(deep(1_000), deep(1_001)) == expected


def test_marks_are_told_and_break_nothing() -> None:
    """Defaults and the like: where all forms say the same, once."""
    small, big = {**TEXT, "default": "a", "nullable": True}, {**TEXT, "default": "b", "nullable": True}
    [fault] = faults(small, big)
    assert (fault.keyword, fault.in_small, fault.in_big, fault.is_break) == ("default", "a", "b", False)
    assert fault.owner["default"] == "b"
    [gone] = faults(small, {**TEXT, "nullable": True})
    assert (gone.in_small, gone.in_big, gone.owner["default"]) == ("a", None, "a")
