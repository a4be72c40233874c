"""Schemas for metadata: the accepted ones, the faults of the others, and the problems that they find in events."""

import time
from typing import Any

import pytest

from openapi.metadata.check import MetadataSchema, check
from openapi.metadata.keywords import KEYWORDS

UUID = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
URI = "https://json-schema.org/draft/2020-12/schema"


def deep(levels: int) -> dict[str, Any]:
    """A schema of `levels` levels of properties."""
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(levels - 1):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def fields(*schemas: Any) -> dict[str, Any]:
    """An object with a field for each schema: f0, f1 and so on."""
    return {"type": "object", "properties": {f"f{index}": schema for index, schema in enumerate(schemas)}}


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param({"type": "object"}, id="any object"),
        pytest.param({"$schema": URI, "type": ["object"], "title": "Press", "examples": [{}]}, id="annotations"),
        pytest.param(deep(12), id="twelve levels"),
        pytest.param(fields({"type": "string", "pattern": "^[a-z0-9-]{1,64}$"}), id="a pattern"),
        pytest.param(fields(*[{"pattern": f"^[A-Z]{{3}}-{index}$"} for index in range(100)]), id="many small patterns"),
        pytest.param(fields({"type": "integer", "maximum": 5}, True, False, {"enum": [None, 1]}), id="kinds of fields"),
        pytest.param({"type": "object", "anyOf": [{"required": ["a"]}, {"minProperties": 3}]}, id="one of two forms"),
        pytest.param(fields({"minimum": 1, "maximum": 1}), id="one number"),
    ],
)
def test_a_schema_of_the_subset_is_accepted(schema: Any) -> None:
    """It has no fault, and it compiles."""
    assert check(schema) == []
    assert MetadataSchema(schema)


@pytest.mark.parametrize(
    ("schema", "pointer", "message"),
    [
        pytest.param(True, "", '"type": "object"', id="no object"),
        pytest.param({}, "", '"type": "object"', id="no type"),
        pytest.param({"type": 5}, "", '"type": "object"', id="a number as type"),
        pytest.param({"type": [["object"]]}, "", '"type": "object"', id="a list in the list of types"),
        pytest.param(
            fields({"type": 5}), "/properties/f0/type", "type must be one of", id="a number as a field's type"
        ),
        pytest.param({"type": ["object", "null"]}, "", '"type": "object"', id="null as well"),
        pytest.param(deep(13), "/properties/a" * 12, "more than 12 levels", id="thirteen levels"),
        pytest.param({"type": "object", "title": "x" * 16384}, "", "larger than 16384 bytes", id="long"),
        pytest.param(fields(*[True] * 400), "", "more than 400 subschemas", id="many subschemas"),
        pytest.param({"type": "object", "anyOf": [True] * 17}, "/anyOf", "1 to 16 schemas", id="many branches"),
        pytest.param(fields({"maxLenght": 3}), "/properties/f0/maxLenght", "write maxLength", id="a misspelt keyword"),
        pytest.param(fields({"x": 3}), "/properties/f0/x", "there is no keyword 'x'", id="no keyword at all"),
        pytest.param(fields({"$ref": "#"}), "/properties/f0/$ref", "references are not accepted", id="a reference"),
        pytest.param({"type": "object", "oneOf": [True]}, "/oneOf", "anyOf", id="oneOf"),
        pytest.param(fields({"$schema": URI}), "/properties/f0/$schema", "at the top", id="a dialect within"),
        pytest.param(fields({"maxLength": 1.0}), "/properties/f0/maxLength", "an integer", id="a decimal count"),
        pytest.param(fields({"maximum": True}), "/properties/f0/maximum", "a number", id="a bound that is no number"),
        pytest.param(fields({"minimum": 2**53 + 1}), "/properties/f0/minimum", "2^53", id="a bound that is not exact"),
        pytest.param(fields({"type": []}), "/properties/f0/type", "one of array", id="no type in a list"),
        pytest.param(fields({"format": "email"}), "/properties/f0/format", "'uuid' or 'date-time'", id="a format"),
        pytest.param(fields({"type": "string", "maximum": 1}), "/properties/f0/maximum", "type number", id="in vain"),
        pytest.param(
            fields({"minimum": 2, "maximum": 1}), "/properties/f0/minimum", "nothing satisfies", id="no number"
        ),
        pytest.param(fields({"minimum": 1, "exclusiveMaximum": 1}), "/properties/f0/minimum", "nothing", id="excluded"),
        pytest.param(
            {"type": "object", "required": ["a"], "additionalProperties": False}, "/required", "'a'", id="closed"
        ),
        pytest.param(
            {"type": "object", "required": ["a"], "maxProperties": 0}, "/maxProperties", "raise", id="too few"
        ),
        pytest.param(
            {**fields(True), "minProperties": 2, "additionalProperties": False},
            "/minProperties",
            "lower",
            id="too many",
        ),
        pytest.param(
            fields({"type": "string", "enum": ["a", 1]}), "/properties/f0/enum", "the value 1", id="dead value"
        ),
        pytest.param(fields({"pattern": "(?=a)"}), "/properties/f0/pattern", "lookaround", id="lookaround"),
        pytest.param(fields({"pattern": "("}), "/properties/f0/pattern", "not a pattern", id="no pattern"),
        pytest.param(fields({"pattern": "a" * 501}), "/properties/f0/pattern", "500 characters", id="a long pattern"),
        pytest.param(
            fields({"pattern": "a{1500}"}, *[{"pattern": "a"}] * 9), "/properties/f0/pattern", "10", id="share"
        ),
    ],
)
def test_each_fault_has_its_pointer_and_a_message(schema: Any, pointer: str, message: str) -> None:
    """A fault has the pointer of the keyword, and its message says what would be right."""
    fault, *others = check(schema)
    assert (fault.pointer, others) == (pointer, [])
    assert message in fault.message


@pytest.mark.parametrize(
    "pattern",
    [r"(a{1000}){1000}", r"(?:a?){1500}a{1500}", r"\p{L}{1000}", "((((a{0,10}){10}){10}){10}){10}", "(a?){1000}" * 30],
)
def test_costly_patterns_are_refused_at_little_cost(pattern: str) -> None:
    """A pattern that would compile to megabytes is given up early."""
    started = time.process_time()
    assert check(fields({"pattern": pattern}))
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("levels", [40, 100_000])
@pytest.mark.parametrize("key", ["items", "default", "enum"])
def test_hostile_depth_is_refused_at_little_cost(key: str, levels: int) -> None:
    """A schema or a value within it is not looked at beyond the allowed depth."""
    value: Any = {}
    for _ in range(levels):
        value = {"items": value} if key == "items" else [value]
    started = time.process_time()
    assert "32 levels deep" in check({"type": "object", key: value})[0].message
    assert time.process_time() - started < 0.1


def test_a_problem_names_each_fault_of_an_event_s_metadata() -> None:
    """Errors name the path of the field from `metadata` on, and formats are those of the contract."""
    button = {"enum": ["yes", "no"]}
    schema = MetadataSchema({**fields({"format": "uuid"}, {"maximum": 3}, button), "$schema": URI, "required": ["f2"]})
    assert schema.problem({"metadata": {"f0": UUID, "f1": 3, "f2": "yes"}}) is None
    problem = schema.problem({"metadata": {"f0": "x", "f1": 4, "f2": "maybe"}})
    assert problem is not None
    assert problem.code == "invalid_body"
    for error in ("metadata/f0 is not a UUID", "metadata/f1 is above 3", "metadata/f2 is not one of"):
        assert error in problem.error


@pytest.mark.parametrize(
    ("schema", "value", "error"),
    [
        pytest.param({"const": {"a": None}}, 1, "metadata/f0 is not the one allowed value", id="one value"),
        pytest.param(False, 1, "metadata/f0 is not allowed", id="no value"),
        pytest.param({"multipleOf": 0.5}, 1.2, "metadata/f0 is not a multiple of 0.5", id="a multiple"),
        pytest.param({"uniqueItems": True}, [1, 1.0], "metadata/f0 has an item twice", id="an item twice"),
    ],
)
def test_each_keyword_has_words(schema: Any, value: Any, error: str) -> None:
    """Also a keyword that the contract's own schemas do not use."""
    problem = MetadataSchema(fields(schema)).problem({"metadata": {"f0": value}})
    assert problem is not None
    assert problem.error == error


def test_absent_metadata_are_empty_metadata() -> None:
    """An event without metadata lacks each required field, and has no other fault."""
    assert MetadataSchema({"type": "object"}).problem({}) is None
    problem = MetadataSchema({"type": "object", "required": ["a"]}).problem({})
    assert problem is not None
    assert (problem.error, problem.help) == ("metadata/a is required", "Add metadata/a.")


def test_the_problem_of_very_many_faults_names_the_first() -> None:
    """To find all of them would take seconds and much memory."""
    branches = {"anyOf": [{"anyOf": [{"type": "null"}] * 16}] * 16}
    schema = {"type": "object", "additionalProperties": {"type": "array", "items": branches}}
    assert check(schema) == []
    started = time.process_time()
    problem = MetadataSchema(schema).problem({"metadata": {"a": [1] * 32_000}})
    assert time.process_time() - started < 1
    assert problem is not None
    assert problem.error == "metadata/a/0 matches none of its schemas"


def test_every_keyword_names_the_value_that_it_takes() -> None:
    """The message for another value says what the keyword takes."""
    for key in KEYWORDS.keys() - {"additionalProperties", "const", "default", "items", "properties", "type"}:
        messages = [fault.message for fault in check({"type": "object", key: {"a": 1}})]
        assert messages == [f"{key} must be {KEYWORDS[key].wanted}"]
