"""The dialects of documents, and OpenAPI 3.1 with references that stand alone, as in 3.0.

In 3.1 other keywords may stand beside `$ref`, and apply together with it: here they do so by `allOf`. What a reference
means that depends on `$id`, an anchor or another dialect of JSON Schema is not compared. Such a schema becomes an
`opaque` one, which is equal to another if both documents write the same, also in each schema that it may refer to.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

from openapi.contract import ITEM_SCHEMA, METHODS, ContractError, Document
from openapi.schemas.conversion import LISTS_OF_3_1, MAPS_OF_3_1, SCHEMAS_OF_3_1, TEXTS_OF_3_1, is_3_1, opaque

_COMPARED = re.compile(r"3\.[01](\.[0-9A-Za-z.+-]*)?")
_DIALECTS = ("https://spec.openapis.org/oas/3.1/dialect/base", "https://json-schema.org/draft/2020-12/schema")
"""The dialects of JSON Schema that are compared; without a fragment."""
_NAMED = (
    *("paths", "webhooks", "responses", "headers", "links", "content", "callbacks", "parameters", "requestBodies"),
    *("securitySchemes", "pathItems", "variables", "encoding", "scopes"),
)
"""Members whose keys are names."""
_OF_SCHEMAS = ("schemas", "x-item-schemas", "$defs")
"""Members whose values are schemas by name."""
_VALUES = ("example", "examples", "default", "value", "enum", "mapping")
_ANCHORS = ("$id", "$anchor", "$dynamicAnchor")


def compared(document: Document, side: str) -> Document:
    """`document` as the comparison reads it; ContractError names its version if that is not 3.0 or 3.1."""
    version = str(document.document.get("openapi", ""))
    if _COMPARED.fullmatch(version) is None:
        if "swagger" in document.document:
            swagger = str(document.document["swagger"])[:20]
            raise ContractError(f"the {side} document is Swagger {swagger}; convert it to OpenAPI 3")
        named = f"OpenAPI {version[:20]}" if version else "of no version of OpenAPI"
        raise ContractError(f"the {side} document is {named}; OpenAPI 3.0 and 3.1 are compared")
    if not is_3_1(document):
        return document
    return replace(document, document=_Rewriting(document).document())


class _Rewriting:
    """One document of OpenAPI 3.1, rewritten."""

    def __init__(self, document: Document) -> None:
        self._source = document
        self._items: dict[int, Any] = {}
        """The rewritten targets of path items, by identity."""

    def document(self) -> dict[str, Any]:
        """The rewritten document."""
        rewritten: dict[str, Any] = self._node(self._source.document)
        return rewritten

    def _node(self, node: Any, has_names: bool = False) -> Any:
        """`node`, which is no schema, rewritten; with `has_names` its keys are names."""
        if isinstance(node, list):
            return [self._node(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        if not has_names and isinstance(node.get("$ref"), str):
            return self._path_item(node) if node.keys() & {*METHODS, "parameters", "servers"} else node
        return {key: self._member(key, inner, has_names) for key, inner in node.items()}

    def _member(self, key: str, value: Any, is_name: bool) -> Any:
        if is_name:
            return self._node(value)
        if key in ("schema", ITEM_SCHEMA):
            return self._schema(value)
        if key in _OF_SCHEMAS and isinstance(value, dict):
            return {name: self._schema(inner) for name, inner in value.items()}
        return value if key in _VALUES else self._node(value, key in _NAMED)

    def _path_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """`item`, which has members beside its reference, together with those of the target."""
        target = self._source.resolve(item)
        if id(target) not in self._items:
            self._items[id(target)] = {}  # a callback of the target may lead back to it
            self._items[id(target)] = self._node(target)
        own = {key: self._member(key, value, False) for key, value in item.items() if key != "$ref"}
        shared = self._items[id(target)]
        return {**shared, **own} if isinstance(shared, dict) else own

    def _schema(self, node: Any) -> Any:
        if not isinstance(node, dict):
            return node
        if other := self._other_meaning(node):
            return opaque(other, self._digest(node))
        rewritten = {key: self._within_schema(key, value) for key, value in node.items()}
        demanded = []
        for key in ("$ref", "$dynamicRef"):
            reference = node.get(key)
            if isinstance(reference, str) and (key == "$dynamicRef" or re.match("#[^/]", reference)):
                demanded.append(opaque("$anchor" if key == "$ref" else key, self._digest(reference)))
                del rewritten[key]
        if isinstance(rewritten.get("$ref"), str) and (demanded or not rewritten.keys() <= {"$ref", *TEXTS_OF_3_1}):
            demanded.append({"$ref": rewritten.pop("$ref")})
        if demanded:
            own = rewritten.get("allOf")
            rewritten["allOf"] = [*(own if isinstance(own, list) else ()), *demanded]
        return rewritten

    def _within_schema(self, key: str, value: Any) -> Any:
        if key in SCHEMAS_OF_3_1:
            return self._schema(value)
        if key in LISTS_OF_3_1 and isinstance(value, list):
            return [self._schema(inner) for inner in value]
        if key in (*MAPS_OF_3_1, "properties", "$defs") and isinstance(value, dict):
            return {name: self._schema(inner) for name, inner in value.items()}
        return value

    def _other_meaning(self, schema: dict[str, Any]) -> str | None:
        """The keyword that gives the keywords or references of `schema` another meaning; None if none does."""
        if isinstance(schema.get("$id"), str):
            return "$id"
        dialect = schema.get("$schema", self._source.document.get("jsonSchemaDialect", _DIALECTS[0]))
        return None if str(dialect).rstrip("#") in _DIALECTS else "$schema"

    def _digest(self, node: Any) -> str:
        return _digest_of([node, self._referable])

    @cached_property
    def _referable(self) -> str:
        """A digest of the schemas that an opaque one may refer to."""
        components = self._source.document.get("components")
        schemas = components.get("schemas") if isinstance(components, dict) else None
        dialect = self._source.document.get("jsonSchemaDialect")
        return _digest_of([dialect, schemas, *map(_digest_of, _anchored(self._source.document))])


def _anchored(document: Any) -> Iterator[Any]:
    """Each object of `document` that has an anchor or an `$id`."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if any(isinstance(node.get(key), str) for key in _ANCHORS):
                yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


def _digest_of(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]
