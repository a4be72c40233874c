"""The fields of schemas for metadata, in words."""

from decimal import Decimal
from typing import Any

import pytest

from openapi.metadata.fields import MOST_FIELDS, Field, fields

OBJECT: dict[str, Any] = {"type": "object"}


def described(schema: Any) -> tuple[str, list[str]]:
    """The type and the limits of a field of that schema."""
    (field, *_) = fields({**OBJECT, "properties": {"f": schema}}).fields
    return field.type, field.limits


@pytest.mark.parametrize(
    ("schema", "type_", "limits"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 2000}, "TEXT", ["1 to 2,000 characters"]),
        ({"type": "string", "format": "date-time"}, "ISO 8601 timestamp", []),
        ({"type": ["string", "null"], "pattern": "^`a`$"}, "TEXT or null", ["matching ^`a`$"]),
        ({"type": ["integer", "boolean"]}, "INTEGER or BOOLEAN", []),
        (
            {"type": "number", "exclusiveMinimum": 0, "maximum": Decimal("1.5")},
            "NUMBER",
            ["at most 1.5", "more than 0"],
        ),
        ({"type": "integer", "minimum": 3, "exclusiveMaximum": 9}, "INTEGER", ["at least 3", "less than 9"]),
        ({"type": "array", "items": {"type": "integer"}, "maxItems": 3}, "array of INTEGER", ["at most 3 items"]),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "INTEGER or TEXT", []),
        ({"enum": ["a", None]}, "any JSON", ['one of "a", null']),
        ({"enum": ["a", "b"]}, "TEXT", ['one of "a", "b"']),
        ({"const": Decimal("1.10")}, "any JSON", ["always 1.10"]),
        ({"type": "null"}, "any JSON", ["always null"]),
        (True, "any JSON", []),
        (False, "any JSON", ["must be absent"]),
    ],
)
def test_a_field_has_a_type_and_limits(schema: Any, type_: str, limits: list[str]) -> None:
    """In the words of contracts, without marks of Markdown."""
    assert described(schema) == (type_, limits)


def test_nested_fields_have_the_path_to_them() -> None:
    """Those of objects and of items, each with its meaning, and whether its object needs it."""
    inner = {**OBJECT, "properties": {"b": {"type": "string", "title": "B."}}, "required": ["b"]}
    listed = fields({**OBJECT, "properties": {"a": inner, "l": {"type": "array", "items": {**inner}}}})
    rows = [(field.name, field.is_required, field.description) for field in listed.fields]
    assert rows == [("a", False, ""), ("l", False, ""), ("a.b", True, "B."), ("l[].b", True, "B.")]
    assert isinstance(listed.fields[0], Field)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ({}, "Other fields are accepted, too."),
        ({"additionalProperties": False}, "Other fields are refused."),
        ({"additionalProperties": {"type": "integer"}}, "Other fields are accepted if they are: INTEGER."),
    ],
)
def test_it_says_what_other_fields_may_be(others: dict[str, Any], words: str) -> None:
    """JSON Schema accepts them by default."""
    assert fields({**OBJECT, **others}).others == words


def test_a_large_schema_is_cut() -> None:
    """The words are bounded, and say so."""
    listed = fields({**OBJECT, "properties": {f"p{n}": {"enum": ["x" * 500] * 99} for n in range(MOST_FIELDS + 1)}})
    assert (len(listed.fields), listed.is_cut) == (MOST_FIELDS, True)
    assert len(listed.fields[0].limits[0]) < 1000
    assert listed.fields[0].limits[0].endswith(", others")
