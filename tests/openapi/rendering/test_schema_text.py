"""Schemas in words: types, limits, and which fields an object has."""

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


def told(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """The place of each object, and its fields, the required ones with a star."""
    return [
        (one.place, " ".join(field.name + "*" * field.is_required for field in one.fields))
        for one in objects(CONTRACT, schema)
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
def test_types_are_told_in_words(schema: dict[str, Any], words: str) -> None:
    """Those of the first declaration, and more of their kind; what stands beside a reference does not count."""
    assert kind(CONTRACT, schema) == words


def test_a_type_that_refers_to_itself_comes_to_an_end() -> None:
    """What lies deeper is any JSON."""
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
def test_limits_are_told_in_words(schema: dict[str, Any], words: list[str]) -> None:
    """Each in a few, and none where there is none."""
    assert limits(schema) == words


@pytest.mark.parametrize(
    ("schema", "found"),
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
def test_each_object_is_told_once(schema: dict[str, Any], found: list[tuple[str, str]]) -> None:
    """Where it stands, what fields it has and which are required; schemas that refer to themselves come to an end."""
    assert told(schema) == found


def test_objects_without_end_are_told_to_some_depth() -> None:
    """A document may nest a hundred levels."""
    schema: dict[str, Any] = {"properties": {"a": TEXT}}
    for _ in range(90):
        schema = {"properties": {"a": schema}}
    assert 3 < len(told(schema)) < 10
