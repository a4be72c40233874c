"""Schemas in words: types, limits, and the fields of objects."""

from typing import Any

import pytest

from openapi.contract import Contract
from openapi.rendering.schema_text import MAX_ALTERNATIVES, kind, limits, objects

TEXT = {"type": "string"}
CONTRACT = Contract(
    "",
    {
        "Loop": {"oneOf": [{"$ref": "#/Loop2"}, {"type": "array", "items": {"$ref": "#/Loop"}}]},
        "Loop2": {"anyOf": [{"$ref": "#/Loop"}]},
        "Tree": {
            "type": "object",
            "properties": {"name": TEXT, "children": {"type": "array", "items": {"$ref": "#/Tree"}}},
        },
        "Itself": {"allOf": [{"$ref": "#/Itself"}, {"properties": {"a": TEXT}, "required": ["a"]}]},
        "Id": {"type": "string", "format": "uuid"},
    },
)


def objects_of(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """The place and fields of each object in `schema`; required fields have a star."""
    return [
        (item.place, " ".join(field.name + "*" * field.is_required for field in item.fields))
        for item in objects(CONTRACT, schema)
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "format": "uuid"}, "UUID"),
        ({"type": "string", "format": "date-time"}, "ISO 8601 timestamp"),
        ({"type": "string", "format": "date"}, "ISO 8601 date"),
        ({"type": "string", "format": "else"}, "TEXT"),
        ({"type": "string", "enum": ["a"]}, "TEXT"),
        ({"type": "integer", "format": "date"}, "INTEGER"),
        ({"type": "number"}, "NUMBER"),
        ({"type": "boolean"}, "BOOLEAN"),
        ({"type": "object"}, "JSON object"),
        ({"properties": {}}, "JSON object"),
        ({"$ref": "#/Id"}, "UUID"),
        ({"$ref": "#/Id", "nullable": True}, "UUID"),
        ({"type": "string", "nullable": True}, "TEXT or null"),
        ({"type": "array", "items": {"$ref": "#/Id"}}, "array of UUID"),
        ({"type": "array"}, "array of any JSON"),
        ({"oneOf": [TEXT, {"type": "integer"}, TEXT]}, "TEXT or INTEGER"),
        ({"anyOf": [{"$ref": "#/Id"}, TEXT], "nullable": True}, "UUID or TEXT or null"),
        ({"oneOf": [TEXT] * MAX_ALTERNATIVES + [{"type": "integer"}]}, "TEXT or others"),
        ({"$ref": "#/Itself"}, "JSON object"),
        ({}, "any JSON"),
        ({"type": "file"}, "any JSON"),
    ],
)
def test_each_type_has_words(schema: dict[str, Any], words: str) -> None:
    """Those of the first declaration, and similar ones; keywords next to a reference do not count."""
    assert kind(CONTRACT, schema) == words


def test_a_recursive_type_has_a_finite_text() -> None:
    """Deeper levels read "any JSON"."""
    assert kind(CONTRACT, {"$ref": "#/Loop"}).endswith("any JSON")


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({}, []),
        ({"minLength": 1, "maxLength": 2000}, ["1 to 2,000 characters"]),
        ({"maxLength": 20}, ["at most 20 characters"]),
        ({"minItems": 2}, ["at least 2 items"]),
        ({"minimum": 0, "maximum": 1.5}, ["0 to 1.5"]),
        ({"minimum": 0, "exclusiveMinimum": True}, ["more than 0"]),
        ({"maximum": 9, "exclusiveMaximum": True}, ["less than 9"]),
        ({"minimum": 1, "maximum": 9000, "exclusiveMaximum": True}, ["at least 1", "less than 9,000"]),
        ({"pattern": "^[`a]+$"}, ["matching ``^[`a]+$``"]),
        ({"default": False}, ["default `false`"]),
    ],
)
def test_limits_have_words(schema: dict[str, Any], words: list[str]) -> None:
    """A few words for each limit, and none without limits."""
    assert limits(schema) == words


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (TEXT, []),
        ({"type": "object"}, []),
        ({"properties": {"a": TEXT, "b": TEXT}, "required": ["b", "c"]}, [("", "a b*")]),
        ({"type": "array", "items": {"properties": {"a": TEXT}}}, [("[]", "a")]),
        (
            {"properties": {"a": {"properties": {"b": {"properties": {"c": TEXT}}}}}},
            [("", "a"), ("a", "b"), ("a.b", "c")],
        ),
        ({"properties": {"a": {"type": "array", "items": {"properties": {"b": TEXT}}}}}, [("", "a"), ("a[]", "b")]),
        (
            {"allOf": [{"properties": {"a": TEXT}, "required": ["a"]}, {"$ref": "#/Tree"}], "properties": {"b": TEXT}},
            [("", "name children a* b"), ("children[]", "name children")],
        ),
        ({"$ref": "#/Itself"}, [("", "a*")]),
        ({"$ref": "#/Tree"}, [("", "name children")]),
    ],
)
def test_each_object_is_listed_once(schema: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """With its place, its fields and the required ones; recursive schemas end."""
    assert objects_of(schema) == expected


def test_deeply_nested_objects_are_listed_to_a_limited_depth() -> None:
    """A document may have a hundred levels."""
    schema: dict[str, Any] = {"properties": {"a": TEXT}}
    for _ in range(90):
        schema = {"properties": {"a": schema}}
    assert 3 < len(objects_of(schema)) < 10
