"""A request for each operation of a document, with the values of its examples, to try it with."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from openapi.contract import Document, Operation
from openapi.generate.outside_profile import readable
from openapi.standards.media_types import JSON

DYNAMIC = {"idempotency-key": "{{$guid}}"}
"""Headers that have another value in each request, by a variable that the programs replace by a UUID."""
_BRACE = re.compile(r"(?<=\{)\{")
"""Each brace after another one: two begin a variable."""
_BY_TYPE = {"integer": 1, "number": 1.5, "boolean": True, "array": [], "object": {}}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter with a value, harmless for programs that replace `{{name}}`."""

    name: str
    value: str
    description: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """A request; `path` is a template as in the document, below the URL of the API."""

    folder: str
    name: str
    description: str
    method: str
    path: str
    path_fields: tuple[Field, ...]
    query: tuple[Field, ...]
    headers: tuple[Field, ...]
    media_type: str | None
    body: str | None
    has_credentials: bool
    scopes: tuple[str, ...]


def sample_requests(document: Document) -> list[SampleRequest]:
    """A request for each operation, in the order of `document`; ContractError if it is no OpenAPI document."""
    with readable():
        return [_sample(document, operation) for operation in document.operations]


def client_credentials(document: Document) -> Mapping[str, Any] | None:
    """The flow of client credentials that the document names first, with its tokenUrl and scopes; None without one."""
    with readable():
        schemes = document.document.get("components", {}).get("securitySchemes", {}).values()
        flows = [document.resolve(scheme).get("flows", {}).get("clientCredentials") for scheme in schemes]
        return next((flow for flow in flows if flow), None)


def harmless(text: str) -> str:
    """`text` without the two braces that begin a variable: a program would fill in a secret of its user."""
    return _BRACE.sub(" {", text)


def _sample(document: Document, operation: Operation) -> SampleRequest:
    node = document.at(operation.pointer)
    parameters = document.parameters(operation.pointer)
    media_type, body = _body(document, document.resolve(node.get("requestBody", {})))
    security = node.get("security", document.document.get("security", []))
    return SampleRequest(
        folder=harmless(str(next(iter(node.get("tags", [])), ""))),
        name=harmless(str(node.get("summary") or operation.name)),
        description=harmless(str(node.get("description", ""))),
        method=operation.method.upper(),
        path=operation.path,
        path_fields=_fields(document, parameters, "path"),
        query=_fields(document, parameters, "query"),
        headers=_fields(document, parameters, "header"),
        media_type=media_type,
        body=body,
        has_credentials=any(security),
        scopes=tuple(str(scope) for each in security for scopes in each.values() for scope in scopes),
    )


def _fields(document: Document, parameters: list[dict[str, Any]], location: str) -> tuple[Field, ...]:
    return tuple(
        Field(
            harmless(str(parameter["name"])),
            DYNAMIC.get(str(parameter["name"]).lower(), harmless(_value(document, parameter))),
            harmless(str(parameter.get("description", ""))),
            location == "path" or parameter.get("required") is True,
        )
        for parameter in parameters
        if parameter["in"] == location
    )


def _value(document: Document, parameter: dict[str, Any]) -> str:
    """The text of an example of a parameter."""
    declared = next(iter(parameter.get("content", {}).values()), parameter)
    example = _example(document, declared)
    return example if isinstance(example, str) else json.dumps(example)


def _body(document: Document, node: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """A media type, JSON if there is a choice, and the text of an example; None and None without a body."""
    content = node.get("content", {})
    if not content:
        return None, None
    media_type = JSON if JSON in content else next(iter(content))
    example = _example(document, content[media_type])
    text = example if isinstance(example, str) and media_type != JSON else json.dumps(example, indent=2)
    return media_type, _BRACE.sub(r"\\u007b", text) if media_type == JSON else harmless(text)


def _example(document: Document, declared: Mapping[str, Any]) -> Any:
    """The example of a parameter or a media type: its own, the first of several, or one of its schema."""
    if "example" in declared:
        return declared["example"]
    for example in declared.get("examples", {}).values():
        return document.resolve(example).get("value")
    return _of_schema(document, declared.get("schema", {}), 0)


def _of_schema(document: Document, schema: Any, depth: int) -> Any:
    """An example of a schema; of an object the required properties."""
    resolved = document.resolve(schema)
    for keyword in ("example", "default"):
        if keyword in resolved:
            return resolved[keyword]
    if resolved.get("enum"):
        return resolved["enum"][0]
    for keyword in ("allOf", "oneOf", "anyOf"):
        if resolved.get(keyword) and depth < len(_BY_TYPE):
            return _of_schema(document, resolved[keyword][0], depth + 1)
    if resolved.get("properties") and depth < len(_BY_TYPE):
        required = [name for name in resolved["properties"] if name in resolved.get("required", [])]
        return {name: _of_schema(document, resolved["properties"][name], depth + 1) for name in required}
    return _BY_TYPE.get(resolved.get("type", ""), "")


def filled(request: SampleRequest) -> str:
    """The path of `request` with its values."""
    path = request.path
    for field in request.path_fields:
        path = path.replace("{" + field.name + "}", quote(field.value, safe="", errors="replace"))
    return _BRACE.sub("%7B", path)
