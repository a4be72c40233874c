"""Documents and schemas of OpenAPI 3.0 in the words of 3.1.

This module shares no code with the comparison of documents, so that no fault can hide in both.
"""

from typing import Any

OF_SCHEMAS = ("items", "not", "additionalProperties", "allOf", "anyOf", "oneOf")
OF_NAMES = ("properties", "schemas", "x-item-schemas")


def in_3_1(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of a document of 3.0 that describes the same messages as 3.1."""
    written: dict[str, Any] = _node(document, is_schema=False)
    return {**written, "openapi": "3.1.0"}


def schema_in_3_1(schema: Any) -> Any:
    """A copy of a schema of 3.0 that accepts the same values in 3.1."""
    return _node(schema, is_schema=True)


def _node(node: Any, is_schema: bool) -> Any:
    if isinstance(node, list):
        return [_node(inner, is_schema) for inner in node]
    if not isinstance(node, dict):
        return node
    if is_schema:
        return _schema(node)
    return {
        key: value
        if key in ("example", "examples", "value")
        else {name: _node(inner, is_schema=True) for name, inner in value.items()}
        if key in OF_NAMES
        else _node(value, key in ("schema", "x-item-schema"))
        for key, value in node.items()
    }


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    written = {key: _keyword(key, value) for key, value in schema.items()}
    if written.pop("nullable", False) and isinstance(schema.get("type"), str):
        written["type"] = [schema["type"], "null"]
    if len(written.get("enum", ())) == 1:
        written["const"] = written.pop("enum")[0]
    if "example" in written:
        written["examples"] = [written.pop("example")]
    if [list(inner) for inner in written.get("allOf", ())] == [["$ref"]]:
        written |= written.pop("allOf")[0]
    return _with_excluded_bounds(written)


def _keyword(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _node(inner, is_schema=True) for name, inner in value.items()}
    return _node(value, is_schema=True) if key in OF_SCHEMAS else value


def _with_excluded_bounds(written: dict[str, Any]) -> dict[str, Any]:
    for bound, excluded in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(written.get(excluded), bool) and written.pop(excluded) and bound in written:
            written[excluded] = written.pop(bound)
    return written
