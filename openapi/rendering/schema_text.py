"""A schema of a contract in words: types, limits, and the fields of objects."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openapi.contract import Document
from openapi.rendering.markdown import code

MAX_DEPTH = 5
"""Limit on the described levels of nested objects and types; schemas may refer to themselves."""
MAX_ALTERNATIVES = 5

_FORMATS = {"uuid": "UUID", "date-time": "ISO 8601 timestamp", "date": "ISO 8601 date"}
_TYPES = {"string": "TEXT", "integer": "INTEGER", "number": "NUMBER", "boolean": "BOOLEAN", "object": "JSON object"}
_ANY = "any JSON"


@dataclass(frozen=True, slots=True)
class DescribedField:
    """One field of an object: `schema` is without references."""

    name: str
    is_required: bool
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DescribedFields:
    """The fields of the object at `place`: `a.b` is nested in another object, `a[]` is an array item."""

    place: str
    fields: tuple[DescribedField, ...]


def kind(document: Document, schema: dict[str, Any], depth: int = 0) -> str:
    """The type of the values that `schema` accepts, in words."""
    schema = document.resolve(schema)
    if depth > MAX_DEPTH:
        return _ANY
    if alternatives := schema.get("oneOf") or schema.get("anyOf"):
        # Nested alternatives multiply: fewer of their levels are described.
        kinds = [kind(document, alternative, depth + 2) for alternative in alternatives[:MAX_ALTERNATIVES]]
        words = " or ".join(dict.fromkeys([*kinds, *(["others"] if len(alternatives) > MAX_ALTERNATIVES else [])]))
    elif schema.get("type") == "array":
        words = f"array of {kind(document, schema.get('items', {}), depth + 1)}"
    else:
        words = _of_type(schema)
    return f"{words} or null" if schema.get("nullable") else words


def limits(schema: dict[str, Any], quoted: Callable[[str], str] = code) -> list[str]:
    """The limits of `schema`, a few words each; `quoted` sets a text apart, by default for Markdown."""
    exclusive = {
        name.lower().removeprefix("exclusive") for name in schema if name.startswith("exclusive") and schema[name]
    }
    inclusive = {name: value for name, value in schema.items() if name not in exclusive}
    descriptions = [
        _between(schema, "minLength", "maxLength", "characters"),
        _between(schema, "minItems", "maxItems", "items"),
        _between(inclusive, "minimum", "maximum", ""),
        f"more than {schema['minimum']:,}" if schema.get("exclusiveMinimum") else "",
        f"less than {schema['maximum']:,}" if schema.get("exclusiveMaximum") else "",
        f"matching {quoted(schema['pattern'])}" if "pattern" in schema else "",
        f"default {quoted(json.dumps(schema['default'], ensure_ascii=False))}" if "default" in schema else "",
    ]
    return [words for words in descriptions if words]


def objects(document: Document, schema: dict[str, Any]) -> list[DescribedFields]:
    """The objects that `schema` accepts, each once and before its nested objects."""
    return list(_objects(document, schema, "", set()))


def _objects(document: Document, schema: dict[str, Any], place: str, seen: set[int]) -> Iterator[DescribedFields]:
    schema = document.resolve(schema)
    if id(schema) in seen or place.count(".") + place.count("[]") > MAX_DEPTH:
        return
    seen.add(id(schema))
    if schema.get("type") == "array":
        yield from _objects(document, schema.get("items", {}), f"{place}[]", seen)
        return
    properties, required = _properties(document, schema, set())
    if properties:
        yield DescribedFields(
            place, tuple(DescribedField(name, name in required, inner) for name, inner in properties.items())
        )
    for name, inner in properties.items():
        yield from _objects(document, inner, f"{place}.{name}" if place else name, seen)


def _properties(document: Document, schema: dict[str, Any], seen: set[int]) -> tuple[dict[str, Any], set[str]]:
    """The properties of an object, and the names of the required ones, including those of `allOf`."""
    seen.add(id(schema))
    layers = [{name: document.resolve(inner) for name, inner in schema.get("properties", {}).items()}]
    required = set(schema.get("required", ()))
    for part in map(document.resolve, schema.get("allOf", ())):
        if id(part) not in seen:
            more, needed = _properties(document, part, seen)
            layers.append(more)
            required |= needed
    properties: dict[str, Any] = {}
    for layer in reversed(layers):
        properties.update(layer)
    return properties, required


def _of_type(schema: dict[str, Any]) -> str:
    name = schema.get("type", "object" if "properties" in schema or "allOf" in schema else "")
    if name == "string" and schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return _TYPES.get(name, _ANY)


def _between(schema: dict[str, Any], low: str, high: str, what: str) -> str:
    """The range of a number or of a length, in words; empty if unlimited."""
    lowest, highest = schema.get(low), schema.get(high)
    if lowest is None and highest is None:
        return ""
    if lowest is None:
        words = f"at most {highest:,}"
    elif highest is None:
        words = f"at least {lowest:,}"
    else:
        words = f"{lowest:,} to {highest:,}"
    return f"{words} {what}".strip()
