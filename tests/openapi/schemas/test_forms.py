"""Normal forms: the types that a schema is a union of, and the bounds of each form."""

import math
from fractions import Fraction
from typing import Any

import pytest

from openapi.schemas.conversion import Node
from openapi.schemas.forms import MOST_FORMS, TYPES, Bound, Form, TooMuchError, exact, forms

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
NONE_BELOW, NONE_ABOVE = Bound(-math.inf, False), Bound(math.inf, False)


def forms_of(*schemas: Any, **targets: Any) -> list[Form]:
    """The forms of the values that satisfy all of `schemas`, which refer to `targets` by name."""
    return forms(Node(schemas), targets.__getitem__, lambda: None)


def the(*schemas: Any) -> Form:
    """The only form of `schemas`."""
    [form] = forms_of(*schemas)
    return form


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        pytest.param(True, list(TYPES), id="anything"),
        pytest.param(False, [], id="nothing"),
        pytest.param({"type": "integer"}, ["integer"], id="integers are numbers"),
        pytest.param({"type": ["string", "null"]}, ["null", "string"], id="nullable"),
        pytest.param({"type": [5]}, [], id="no name of a type"),
        pytest.param({"allOf": [NUMBER, {"type": "integer"}]}, ["integer"], id="allOf narrows"),
        pytest.param({"allOf": [NUMBER, TEXT]}, [], id="allOf of nothing"),
        pytest.param({"type": ["string", "null"], "allOf": [TEXT]}, ["string"], id="allOf next to a type"),
        pytest.param({"anyOf": [TEXT, NUMBER]}, ["string", "number"], id="anyOf in its order"),
        pytest.param({"anyOf": [TEXT, False]}, ["string"], id="anyOf with nothing"),
        pytest.param({"anyOf": []}, [], id="anyOf of none"),
        pytest.param({"anyOf": [TEXT, NUMBER], "oneOf": [TEXT, NUMBER]}, ["string", "number"], id="anyOf and oneOf"),
        pytest.param({"allOf": [{"anyOf": [TEXT, NUMBER]}], "type": "number"}, ["number"], id="anyOf within allOf"),
    ],
)
def test_a_schema_is_a_union_of_types(schema: Any, types: list[str]) -> None:
    """One form for each type that each alternative may have."""
    assert [form.type for form in forms_of(schema)] == types


def test_one_of_excludes_the_others() -> None:
    """Each form excludes the other alternatives, in addition to `not`."""
    branches = [{**TEXT, "maxLength": length} for length in (1, 2, 3)]
    first, second, third = forms_of({"oneOf": branches, "not": {"enum": ["a"]}})
    assert first.excluded == ({"enum": ["a"]}, branches[1], branches[2])
    assert second.excluded == ({"enum": ["a"]}, branches[0], branches[2])
    assert third.excluded == ({"enum": ["a"]}, branches[0], branches[1])
    assert {"not": branches[0]} in second.node.schemas
    assert branches[1] in second.schemas


def test_a_reference_may_repeat_but_not_refer_to_itself() -> None:
    """A schema that only refers to itself has no form; the schemas of properties and items are not looked into."""
    reference = {"$ref": "A"}
    assert [form.kind for form in forms_of({"allOf": [reference, reference]}, A=TEXT)] == ["string"]
    assert forms_of(reference, A={"type": "array", "items": reference})[0].items.schemas == (reference, True)[:1]
    for loop in (reference, {"allOf": [TEXT, reference]}, {"anyOf": [TEXT, {"$ref": "B"}]}):
        with pytest.raises(TooMuchError):
            forms_of(reference, A=loop, B=reference)


def test_the_number_of_forms_is_limited() -> None:
    """Alternatives multiply."""
    assert len(forms_of({"anyOf": [TEXT] * MOST_FORMS})) == MOST_FORMS
    for schema in ({"anyOf": [TEXT] * (MOST_FORMS + 1)}, {"allOf": [{"anyOf": [TEXT, TEXT]}] * 20}):
        with pytest.raises(TooMuchError):
            forms_of(schema)


@pytest.mark.parametrize(
    ("keywords", "lowest", "highest"),
    [
        pytest.param({}, NONE_BELOW, NONE_ABOVE, id="none"),
        pytest.param({"minimum": 0.1, "maximum": 2}, Bound(exact(0.1), False), Bound(exact(2), False), id="both"),
        pytest.param(
            {"minimum": 1, "exclusiveMinimum": 1, "maximum": 2, "exclusiveMaximum": 2},
            Bound(exact(1), True),
            Bound(exact(2), True),
            id="the same number excluded",
        ),
        pytest.param(
            {"minimum": 2, "exclusiveMinimum": 1, "maximum": 3, "exclusiveMaximum": 4},
            Bound(exact(2), False),
            Bound(exact(3), False),
            id="a nearer number not excluded",
        ),
        pytest.param(
            {"type": "integer", "minimum": 0.5, "maximum": 2.5},
            Bound(exact(1), False),
            Bound(exact(2), False),
            id="integers within",
        ),
        pytest.param(
            {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 4},
            Bound(exact(2), False),
            Bound(exact(3), False),
            id="integers between",
        ),
        pytest.param(
            {"type": "integer", "exclusiveMinimum": 0.5, "exclusiveMaximum": 2.5},
            Bound(exact(1), False),
            Bound(exact(2), False),
            id="integers between fractions",
        ),
        pytest.param({"type": "integer"}, NONE_BELOW, NONE_ABOVE, id="integers without end"),
    ],
)
def test_the_bounds_of_numbers(keywords: dict[str, Any], lowest: Bound, highest: Bound) -> None:
    """The tightest of several bounds; for integers, the last integer within it."""
    form = the({**NUMBER, **keywords})
    assert (form.lowest, form.highest) == (lowest, highest)


def test_the_tightest_bounds_of_several_schemas() -> None:
    """All schemas hold, their divisors too."""
    form = the({**NUMBER, "minimum": 1, "maximum": 9, "multipleOf": 0.5}, {"minimum": 3, "maximum": 5, "multipleOf": 0})
    assert (form.lowest.value, form.highest.value, form.divisors) == (3, 5, [Fraction(1, 2)])
    assert the({"type": "integer", "multipleOf": 2}).divisors == [2, 1]


@pytest.mark.parametrize(
    ("schema", "lowest", "highest"),
    [
        pytest.param({"minProperties": 1, "maxProperties": 5}, 1, 5, id="as said"),
        pytest.param({"minProperties": 1, "required": ["a", "b"]}, 2, math.inf, id="required ones"),
        pytest.param({"maxProperties": 5, "properties": {"a": True}, "additionalProperties": False}, 0, 1, id="closed"),
        pytest.param({"properties": {"a": True}, "additionalProperties": TEXT}, 0, math.inf, id="open"),
    ],
)
def test_counts_of_properties(schema: dict[str, Any], lowest: float, highest: float) -> None:
    """Required properties raise the lowest count; a closed object limits the highest."""
    form = the({"type": "object", **schema})
    assert (form.lowest_count("minProperties"), form.highest_count("maxProperties")) == (lowest, highest)


@pytest.mark.parametrize(
    ("schema", "is_empty"),
    [
        pytest.param({**NUMBER, "minimum": 2, "maximum": 2}, False, id="one number"),
        pytest.param({**NUMBER, "minimum": 2, "exclusiveMaximum": 2}, True, id="its end excluded"),
        pytest.param({**NUMBER, "exclusiveMinimum": 2, "maximum": 2}, True, id="its beginning excluded"),
        pytest.param({**NUMBER, "minimum": 3, "maximum": 2}, True, id="ends crossed"),
        pytest.param({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, True, id="no integer between"),
        pytest.param({**TEXT, "minLength": 2, "maxLength": 2}, False, id="one length"),
        pytest.param({**TEXT, "minLength": 3, "maxLength": 2}, True, id="no length"),
        pytest.param({"type": "array", "minItems": 3, "maxItems": 2}, True, id="no count of items"),
        pytest.param({"type": "object", "required": ["a"], "properties": {"a": False}}, True, id="a required nothing"),
        pytest.param({"type": "object", "properties": {"a": False}}, False, id="an optional nothing"),
        pytest.param(
            {"type": "object", "required": ["a"], "additionalProperties": False}, True, id="closed without it"
        ),
        pytest.param({"type": "boolean", "minimum": 3, "maximum": 2}, False, id="of another type"),
    ],
)
def test_evidently_empty_forms(schema: dict[str, Any], is_empty: bool) -> None:
    """Empty as far as the form's own bounds show."""
    assert the(schema).is_evidently_empty() is is_empty


@pytest.mark.parametrize(
    ("schemas", "listed"),
    [
        pytest.param([{**TEXT, "enum": ["a", "b"]}], ["a", "b"], id="enum"),
        pytest.param([{**TEXT, "const": "a", "enum": ["a", "b"]}], ["a"], id="const"),
        pytest.param([TEXT, {"enum": ["b"]}], ["b"], id="by another schema"),
        pytest.param([{**TEXT, "const": None}], [None], id="a const of another type"),
        pytest.param([{"type": "null"}], [None], id="null"),
        pytest.param([{"type": "boolean"}], [False, True], id="boolean"),
        pytest.param([TEXT], None, id="none"),
    ],
)
def test_listed_values(schemas: list[Any], listed: list[Any] | None) -> None:
    """From enum and const, and from types that have few values."""
    assert the(*schemas).listed == listed


def test_the_owner_of_a_keyword() -> None:
    """The schema that has the value, alone or in a list; otherwise the last schema that has the keyword."""
    first, last = {"required": ["a"], "minProperties": 1}, {"required": ["b"], "minProperties": 2}
    form = the({"type": "object"}, first, last)
    assert form.owner("required", "a") is first
    assert form.owner("minProperties", 1) is first
    assert form.owner("required", "c") is last
    assert form.owner("minProperties") is last
    assert form.owner("maxProperties") is None


def test_the_schemas_of_a_property() -> None:
    """Its own in `properties`, or else those of additional properties."""
    form = the({"type": "object", "properties": {"a": TEXT}, "additionalProperties": NUMBER}, {"properties": {"b": {}}})
    assert form.property("a").schemas == (TEXT, True)
    assert form.property("b").schemas == (NUMBER, {})
    assert form.others.schemas == (NUMBER, True)
    assert form.names == {"a", "b"}
    assert not form.is_open
    assert not form.is_closed
    assert the({"type": "object", "additionalProperties": {}}).is_open
    assert the({"type": "object"}, {"additionalProperties": False}).is_closed


def test_unknown_keywords_are_kept() -> None:
    """The form keeps no others."""
    assert the({**TEXT, "contentEncoding": "x", "maxLength": 5, "title": "A", "default": "a"}).beyond == {
        "contentEncoding": "x"
    }


def test_the_summary_of_an_alternative_names_its_properties() -> None:
    """Without properties, it is the type."""
    form = the({"type": "object", "properties": {"b": {}, "a": {}}, "required": ["b"]})
    assert form.summary == "object (required: b; optional: a)"
    assert the({"type": "integer"}).summary == "integer"


def test_the_summary_of_an_alternative_is_its_component() -> None:
    """An alternative that is no reference has none, also within one that is."""
    outer, inner = (f"urn:new#/$defs/components~1schemas~1{name}" for name in "AB")
    targets = {outer: {"oneOf": [{"$ref": inner}, {"type": "integer"}]}, inner: {"type": "string"}}
    summaries = [form.summary for form in forms_of({"anyOf": [{"$ref": outer}, {"type": "boolean"}]}, **targets)]
    assert summaries == ["B", "integer", "boolean"]
