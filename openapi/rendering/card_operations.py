"""The part of a card that describes operations: their authentication, parameters, bodies and responses."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from openapi.contract import Contract, Operation, schema_key
from openapi.rendering.markdown import block, code, line, paragraphs, table
from openapi.rendering.schema_text import DescribedFields, kind, limits, objects
from openapi.standards.status_phrases import PHRASES

Shared = list[tuple[str, str]]
"""The status of a response that several operations share, and the reference to it."""


def describe_operation(contract: Contract, operation: Operation, shared: Shared) -> Iterator[str]:
    """The paragraphs that describe one operation."""
    node = contract.at(operation.pointer)
    yield f"## {code(f'{operation.method.upper()} {server_path(contract)}{operation.path}')}"
    if summary := node.get("summary"):
        yield f"**{line(summary.rstrip('.'))}.**"
    yield from paragraphs(node.get("description", ""))
    yield f"Authentication: {authentication(contract, node)}."
    yield from _parameters(contract, operation)
    yield from _body(contract, contract.resolve(node.get("requestBody", {})))
    yield from _answers(contract, node["responses"], shared)


def shared_answers(contract: Contract) -> Shared:
    """The responses that more than one operation references, sorted by status."""
    counts: Counter[tuple[str, str]] = Counter()
    for operation in contract.operations:
        responses = contract.at(operation.pointer)["responses"]
        counts.update((status, response["$ref"]) for status, response in responses.items() if "$ref" in response)
    return sorted(answer for answer, count in counts.items() if count > 1)


def describe_answer(contract: Contract, status: str, response: dict[str, Any]) -> Iterator[str]:
    """One response: its status, its description, and examples of its body."""
    yield f"**{titled(status)}**: {line(response.get('description', ''))}"
    for media_type, content in response.get("content", {}).items():
        for summary, example in examples_of(contract, content):
            yield f"{line(summary)} ({code(media_type)}):" if summary else f"{code(media_type)}:"
            yield block(example if isinstance(example, str) else json.dumps(example, indent=2, ensure_ascii=False))


def security_scheme(scheme: dict[str, Any]) -> str:
    """The words for authentication by `scheme`, without the scopes that an operation may require."""
    if scheme["type"] == "http" and scheme["scheme"].lower() == "bearer":
        return code(f"Authorization: Bearer <{'-'.join(scheme.get('bearerFormat', 'token').lower().split())}>")
    if scheme["type"] == "http":
        return code(f"Authorization: {scheme['scheme']} <credentials>")
    if scheme["type"] == "apiKey":
        return f"{code(scheme['name'])} in {line(scheme['in'])}"
    return {"oauth2": "OAuth 2.0", "openIdConnect": "OpenID Connect"}.get(scheme["type"], line(scheme["type"]))


def server_path(contract: Contract) -> str:
    """The path of the first server, without a slash at its end."""
    servers = contract.document.get("servers") or [{"url": ""}]
    return str(servers[0]["url"]).rstrip("/")


def authentication(contract: Contract, node: dict[str, Any]) -> str:
    """The alternatives for authentication, in words."""
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    ways = []
    for requirement in node.get("security", contract.document.get("security", [])):
        needed = []
        for name, scopes in requirement.items():
            scoped = f" with {', '.join(map(code, scopes))}" if scopes else ""
            needed.append(security_scheme(contract.resolve(schemes[name])) + scoped)
        ways.append(" and ".join(needed) or "none")
    return ", or ".join(ways) or "none"


def _parameters(contract: Contract, operation: Operation) -> Iterator[str]:
    """A table of the parameters of an operation and of its path."""
    rows = []
    for parameter in contract.parameters(operation.pointer):
        name, place = parameter["name"], parameter["in"]
        schema = contract.resolve(parameter.get("schema", {}))
        where = f"{place}, required" if parameter.get("required") else place
        words = meaning(schema, parameter.get("description", ""))
        rows.append((code(name), line(where), line(kind(contract, schema)), words))
    if rows:
        yield table(("parameter", "in", "type", "description"), rows)


def _body(contract: Contract, body: dict[str, Any]) -> Iterator[str]:
    """The media types of a body, and the fields of the objects in it."""
    if not body:
        return
    yield f"The {'' if body.get('required') else 'optional '}body: {line(body.get('description', ''))}"
    yield "\n".join(_media_types(contract, body))
    described: list[DescribedFields] = []
    for media_type, content in body["content"].items():
        for object_fields in objects(contract, content.get(schema_key(media_type, content), {})):
            # The items of an array and of lines have the same fields.
            fields = replace(object_fields, place=object_fields.place.removeprefix("[]").removeprefix("."))
            if fields not in described:
                described.append(fields)
                yield from _fields(contract, fields)


def _media_types(contract: Contract, body: dict[str, Any]) -> Iterator[str]:
    """A list of media types, each with its schema and limits."""
    codings = body.get("x-content-codings", [])
    for media_type, content in body["content"].items():
        schema = contract.resolve(content.get(schema_key(media_type, content), {}))
        details = [line(kind(contract, schema)), *limits(schema)]
        if limit := content.get("x-body-limit-bytes", body.get("x-body-limit-bytes")):
            details.append(f"at most {limit:,} bytes")
        if codings:
            details.append(f"with or without content coding {' or '.join(map(code, codings))}")
        yield f"- {code(media_type)}: {', '.join(details)}"


def _fields(contract: Contract, described: DescribedFields) -> Iterator[str]:
    """A table of the required fields of an object, and a table of its optional fields."""
    if described.place:
        yield f"In {code(described.place)}:"
    for is_required, title in ((True, "required field"), (False, "optional field")):
        rows = [
            (code(field.name), line(kind(contract, schema)), meaning(schema))
            for field in described.fields
            if field.is_required is is_required
            for schema in [field.schema if is_required else without_null(field.schema)]
        ]
        if rows:
            yield table((title, "type", "description"), rows)


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of an optional field apart from null, which is the same as its absence."""
    values = {"enum": [value for value in schema["enum"] if value is not None]} if "enum" in schema else {}
    return schema | {"nullable": False} | values


def meaning(schema: dict[str, Any], description: str = "") -> str:
    """The values of an enumeration, the description of `schema`, and its limits."""
    values = ", ".join(code(value if isinstance(value, str) else json.dumps(value)) for value in schema.get("enum", ()))
    details = [f"{values}." if values else "", line(description or schema.get("description", ""))]
    if words_of_limits := limits(schema):
        details.append(f"({', '.join(words_of_limits)})")
    return " ".join(words for words in details if words)


def _answers(contract: Contract, responses: dict[str, Any], shared: Shared) -> Iterator[str]:
    """Each response that only this operation has, and a table of its shared responses."""
    rows = []
    for status, response in responses.items():
        resolved = contract.resolve(response)
        if (status, response.get("$ref")) in shared:
            rows.append((titled(status), line(resolved.get("description", ""))))
        else:
            yield from describe_answer(contract, status, resolved)
    if rows:
        yield table(("response, described below", "when"), rows)


def titled(status: str) -> str:
    """A status with its phrase; a range of statuses, or `default`, as it is."""
    try:
        return f"{int(status)} {PHRASES[int(status)]}"
    except (ValueError, KeyError):
        return line(status)


def examples_of(contract: Contract, content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The examples of a body, each with its summary; else the example of its schema or of the fields of its object."""
    if examples := content.get("examples"):
        for example in map(contract.resolve, examples.values()):
            yield example.get("summary", ""), example.get("value")
        return
    schema = contract.resolve(content.get("schema", {}))
    if "example" in content or "example" in schema:
        yield "", content.get("example", schema.get("example"))
        return
    for described in objects(contract, schema)[:1]:
        values = {field.name: field.schema["example"] for field in described.fields if "example" in field.schema}
        if values and not described.place:
            yield "", values
