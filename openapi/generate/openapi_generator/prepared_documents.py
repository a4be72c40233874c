"""The copy of a document that OpenAPI Generator reads: what it mistakes or copies into code is left out or changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from openapi.contract import Document, is_json
from openapi.generate.openapi_generator.harmless_texts import is_plain, one_line, paragraphs
from openapi.generate.outside_profile import OutsideProfile, readable

Place = tuple[str, ...]

_TEXTS = {"description": paragraphs, "summary": one_line, "title": one_line}
_LEFT_OUT = {
    "callbacks",
    "example",
    "examples",
    "externalDocs",
    "info",  # apart from what _info keeps
    "links",  # openapi-generator 7.26.0 refuses a request body that is an object
    "pattern",  # a client validates nothing, and the service everything
    "xml",
}
_EXTENSIONS = {"x-enum-varnames"}
"""Those that a generator reads; all others are left out."""
_NAMED = {
    "content",
    "flows",
    "headers",
    "mapping",
    "parameters",
    "paths",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "scopes",
    "securitySchemes",
    "variables",
}
"""Members that are objects with names of the document, not keywords; `parameters` of an operation is an array."""
NO_LICENSE = "No license"
"""Of a client whose document names none; the generator would place it in the public domain (Unlicense)."""
_BINARY = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """What a generator reads: the JSON, and of it the title, version and license of the API, and its operationIds."""

    content: bytes = field(repr=False)
    title: str
    version: str
    license: str
    operations: tuple[str, ...]


def prepare(document: Document) -> PreparedDocument:
    """A copy of `document` that is safe to be made into code.

    OutsideProfile if a name or a value in it is not, or an operation has no operationId; ContractError if a reference
    leads out of the document.
    """
    with readable():
        info = _info(document.document["info"])
        copy = {**_object(document.document, ()), "info": info}
        content = json.dumps(copy, ensure_ascii=False, separators=(",", ":")).encode()
        license_name = info["license"]["name"]
        return PreparedDocument(content, info["title"], info["version"], license_name, tuple(_operations(document)))


def _info(info: Mapping[str, Any]) -> dict[str, Any]:
    """What every file of a client begins with: of the description the first paragraph alone."""
    description, _, _ = paragraphs(str(info.get("description", ""))).partition("\n\n")
    return {
        "title": one_line(str(info.get("title", ""))),
        "version": _plain(str(info["version"]), ("info", "version")),
        "description": " ".join(description.split("\n")),
        "license": {"name": one_line(str(info.get("license", {}).get("name") or NO_LICENSE))},
    }


def _operations(document: Document) -> list[str]:
    for operation in document.operations:
        if not operation.operation_id:
            raise OutsideProfile(operation.pointer, "it has no operationId, which names its method in a client")
    return [operation.operation_id for operation in document.operations]


def _object(node: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """An object with keywords of OpenAPI."""
    return {
        _plain(key, place): _member(key, value, (*place, key))
        for key, value in node.items()
        if key in _EXTENSIONS or not (key.startswith("x-") or key in _LEFT_OUT)
    }


def _member(key: str, value: Any, place: Place) -> Any:
    if key in _TEXTS and isinstance(value, str):
        return _TEXTS[key](value)
    if key == "content" and isinstance(value, dict):
        return _content(value, place)
    if key == "scopes" and isinstance(value, dict):  # each with its description
        return {_plain(name, place): one_line(str(text)) for name, text in value.items()}
    if key in _NAMED and isinstance(value, dict):
        return {_plain(name, (*place, name)): _value(inner, (*place, name)) for name, inner in value.items()}
    return _value(value, place)


def _content(content: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """Media types: JSON alone if there is a choice. Others are files, whatever the schema of a line is."""
    json_types = [name for name in content if is_json(name)]
    return {
        _plain(name, (*place, name)): _value(content[name], (*place, name)) if json_types else {"schema": _BINARY}
        for name in json_types or content
    }


def _value(value: Any, place: Place) -> Any:
    if isinstance(value, dict):
        return _reference(value, place) if "$ref" in value else _object(value, place)
    if isinstance(value, list):
        return [_value(inner, (*place, str(index))) for index, inner in enumerate(value)]
    return _plain(value, place) if isinstance(value, str) else value


def _reference(node: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """A reference, whose other members have no effect."""
    reference = str(node["$ref"])
    if not reference.startswith("#/"):
        raise OutsideProfile(place, "a reference leads out of the document")
    return {"$ref": "#" + _plain(reference[1:], place)}


def _plain(text: str, place: Place) -> str:
    """A name or a value, as it is; OutsideProfile if it could be code."""
    if not is_plain(text):
        raise OutsideProfile(place, "this name or value has characters that end a string or a comment in some language")
    return text
