"""Metadata that a schema accepts, as an example for people."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from openapi.contract import ContractError, Document
from openapi.metadata.check import MetadataSchema, validator
from openapi.metadata.keywords import subschemas
from openapi.metadata.narrowing import EFFORT
from openapi.schemas.conversion import Node, Parts
from openapi.schemas.engine import Engine

_NAME = "metadata"
_PLAIN = ("text", 1, True)
"""Values that a reader understands, for schemas that accept one of them."""
_LONGEST = {"maxItems": 10, "maxLength": 200, "maxProperties": 50}
"""Limits on the values that are searched for: longer ones would take long to find, and no person would read them."""
_MOST_SCHEMAS = 50
"""No value is searched for a schema with more subschemas."""


def example(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Metadata that `schema` accepts, with as many fields as are easy to find; None if none is found.

    `check` finds no fault in `schema`. Its own examples come first.
    """
    plain = {key: value for key, value in schema.items() if key != "$schema"}
    document, accepts = Document("", {_NAME: _shortened(plain)}), MetadataSchema(schema)
    values = _values(plain, (_NAME,), Engine(document, document, None, EFFORT))
    objects = (value for value in values if isinstance(value, dict))
    return next((value for value in objects if accepts.problem({_NAME: value}) is None), None)


def _values(schema: Any, parts: Parts, engine: Engine) -> Iterator[Any]:
    """Values that `schema`, at `parts` in the document, may accept: the one that says most to a reader first."""
    if isinstance(schema, dict):
        yield from schema.get("examples", [])
        yield from (schema[key] for key in ("default", "const") if key in schema)
        yield from schema.get("enum", [])
        if "properties" in schema:
            properties = ((name, (*parts, "properties", name), inner) for name, inner in schema["properties"].items())
            yield {name: value for name, place, inner in properties for value in _accepted(inner, place, engine)}
        if "items" in schema:
            count = max(1, min(schema.get("minItems", 1), _LONGEST["maxItems"]))
            yield _accepted(schema["items"], (*parts, "items"), engine) * count
    yield from _PLAIN
    if _size(schema) <= _MOST_SCHEMAS:
        with suppress(ContractError):
            yield from engine.example(Node((engine.new.at(parts),)))


def _accepted(schema: Any, parts: Parts, engine: Engine) -> list[Any]:
    """The first value that `schema` accepts; empty if none is found."""
    accepts = validator(schema)
    return next(([value] for value in _values(schema, parts, engine) if accepts.is_valid(value)), [])


def _size(schema: Any) -> int:
    """The number of schemas in `schema`."""
    return 1 + sum(_size(inner) for _, inner in subschemas(schema))


def _shortened(schema: Any) -> Any:
    """`schema` for short values alone: it accepts none that `schema` refuses."""
    if not isinstance(schema, dict):
        return schema
    limits = {keyword: min(most, schema.get(keyword, most)) for keyword, most in _LONGEST.items()}
    lists = {key: [*map(_shortened, schema[key])] for key in ("allOf", "anyOf") if key in schema}
    parts = {key: _shortened(schema[key]) for key in ("items", "additionalProperties") if key in schema}
    fields = {name: _shortened(inner) for name, inner in schema.get("properties", {}).items()}
    return {**schema, **limits, **lists, **parts, **({"properties": fields} if fields else {})}
