"""The keywords that a schema for `metadata` may have: a subset of JSON Schema draft 2020-12.

It excludes keywords that refer outside the schema. It also excludes keywords that could make it undecidable whether a
new version of a schema accepts all that the old one accepts (`openapi/metadata/narrowing.py`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from openapi.schemas.validation import FORMATS

MAX_BRANCHES = 16  # of one anyOf or allOf
MAX_PATTERN_CHARACTERS = 500

URI = "https://json-schema.org/draft/2020-12/schema"
_EXACT = 2**53  # doubles cannot represent every larger integer, and such a bound would be rounded

TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
Parts = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Keyword:
    """The rule for the value of a keyword; it applies to instances of `type`, or of all types if None."""

    is_well_formed: Callable[[Any], bool]
    wanted: str
    type: str | None = None


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _EXACT


def _is_number(value: Any) -> bool:
    return type(value) in (int, float, Decimal) and abs(value) <= _EXACT


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _is_list_of(is_member: Callable[[Any], bool], value: Any) -> bool:
    return isinstance(value, list) and all(map(is_member, value))


def _are_names(value: Any) -> bool:
    return _is_list_of(lambda name: isinstance(name, str), value) and len(set(value)) == len(value)


def _are_types(value: Any) -> bool:
    return value in TYPES if isinstance(value, str) else bool(value) and _are_names(value) and set(value) <= {*TYPES}


def _are_branches(value: Any) -> bool:
    return _is_list_of(_is_schema, value) and 1 <= len(value) <= MAX_BRANCHES


_ANNOTATION = Keyword(lambda _: True, "anything")
_BOOLEAN = Keyword(lambda value: isinstance(value, bool), "true or false")
_TEXT = Keyword(lambda value: isinstance(value, str), "a string")
_SCHEMA_FORM = "a schema: an object, true or false"
_BRANCHES = Keyword(_are_branches, f"a list of 1 to {MAX_BRANCHES} schemas")


def _count(of: str) -> Keyword:
    return Keyword(_is_count, "an integer from 0 to 2^53", of)


def _bound() -> Keyword:
    return Keyword(_is_number, "a number from -2^53 to 2^53", "number")


KEYWORDS = {
    "$schema": Keyword(lambda value: value == URI, f"'{URI}'"),
    "additionalProperties": Keyword(_is_schema, _SCHEMA_FORM, "object"),
    "allOf": _BRANCHES,
    "anyOf": _BRANCHES,
    "const": _ANNOTATION,
    "default": _ANNOTATION,
    "deprecated": _BOOLEAN,
    "description": _TEXT,
    "enum": Keyword(lambda value: isinstance(value, list) and bool(value), "a list of at least one value"),
    "examples": Keyword(lambda value: isinstance(value, list), "a list"),
    "exclusiveMaximum": _bound(),
    "exclusiveMinimum": _bound(),
    "format": Keyword(lambda value: value in [*FORMATS], " or ".join(f"'{name}'" for name in FORMATS), "string"),
    "items": Keyword(_is_schema, _SCHEMA_FORM, "array"),
    "maxItems": _count("array"),
    "maxLength": _count("string"),
    "maxProperties": _count("object"),
    "maximum": _bound(),
    "minItems": _count("array"),
    "minLength": _count("string"),
    "minProperties": _count("object"),
    "minimum": _bound(),
    "multipleOf": Keyword(lambda value: _is_number(value) and value > 0, "a number above 0, at most 2^53", "number"),
    "pattern": Keyword(
        lambda value: isinstance(value, str) and len(value) <= MAX_PATTERN_CHARACTERS,
        f"a regular expression of at most {MAX_PATTERN_CHARACTERS} characters",
        "string",
    ),
    "properties": Keyword(
        lambda value: isinstance(value, dict) and all(map(_is_schema, value.values())), "an object of schemas", "object"
    ),
    "required": Keyword(_are_names, "a list of names, each once", "object"),
    "title": _TEXT,
    "type": Keyword(_are_types, f"one of {', '.join(TYPES)}, or a list of some of them, each once"),
    "uniqueItems": Keyword(_BOOLEAN.is_well_formed, _BOOLEAN.wanted, "array"),
}
ANNOTATIONS = ("$schema", "default", "deprecated", "description", "examples", "title")

_STANDS_ALONE = "references are not accepted, not even within the schema; write the subschema where it applies"
_USE_ANY_OF = "with it, a wider part can make the whole narrower; list the allowed forms in anyOf"
_LIST_THE_FIELDS = "fields are known by their names alone; list them in properties, the others in additionalProperties"
REFUSED = {
    **dict.fromkeys(["$anchor", "$defs", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "definitions"], _STANDS_ALONE),
    **dict.fromkeys(["$recursiveAnchor", "$recursiveRef", "$vocabulary"], _STANDS_ALONE),
    **dict.fromkeys(["else", "if", "not", "oneOf", "then"], _USE_ANY_OF),
    **dict.fromkeys(["dependencies", "dependentRequired", "dependentSchemas"], _USE_ANY_OF),
    **dict.fromkeys(["patternProperties", "propertyNames", "unevaluatedProperties"], _LIST_THE_FIELDS),
    **dict.fromkeys(
        ["additionalItems", "contains", "maxContains", "minContains", "prefixItems", "unevaluatedItems"],
        "all items of an array have one schema; write it in items, or send an object with a name for each item",
    ),
    **dict.fromkeys(
        ["contentEncoding", "contentMediaType", "contentSchema"], "it would not be checked; say it in the description"
    ),
    **dict.fromkeys(["readOnly", "writeOnly"], "metadata is only ever sent; say in the description what it is for"),
    "$comment": "say it in the description",
    "example": "write a list of examples",
    "nullable": "add null to type",
}
"""The unaccepted keywords of JSON Schema and of OpenAPI, each with the reason or the remedy."""


def subschemas(schema: Any) -> Iterator[tuple[Parts, Any]]:
    """The direct subschemas of a well-formed `schema`, each with its place in it."""
    if not isinstance(schema, dict):
        return
    for key in ("allOf", "anyOf"):
        yield from (((key, index), branch) for index, branch in enumerate(schema.get(key, [])))
    yield from ((("properties", name), inner) for name, inner in schema.get("properties", {}).items())
    yield from (((key,), schema[key]) for key in ("items", "additionalProperties") if key in schema)


def types_of(schema: dict[str, Any]) -> set[str]:
    """The types that `schema` names; all types if it names none."""
    named = schema.get("type", TYPES)
    return {named} if isinstance(named, str) else set(named)
