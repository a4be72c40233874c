"""Values that prove faults: each is tried, and there is none where nothing proves it."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.schemas.conversion import Direction, Node
from openapi.schemas.engine import Engine
from openapi.schemas.witnesses import BY_FORMAT, KEPT

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
ROOT = ("components", "schemas", "Root")


def engine(small: Any, big: Any = True, **components: Any) -> Engine:
    """Of two documents with the same `components`, and a root each."""
    old, new = (
        Document("", {"openapi": "3.0.3", "info": {}, "components": {"schemas": {"Root": root, **components}}})
        for root in (small, big)
    )
    return Engine(old, new, Direction.REQUEST)


def examples(schema: Any, **components: Any) -> list[Any]:
    """Values of `schema`."""
    made = engine(schema, **components)
    return made.example(Node((made.old.at(ROOT),)))


def proofs(small: Any, big: Any, is_text: bool = False, **components: Any) -> list[list[Any]]:
    """What proves each break, the values in which it is."""
    made = engine(small, big, **components)
    before, after = Node((made.old.at(ROOT),)), Node((made.new.at(ROOT),))
    found = [fault for fault in made.faults(before, after, is_text) if fault.is_break]
    return [made.witnesses(fault, is_text) for fault in found]


def ref(name: str) -> dict[str, str]:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(*required: str, **properties: Any) -> dict[str, Any]:
    """An object that has nothing but `properties`."""
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def array(**keywords: Any) -> dict[str, Any]:
    """An array."""
    return {"type": "array", **keywords}


@pytest.mark.parametrize("name", BY_FORMAT)
def test_each_format_has_an_example(name: str) -> None:
    """Which is of that format and of no other kind of text."""
    [found] = examples({**TEXT, "format": name})[:1]
    assert found == BY_FORMAT[name][0]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({}, [], id="anything"),
        pytest.param(False, None, id="nothing"),
        pytest.param({"not": {}}, None, id="what is excluded"),
        pytest.param({"enum": ["a", "b", "c", "d"]}, ["a", "b", "c"], id="what is listed"),
        pytest.param({**TEXT, "enum": ["a", "bc"], "minLength": 2}, ["bc"], id="of what is listed what is allowed"),
        pytest.param({"type": "integer", "minimum": 7, "maximum": 7}, [7], id="one number"),
        pytest.param({**NUMBER, "minimum": 7, "multipleOf": 5}, [10, 15, 25], id="multiples"),
        pytest.param({**NUMBER, "minimum": 0, "maximum": 1, "exclusiveMinimum": True}, [0.25, 0.5, 1], id="between"),
        pytest.param({**TEXT, "minLength": 2, "maxLength": 2, "pattern": "b$"}, ["ab"], id="a pattern of a length"),
        pytest.param({**TEXT, "pattern": "^abcde$"}, ["abcde"], id="a pattern"),
        pytest.param({**TEXT, "pattern": "^a$", "minLength": 2}, None, id="a pattern of no length"),
        pytest.param({**TEXT, "format": "unheard-of"}, ["", "a"], id="an unknown format"),
        pytest.param(array(minItems=2, items={"enum": [1]}), [[1, 1]], id="the same item twice"),
        pytest.param(array(minItems=2, items={"enum": [1]}, uniqueItems=True), None, id="not twice"),
        pytest.param(array(minItems=2, items={"enum": [1, 2]}, uniqueItems=True), [[1, 2]], id="two items"),
        pytest.param(array(minItems=3, uniqueItems=True, items=NUMBER), [[0, 1, 2]], id="numbers that differ"),
        pytest.param(array(minItems=3, uniqueItems=True, items=TEXT), [["a0", "a1", "a2"]], id="texts that differ"),
        pytest.param(thing("a", a=TEXT, b=NUMBER), [{"a": ""}, {"a": "", "b": 0}], id="what is required, and all"),
        pytest.param(thing("a", a=False), None, id="what is required and cannot be"),
        pytest.param({"type": "object", "minProperties": 2}, [{"other0": [], "other1": []}], id="so many properties"),
        pytest.param({**thing(a=TEXT), "minProperties": 2}, None, id="more properties than there are"),
    ],
)
def test_examples(schema: Any, expected: list[Any] | None) -> None:
    """Some at most, the simplest first; none of what there is none of."""
    found = examples(schema)
    assert len(found) <= KEPT
    assert found[: len(expected or ())] == (expected or []), found
    assert (expected is None) == (not found)


def test_examples_of_what_is_within_itself_end() -> None:
    """And there is none of what never ends."""
    assert examples(ref("A"), A=thing(next=ref("A"), text=TEXT)) == [{}, {"next": {}}, {"text": ""}]
    assert examples(ref("A"), A=thing("next", next=ref("A"))) == []
    tree = array(items=ref("A"), minItems=2, uniqueItems=True)
    assert len(examples(ref("A"), A={"anyOf": [tree, {"enum": ["a", "b"]}]})) == KEPT


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param({**NUMBER, "maximum": 9}, {**NUMBER, "maximum": 7}, [[7.5, 8, 9]], id="maximum"),
        pytest.param({"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 8}, [[9]], id="one integer"),
        pytest.param({"type": "integer"}, {"type": "integer", "minimum": -5}, [[-6]], id="below a minimum"),
        pytest.param({"type": "integer"}, {"type": "integer", "maximum": 5}, [[6]], id="above a maximum"),
        pytest.param(NUMBER, {**NUMBER, "exclusiveMaximum": True, "maximum": 50}, [[50]], id="an end excluded"),
        pytest.param({**NUMBER, "multipleOf": 7}, {**NUMBER, "maximum": 50}, [[56]], id="a multiple above a maximum"),
        pytest.param(NUMBER, {"type": "integer"}, [[0.25]], id="integers"),
        pytest.param({**NUMBER, "multipleOf": 3}, {**NUMBER, "multipleOf": 6}, [[3]], id="multipleOf"),
        pytest.param({**TEXT, "maxLength": 3}, {**TEXT, "maxLength": 2}, [["aaa"]], id="maxLength"),
        pytest.param({**TEXT, "minLength": 1}, {**TEXT, "minLength": 2}, [["a"]], id="minLength"),
        pytest.param({**TEXT, "pattern": "^[ab]$"}, {**TEXT, "pattern": "^a$"}, [["b"]], id="pattern"),
        pytest.param(TEXT, {**TEXT, "format": "date"}, [["", "a"]], id="format"),
        pytest.param(
            {**TEXT, "minLength": 1},
            {**TEXT, "format": "hostname"},
            [["not of any format"]],
            id="a format of short texts",
        ),
        pytest.param({"enum": ["a", "b"]}, {"enum": ["b", "c"]}, [["a"]], id="enum"),
        pytest.param(TEXT, {**TEXT, "enum": ["a"]}, [[""]], id="not listed"),
        pytest.param({**TEXT, "nullable": True}, TEXT, [[None]], id="null"),
        pytest.param(TEXT, {**TEXT, "not": {"enum": ["zzz"]}}, [["zzz"]], id="not"),
        pytest.param(array(items=TEXT), array(items={**TEXT, "maxLength": 0}), [[["a"]]], id="an item"),
        pytest.param(
            array(items=TEXT, minItems=2, uniqueItems=True),
            array(items={**TEXT, "maxLength": 2}),
            [[["aaa", "a0"]]],
            id="an item among others",
        ),
        pytest.param(array(items=NUMBER), array(items=NUMBER, uniqueItems=True), [[[0, 0]]], id="an item twice"),
        pytest.param(array(maxItems=3), array(maxItems=2), [[[0, 1, 2]]], id="items"),
        pytest.param(thing(a=TEXT), thing("a", a=TEXT), [[{}]], id="a missing property"),
        pytest.param(thing(a=TEXT, b=TEXT), thing(a=TEXT), [[{"b": ""}]], id="a property that is gone"),
        pytest.param(
            thing("a", a=NUMBER, b=NUMBER),
            thing("a", a=NUMBER, b=TEXT),
            [[{"a": 0, "b": 0}]],
            id="a property among others",
        ),
        pytest.param({"type": "object"}, thing(), [[{"other": []}]], id="any other property"),
        pytest.param(
            {"type": "object", "additionalProperties": NUMBER},
            {"type": "object", "additionalProperties": {"type": "integer"}},
            [[{"other": 0.25}]],
            id="a value of another property",
        ),
        pytest.param(
            {"type": "object"},
            {"type": "object", "maxProperties": 1},
            [[{"other0": [], "other1": []}]],
            id="properties",
        ),
    ],
)
def test_proofs(small: Any, big: Any, expected: list[list[Any]]) -> None:
    """The first are the simplest."""
    found = proofs(small, big)
    assert len(found) == len(expected)
    for values, wanted in zip(found, expected, strict=True):
        assert values[: len(wanted)] == wanted


def test_proofs_deep_within() -> None:
    """Also of what is within itself, and through items, alternatives and others."""
    small, big = (
        {"anyOf": [NUMBER, array(items={"type": "object", "additionalProperties": one})]} for one in (TEXT, NUMBER)
    )
    assert proofs(small, big)[0][0] == [{"other": ""}]
    tree = thing("next", next={"anyOf": [ref("A"), {"enum": ["end"]}]}, text=TEXT)
    assert proofs(ref("A"), thing("next", next={"enum": ["end"]}), A=tree)[0][0] == {
        "next": {"next": "end"},
        "text": "",
    }


@pytest.mark.parametrize(
    ("small", "big"),
    [
        pytest.param(
            {**TEXT, "pattern": "^(a|b)*a(a|b){12}$"}, {**TEXT, "pattern": "^(b|a)*a(b|a){12}$"}, id="no fault"
        ),
        pytest.param(TEXT, {**TEXT, "pattern": "("}, id="what cannot be compiled"),
        pytest.param({**TEXT, "maxLength": 200_001}, {**TEXT, "maxLength": 200_000}, id="what is too long"),
    ],
)
def test_where_nothing_is_proved_nothing_is_shown(small: Any, big: Any) -> None:
    """A fault may be none, or be proved by nothing that can be tried."""
    assert [] in proofs(small, big)


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param(TEXT, NUMBER, ["", "a"], id="no number"),
        pytest.param({**TEXT, "enum": ["1", "x"]}, NUMBER, ["x"], id="the text of a number"),
        pytest.param({**TEXT, "enum": ["true", "x"]}, {"type": "boolean"}, ["x"], id="the text of a boolean"),
        pytest.param({**TEXT, "enum": ["false", "NaN"]}, {"type": "boolean"}, ["NaN"], id="the text of no number"),
        pytest.param({"enum": [1, 2]}, {"enum": ["1"]}, [2], id="a number that is a text"),
        pytest.param({"enum": [True]}, {"enum": ["True"]}, [True], id="as JSON writes it"),
    ],
)
def test_what_is_sent_as_text_may_be_read_otherwise(small: Any, big: Any, expected: list[Any]) -> None:
    """Only what no reading of it saves is a proof."""
    assert [values[: len(expected)] for values in proofs(small, big, is_text=True)] == [expected]
