"""Equivalent ways to write a document."""

import copy
import random
from collections.abc import Callable
from typing import Any

from openapi.schemas.conversion import MARKS
from tests.openapi.diff.mutations import Schema, schemas_of

NOTHING: dict[str, dict[str, Any]] = {
    "string": {"minLength": 0},
    "array": {"minItems": 0, "uniqueItems": False},
    "object": {"minProperties": 0},
    "number": {"exclusiveMinimum": False},
    "integer": {"multipleOf": 1, "exclusiveMaximum": False},
}
"""By type: keywords without effect."""
CHANGED = 5
"""Number of schemas that are rewritten at once."""


def rewritten(raw: dict[str, Any], way: str, dice: random.Random) -> dict[str, Any]:
    """A copy of the document `raw`, rewritten in one of `WAYS`."""
    result = copy.deepcopy(raw)
    if way in OF_DOCUMENTS:
        OF_DOCUMENTS[way](result)
        return result
    schemas = [schema for schema in schemas_of(result) if not schema.keys() & set(MARKS)]
    for schema in dice.sample(schemas, min(CHANGED, len(schemas))):
        OF_SCHEMAS[way](schema, result)
    return result


def reference_out(schema: Schema, raw: Any) -> None:
    """Move the schema into a component."""
    known = raw["components"].setdefault("schemas", {})
    name = f"Moved{len(known)}"
    known[name] = dict(schema)
    schema.clear()
    schema["$ref"] = f"#/components/schemas/{name}"


def all_of_one(schema: Schema, _: Any) -> None:
    """Wrap the schema in `allOf`."""
    _wrap(schema, "allOf")


def any_of_one(schema: Schema, _: Any) -> None:
    """Wrap the schema in `anyOf`."""
    _wrap(schema, "anyOf")


def one_of_one(schema: Schema, _: Any) -> None:
    """Wrap the schema in `oneOf`."""
    _wrap(schema, "oneOf")


def _wrap(schema: Schema, key: str) -> None:
    inner = dict(schema)
    schema.clear()
    schema[key] = [inner]


def split(schema: Schema, _: Any) -> None:
    """Split an open object into two parts."""
    properties = schema.get("properties", {})
    if "additionalProperties" not in schema and len(properties) > 1:
        first, *_rest = properties
        schema["allOf"] = [*schema.get("allOf", []), {"type": "object", "properties": {first: properties.pop(first)}}]


def merged(schema: Schema, raw: Any) -> None:
    """Split the schema, then merge each part of `allOf` that has only `type` and `properties` back into it.

    Nothing is merged into a schema with `additionalProperties`.
    """
    split(schema, raw)
    parts, schema["allOf"] = schema.get("allOf", []), []
    for part in parts:
        if (
            part.keys() <= {"type", "properties"}
            and part.get("type") == "object"
            and "additionalProperties" not in schema
        ):
            schema["properties"] = {**schema.get("properties", {}), **part["properties"]}
        else:
            schema["allOf"].append(part)
    if not schema["allOf"]:
        del schema["allOf"]


def reordered(schema: Schema, _: Any) -> None:
    """Reverse lists and properties whose order has no effect."""
    for key in ("enum", "required", "anyOf", "oneOf", "allOf"):
        if key in schema:
            schema[key] = schema[key][::-1]
    if "properties" in schema:
        schema["properties"] = dict(reversed(schema["properties"].items()))


def redundant(schema: Schema, _: Any) -> None:
    """Add keywords without effect."""
    for key, value in {**NOTHING.get(schema.get("type", ""), {}), "nullable": False, "deprecated": False}.items():
        schema.setdefault(key, value)


def references_in(raw: Any) -> None:
    """Replace references to components without references by their targets."""
    for item in raw["paths"].values():
        for operation in item.values():
            _replace(operation, raw["components"].get("schemas", {}))


def _replace(node: Any, known: dict[str, Any]) -> None:
    inner = node if isinstance(node, list) else list(node.values()) if isinstance(node, dict) else []
    for child in inner:
        name = str(child.get("$ref")).rpartition("/")[2] if isinstance(child, dict) else ""
        if name in known:
            child.clear()
            child.update(copy.deepcopy(known[name]))
        _replace(child, known)


def parameters_up(raw: Any) -> None:
    """Move the parameters of operations to their path items."""
    for item in raw["paths"].values():
        [operation] = [inner for key, inner in item.items() if key != "parameters"]
        item["parameters"] = [*item.get("parameters", []), *operation.pop("parameters", [])]


def unused(raw: Any) -> None:
    """Add a component without references to it."""
    raw["components"].setdefault("schemas", {})["Unused"] = {"type": "string"}


def keys_reversed(raw: Any) -> None:
    """Reverse the keys of components and operations."""
    for holder in (raw, raw["components"], *raw["paths"].values()):
        for key, inner in list(holder.items()):
            if isinstance(inner, dict):
                holder[key] = dict(reversed(inner.items()))


OF_SCHEMAS: dict[str, Callable[[Schema, Any], None]] = {
    way.__name__: way
    for way in (reference_out, all_of_one, any_of_one, one_of_one, split, merged, reordered, redundant)
}
OF_DOCUMENTS: dict[str, Callable[[Any], None]] = {
    way.__name__: way for way in (references_in, parameters_up, unused, keys_reversed)
}
WAYS = [*OF_SCHEMAS, *OF_DOCUMENTS]
