"""Values that prove faults: each is tried, and a fault without a proof has none."""

from typing import Any

import pytest

from openapi.contract import Document
from openapi.sample_texts import BY_FORMAT
from openapi.schemas.conversion import Node
from openapi.schemas.directions import Direction
from openapi.schemas.engine import Engine
from openapi.schemas.witnesses import KEPT

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
ROOT = ("components", "schemas", "Root")


def engine(small: Any, big: Any = True, **components: Any) -> Engine:
    """The engine of two documents with the same `components`, and a root each."""
    old, new = (
        Document("", {"openapi": "3.0.3", "info": {}, "components": {"schemas": {"Root": root, **components}}})
        for root in (small, big)
    )
    return Engine(old, new, Direction.REQUEST)


def examples(schema: Any, **components: Any) -> list[Any]:
    """Example values of `schema`."""
    comparison = engine(schema, **components)
    return comparison.example(Node((comparison.old.at(ROOT),)))


def proofs(small: Any, big: Any, is_text: bool = False, **components: Any) -> list[list[Any]]:
    """For each break, the values that prove it."""
    comparison = engine(small, big, **components)
    before, after = Node((comparison.old.at(ROOT),)), Node((comparison.new.at(ROOT),))
    breaks = [fault for fault in comparison.faults(before, after, is_text) if fault.is_break]
    return [comparison.witnesses(fault, is_text) for fault in breaks]


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
    """The first example of the schema is the first one of the format."""
    [value] = examples({**TEXT, "format": name})[:1]
    assert value == BY_FORMAT[name][0]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({}, [], id="anything"),
        pytest.param(False, None, id="nothing"),
        pytest.param({"not": {}}, None, id="what is excluded"),
        pytest.param({"enum": ["a", "b", "c", "d"]}, ["a", "b", "c"], id="what is listed"),
        pytest.param({**TEXT, "enum": ["a", "bc"], "minLength": 2}, ["bc"], id="the allowed ones of the listed values"),
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
    """A few at most, the simplest first; none of an unsatisfiable schema."""
    values = examples(schema)
    assert len(values) <= KEPT
    assert values[: len(expected or ())] == (expected or []), values
    assert (expected is None) == (not values)


def test_examples_of_recursive_schemas_end() -> None:
    """A schema of infinite values has no example."""
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
        pytest.param({**NUMBER, "multipleOf": 2}, {"type": "integer"}, [[0.0, 2.0]], id="a fraction of zeros"),
        pytest.param({**NUMBER, "enum": [1, 2]}, {"type": "integer", "enum": [1]}, [[2, 1.0, 2.0]], id="a listed one"),
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
        pytest.param(
            thing(a={**TEXT, "readOnly": True}, b=NUMBER),
            {**thing(a={**TEXT, "readOnly": True}, b=NUMBER), "maxProperties": 0},
            [[{"b": 0}]],
            id="no property of answers",
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
    """The simplest come first."""
    witnesses = proofs(small, big)
    assert len(witnesses) == len(expected)
    for values, simplest in zip(witnesses, expected, strict=True):
        assert values[: len(simplest)] == simplest


def test_proofs_of_nested_schemas() -> None:
    """Through items, alternatives, additional properties and recursion."""
    small, big = (
        {"anyOf": [NUMBER, array(items={"type": "object", "additionalProperties": schema})]}
        for schema in (TEXT, NUMBER)
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
def test_a_fault_without_a_proof_has_no_values(small: Any, big: Any) -> None:
    """The fault may be a false alarm, or no value that can be tried proves it."""
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
def test_a_value_sent_as_text_may_have_other_readings(small: Any, big: Any, expected: list[Any]) -> None:
    """A value is a proof only if the new schema refuses every reading of it."""
    assert [values[: len(expected)] for values in proofs(small, big, is_text=True)] == [expected]


COUNTRIES = [f"c{number}" for number in range(400)]
TWO_KINDS, ONE_KIND = "^(?=.*[a-z])(?=.*[0-9]).{8,}$", "^(?=.*[a-z]).{8,}$"


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param([*COUNTRIES, "new"], COUNTRIES, "new", id="one more"),
        pytest.param(COUNTRIES, COUNTRIES[:-1], "c399", id="one less"),
        pytest.param([*COUNTRIES, 1], COUNTRIES, 1, id="one of another type"),
        pytest.param(None, COUNTRIES, "", id="any text"),
    ],
)
def test_what_only_one_long_list_has_is_tried_first(small: list[Any] | None, big: list[Any], expected: Any) -> None:
    """There are more values than are tried."""
    assert proofs({"enum": small} if small else TEXT, {"enum": big})[-1][0] == expected


def test_refused_values_of_a_long_list_are_tried_first() -> None:
    """The other schema lists none."""
    assert proofs({**TEXT, "enum": [*COUNTRIES, "longer"]}, {**TEXT, "maxLength": 5})[0] == ["longer"]


@pytest.mark.parametrize("name", ["uri", "email", "hostname", "uri-reference", "date-time", "json-pointer"])
@pytest.mark.parametrize("length", [9, 50, 100])
def test_a_format_has_samples_of_many_lengths(name: str, length: int) -> None:
    """Longer and shorter than the usual one."""
    formatted = {**TEXT, "format": name}
    assert len(proofs(formatted, {**formatted, "maxLength": length})[0][0]) > length
    if name != "date-time":
        assert 0 < len(proofs(formatted, {**formatted, "minLength": length})[0][0]) < length


@pytest.mark.parametrize(
    ("small", "big"),
    [
        pytest.param(ONE_KIND, TWO_KINDS, id="one more demand"),
        pytest.param(TWO_KINDS, TWO_KINDS.replace("8", "12"), id="a longer one"),
        pytest.param("^(?!xx)[a-z]{3}$", "^(?!xx)[b-z]{3}$", id="what must not begin"),
        pytest.param(None, TWO_KINDS, id="none before"),
    ],
)
def test_a_pattern_that_looks_ahead_has_samples(small: str | None, big: str) -> None:
    """Some texts of several kinds of characters match it."""
    assert proofs({**TEXT, "pattern": small} if small else TEXT, {**TEXT, "pattern": big})[0]


def test_optional_properties_of_a_proof_are_limited() -> None:
    """It shows no more of them than a page holds."""
    names = {f"p{number:05}": {**TEXT, "minLength": 9} for number in range(3_000)}
    (found,) = proofs(thing("z", z={**TEXT, "maxLength": 9}, **names), thing("z", z={**TEXT, "maxLength": 5}, **names))
    assert 0 < max(map(len, found)) < 300
