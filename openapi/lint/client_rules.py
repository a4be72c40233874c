"""Rules for documents from which clients are generated, each learnt from a generator that did badly.

The service can serve a document that breaks them.
"""

from collections.abc import Callable, Iterator
from typing import Any

from openapi.contract import ITEM_SCHEMA, Contract, essence, schema_key
from openapi.lint import walk
from openapi.lint.walk import Parts
from openapi.standards.media_types import NDJSON

_STREAMS = (NDJSON, "text/csv")
_NAMELESS = "is not a component, so generated code has no good name for it: move it to components/schemas"
_TAKEN_NAMES = {"Error", "Object", "String"}
"""Names of components that hide a class of JavaScript, Java or Swift in generated code."""


def names_schemas(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Objects and enumerations are components: a generator names any other one by its place, or by a number."""
    for parts, schema in walk.schemas(contract):
        if walk.is_component(parts):
            continue
        if "properties" in schema:
            yield parts, f"the object {_NAMELESS}"
        if len([value for value in schema.get("enum", ()) if value is not None]) > 1:
            yield parts, f"the enumeration {_NAMELESS}"


def avoids_taken_names(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """No component has the name of a class that every program knows."""
    for name in contract.document.get("components", {}).get("schemas", {}):
        if name in _TAKEN_NAMES:
            yield ("components", "schemas", name), f"{name} is a class in other languages: give the schema another name"


def describes_streams(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Bodies of lines are binary: clients would read any other schema as that of one JSON value."""
    for parts in walk.media_types(contract):
        media_type, declared = essence(parts[-1]), contract.at(parts)
        if media_type not in _STREAMS:
            continue
        schema = contract.resolve(declared.get("schema", {}))
        if (schema.get("type"), schema.get("format")) != ("string", "binary"):
            yield (*parts, "schema"), f"the schema of {media_type} is not of type string and format binary"
        if schema_key(media_type, declared) == "schema" and media_type == NDJSON:
            yield parts, f"{media_type} has no {ITEM_SCHEMA}, the schema of a line"


def links_without_bodies(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """No link has a request body that is an object: openapi-generator 7.26 refuses the document."""
    for parts, link in walk.links(contract):
        if isinstance(link.get("requestBody"), dict | list):
            message = "the request body of a link is not a string, which openapi-generator requires"
            yield (*parts, "requestBody"), message


def takes_null_for_absent(contract: Contract) -> Iterator[tuple[Parts, str]]:
    """Optional fields of requests may be null, because serializers write that; required fields may not."""
    for parts, schema in _request_objects(contract):
        for name, inner in schema.get("properties", {}).items():
            field = contract.resolve(inner)
            where = (*parts, "properties", name)
            if name in schema.get("required", ()):
                if field.get("nullable") is True:
                    yield where, "the field is required and nullable, but null means that a field is absent"
            elif field.get("nullable") is not True and field.get("readOnly") is not True and "type" in field:
                yield where, "the optional field is not nullable: many clients send null for it"


def _request_objects(contract: Contract) -> Iterator[tuple[Parts, dict[str, Any]]]:
    """Each schema of a request body that has properties, once, with its place."""
    seen: set[int] = set()
    waiting: list[Parts] = []
    for parts in walk.media_types(contract):
        if "requestBody" in parts:
            key = schema_key(parts[-1], contract.at(parts))
            waiting.append((*parts, key))
    while waiting:
        parts = walk.place(contract, waiting.pop())
        schema = contract.at(parts)
        if not isinstance(schema, dict) or id(schema) in seen:
            continue
        seen.add(id(schema))
        if "properties" in schema:
            yield parts, schema
        waiting += [(*parts, "properties", name) for name in schema.get("properties", {})]
        waiting += [(*parts, key) for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
        waiting += [
            (*parts, key, str(index))
            for key in ("allOf", "anyOf", "oneOf")
            for index in range(len(schema.get(key, ())))
        ]


RULES: dict[str, Callable[[Contract], Iterator[tuple[Parts, str]]]] = {
    "named-schemas": names_schemas,
    "free-names": avoids_taken_names,
    "binary-streams": describes_streams,
    "links-without-bodies": links_without_bodies,
    "null-for-absent": takes_null_for_absent,
}
