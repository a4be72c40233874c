"""Examples of metadata for people: each satisfies its schema, and none is claimed that does not."""

from typing import Any

import pytest

from openapi.metadata.check import MetadataSchema, check
from openapi.metadata.examples import example

OBJECT: dict[str, Any] = {"type": "object"}


def fields(**schemas: Any) -> dict[str, Any]:
    """An object that requires all of its fields."""
    return {**OBJECT, "properties": schemas, "required": [*schemas]}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        pytest.param(OBJECT, {}, id="any object"),
        pytest.param(fields(a={"type": "string"}, b={"type": "number"}, c={"type": "boolean"}), None, id="plain"),
        pytest.param(fields(at={"type": "string", "format": "date-time"}), {"at": "2026-03-31T12:00:00Z"}, id="format"),
        pytest.param(fields(id={"pattern": "^[A-Z]{2}-[0-9]+$"}), None, id="pattern"),
        pytest.param({**OBJECT, "properties": {"note": {"type": "string"}}}, {"note": "text"}, id="optional field"),
        pytest.param(fields(a={"examples": [1, "x"], "type": "string"}), {"a": "x"}, id="first valid example"),
        pytest.param({**fields(a={}), "examples": [{"b": 1}, {"a": 2}]}, {"a": 2}, id="example of the whole"),
        pytest.param(
            fields(a={"default": 5}, b={"const": None}, c={"enum": ["x"]}), {"a": 5, "b": None, "c": "x"}, id="listed"
        ),
        pytest.param(fields(a={"type": "integer", "minimum": 7, "multipleOf": 5}), {"a": 10}, id="bounds"),
        pytest.param(
            fields(a={"type": "array", "items": {"type": "integer"}, "minItems": 2}), {"a": [1, 1]}, id="items"
        ),
        pytest.param(
            fields(a={"type": "array", "items": {"type": "integer"}, "minItems": 2, "uniqueItems": True}),
            None,
            id="unique items",
        ),
        pytest.param(fields(a=fields(b={"type": "string"})), {"a": {"b": "text"}}, id="nested"),
        pytest.param({**OBJECT, "properties": {"a": False, "b": True}}, {"b": "text"}, id="forbidden field"),
        pytest.param({**OBJECT, "anyOf": [{"required": ["x"]}, {"required": ["y"]}]}, None, id="alternatives"),
        pytest.param({**OBJECT, "properties": {"a": {}, "b": {}}, "maxProperties": 1}, {}, id="too few for all"),
        pytest.param(
            fields(**{"a/b~c": {"enum": ["</script>"]}, "": {"minLength": 1}, "$ref": True}), None, id="odd names"
        ),
        pytest.param({"$schema": "https://json-schema.org/draft/2020-12/schema", **OBJECT}, {}, id="dialect"),
    ],
)
def test_an_example_satisfies_its_schema(schema: dict[str, Any], value: Any) -> None:
    """It is `value`, if that is told; otherwise any that is accepted."""
    assert check(schema) == []
    metadata = example(schema)
    assert metadata is not None
    assert MetadataSchema(schema).problem({"metadata": metadata}) is None
    assert metadata == (metadata if value is None else value)


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(
            fields(a={"type": "integer", "multipleOf": 7, "minimum": 15, "maximum": 20}), id="no value at all"
        ),
        pytest.param(fields(a={"type": "string", "minLength": 100_000}), id="a long text"),
        pytest.param(fields(**{f"p{n}": {"type": "string", "minLength": 99_000} for n in range(200)}), id="long texts"),
        pytest.param({**OBJECT, "minProperties": 2000}, id="many fields"),
        pytest.param(
            {
                **fields(z={"enum": [1]}, **{f"p{n}": {"type": "string", "pattern": "^b"} for n in range(44)}),
                "allOf": [{"properties": {"z": {"enum": [2]}}}],
            },
            id="contradiction",
        ),
    ],
)
def test_without_an_example_there_is_none(schema: dict[str, Any]) -> None:
    """A value that is refused, or would take long to find, is not made."""
    assert check(schema) == []
    assert example(schema) is None
