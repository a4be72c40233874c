"""The differences of two forms of the same type in their own keywords."""

from typing import Any

import pytest

from openapi.schemas.conversion import Node
from openapi.schemas.forms import Form, forms
from openapi.schemas.keywords import TEXT, differences, takes

INT32 = {"type": "integer", "format": "int32", "minimum": -(2**31), "maximum": 2**31 - 1}
HARD, AS_HARD = "^(a|b)*a(a|b){12}$", "^(b|a)*a(b|a){12}$"
"""Patterns that match the same texts; to find that out takes too long."""


def the(kind: str, schema: dict[str, Any]) -> Form:
    """The form of the values of type `kind` that satisfy `schema`."""
    [form] = forms(Node(({"type": kind}, schema)), lambda _: True, lambda: None)
    return form


def tightened(kind: str, small: dict[str, Any], big: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """The demands of `big` that `small` lacks: keyword, old value and new value."""
    return [difference[:3] for difference in differences(the(kind, small), the(kind, big))]


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param({"minimum": 1}, {"minimum": 1}, [], id="the same minimum"),
        pytest.param({"minimum": 2}, {"minimum": 1}, [], id="a lower minimum"),
        pytest.param({"minimum": 1}, {"minimum": 1.5}, [("minimum", 1, 1.5)], id="a higher minimum"),
        pytest.param({}, {"minimum": 0}, [("minimum", None, 0)], id="a minimum where none was"),
        pytest.param({"minimum": 1}, {"exclusiveMinimum": 1}, [("minimum", 1, "1 excluded")], id="minimum excluded"),
        pytest.param({"exclusiveMinimum": 1}, {"minimum": 1}, [], id="minimum included"),
        pytest.param({"maximum": 1}, {"maximum": 1}, [], id="the same maximum"),
        pytest.param({"maximum": 1}, {"maximum": 2}, [], id="a higher maximum"),
        pytest.param({"maximum": 1}, {"maximum": 0.5}, [("maximum", 1, 0.5)], id="a lower maximum"),
        pytest.param({"maximum": 1}, {"exclusiveMaximum": 1}, [("maximum", 1, "1 excluded")], id="maximum excluded"),
        pytest.param({"exclusiveMaximum": 1}, {"maximum": 1}, [], id="maximum included"),
        pytest.param({"type": "integer", "minimum": 1}, {"exclusiveMinimum": 0}, [], id="integers above an end"),
        pytest.param({"type": "integer", "maximum": 1}, {"exclusiveMaximum": 2}, [], id="integers below an end"),
        pytest.param({"multipleOf": 6}, {"multipleOf": 3}, [], id="a divisor of the divisor"),
        pytest.param({"multipleOf": 0.3}, {"multipleOf": 0.1}, [], id="a divisor that no float has"),
        pytest.param({"multipleOf": 3}, {"multipleOf": 6}, [("multipleOf", [3], 6)], id="a multiple of the divisor"),
        pytest.param({}, {"multipleOf": 0.5}, [("multipleOf", [], 0.5)], id="a divisor where none was"),
        pytest.param({}, {"type": "integer"}, [("type", "number", "integer")], id="integers alone"),
        pytest.param({"multipleOf": 2}, {"type": "integer"}, [], id="integers by their divisor"),
        pytest.param({"type": "integer"}, {"multipleOf": 1}, [], id="integers are multiples of one"),
        pytest.param(
            {"multipleOf": 0.5},
            {"type": "integer", "multipleOf": 2},
            [("type", "number", "integer"), ("multipleOf", [0.5], 2)],
            id="integers and a divisor",
        ),
        pytest.param(
            {"type": "integer"}, INT32, [("format", None, "int32"), ("format", None, "int32")], id="both ends of int32"
        ),
        pytest.param(
            {"type": "integer"},
            {**INT32, "maximum": 5},
            [("format", None, "int32"), ("maximum", None, 5)],
            id="a nearer end",
        ),
        pytest.param(INT32, {"type": "integer"}, [], id="any integer"),
        pytest.param({}, {"format": "double"}, [], id="a hint"),
        pytest.param({}, {"format": "roman"}, [("format", [], "roman")], id="a format of numbers"),
    ],
)
def test_numbers(small: dict[str, Any], big: dict[str, Any], expected: list[Any]) -> None:
    """Bounds, divisors and integers."""
    assert tightened("number", small, big) == expected


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param({"minLength": 2}, {"minLength": 2}, [], id="as short"),
        pytest.param({"minLength": 2}, {"minLength": 3}, [("minLength", 2, 3)], id="not so short"),
        pytest.param({"maxLength": 2}, {"maxLength": 2}, [], id="as long"),
        pytest.param({}, {"maxLength": 2}, [("maxLength", None, 2)], id="not so long"),
        pytest.param({"format": "uuid"}, {"minLength": 36, "maxLength": 36}, [], id="as a format has it"),
        pytest.param({"format": "date"}, {"minLength": 11}, [("minLength", 10, 11)], id="longer than a format"),
        pytest.param({"format": "date"}, {"maxLength": 9}, [("maxLength", 10, 9)], id="shorter than a format"),
        pytest.param({"pattern": "^a{2,3}$"}, {"minLength": 2, "maxLength": 3}, [], id="as a pattern has it"),
        pytest.param(
            {"pattern": "^a{2,3}$"},
            {"minLength": 3, "maxLength": 2},
            [("minLength", 0, 3), ("maxLength", None, 2)],
            id="unlike a pattern",
        ),
        pytest.param({"pattern": "(a)\\1"}, {"minLength": 2}, [("minLength", 0, 2)], id="unlike what is not regular"),
        pytest.param({"pattern": "^ab"}, {"pattern": "^a"}, [], id="implied by a pattern"),
        pytest.param({"pattern": "^a"}, {"pattern": "^ab"}, [("pattern", ["^a"], "^ab")], id="not implied"),
        pytest.param({"minLength": 1}, {"pattern": "[^\n]|\n"}, [], id="implied by the least length"),
        pytest.param({"maxLength": 2}, {"pattern": "^[^x]{0,2}$|x"}, [], id="implied by the greatest length"),
        pytest.param({"pattern": HARD}, {"pattern": HARD}, [], id="hard and the same"),
        pytest.param({"pattern": HARD}, {"pattern": AS_HARD}, [("pattern", [HARD], AS_HARD)], id="too hard to say"),
        pytest.param({}, {"format": "date"}, [("format", [], "date")], id="a format"),
        pytest.param({}, {"format": "password"}, [], id="a hint"),
        pytest.param({}, {"maximum": 5, "minItems": 2, "required": ["a"]}, [], id="of other types"),
    ],
)
def test_texts(small: dict[str, Any], big: dict[str, Any], expected: list[Any]) -> None:
    """Lengths, patterns and formats, which may imply each other."""
    assert tightened("string", small, big) == expected


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param({}, {"uniqueItems": True}, [("uniqueItems", False, True)], id="no item twice"),
        pytest.param({}, {"uniqueItems": False}, [], id="an item twice"),
        pytest.param({"uniqueItems": True}, {"uniqueItems": True}, [], id="as before"),
        pytest.param({"maxItems": 1}, {"uniqueItems": True}, [], id="one item at most"),
        pytest.param({"maxItems": 2}, {"uniqueItems": True}, [("uniqueItems", False, True)], id="two items at most"),
        pytest.param({"minItems": 1}, {"minItems": 2}, [("minItems", 1, 2)], id="more items"),
        pytest.param({"maxItems": 2}, {"maxItems": 1}, [("maxItems", 2, 1)], id="fewer items"),
    ],
)
def test_arrays(small: dict[str, Any], big: dict[str, Any], expected: list[Any]) -> None:
    """Counts, and duplicate items."""
    assert tightened("array", small, big) == expected


@pytest.mark.parametrize(
    ("small", "big", "expected"),
    [
        pytest.param({"required": ["b", "a"]}, {"required": ["a"]}, [], id="fewer required"),
        pytest.param(
            {}, {"required": ["b", "a"]}, [("required", None, "a"), ("required", None, "b")], id="more required"
        ),
        pytest.param({"required": ["a"]}, {"minProperties": 1}, [], id="as many as are required"),
        pytest.param({"required": ["a"]}, {"minProperties": 2}, [("minProperties", 1, 2)], id="more than are required"),
        pytest.param(
            {"properties": {"a": True}, "additionalProperties": False},
            {"maxProperties": 1},
            [],
            id="as many as there are",
        ),
        pytest.param({"properties": {"a": True}}, {"maxProperties": 1}, [("maxProperties", None, 1)], id="an open one"),
    ],
)
def test_objects(small: dict[str, Any], big: dict[str, Any], expected: list[Any]) -> None:
    """Required properties, and counts."""
    assert tightened("object", small, big) == expected


@pytest.mark.parametrize(
    ("big", "keyword"),
    [
        pytest.param({"maximum": 5}, "maximum", id="maximum"),
        pytest.param({"exclusiveMaximum": 5}, "maximum", id="exclusiveMaximum"),
        pytest.param({"exclusiveMinimum": 5}, "minimum", id="exclusiveMinimum"),
        pytest.param({"multipleOf": 5}, "multipleOf", id="multipleOf"),
        pytest.param({"format": "roman"}, "format", id="format"),
    ],
)
def test_a_difference_has_the_schema_that_demands_it(big: dict[str, Any], keyword: str) -> None:
    """The schema leads a person to the place."""
    [difference] = differences(the("number", {}), the("number", big))
    assert (difference.keyword, difference.owner) == (keyword, big)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"format": "password"}, False, id="a hint"),
        pytest.param({"maxLength": 5}, True, id="a length"),
        pytest.param({"not": {"enum": ["a"]}}, True, id="an exclusion"),
        pytest.param({"contentEncoding": "x"}, True, id="what is not understood"),
    ],
)
def test_a_form_that_takes_any_text(schema: dict[str, Any], expected: bool) -> None:
    """A form with further demands may refuse the text of a number, for example."""
    assert takes(the("string", schema), TEXT) is not expected


def test_a_fraction_of_zeros_may_make_a_difference() -> None:
    """In OpenAPI 3.0, where 2.0 is no integer."""
    whole, integer = the("number", {"multipleOf": 1}), the("number", {"type": "integer"})
    [difference] = differences(whole, integer, is_fraction_ignored=False)
    assert difference[:3] == ("type", "number", "integer")
    assert not list(differences(integer, whole, is_fraction_ignored=False))
