"""Whole requests and responses, ready to paste."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from openapi.diff.operations import Operation, Parameter
from openapi.schemas.conversion import Node
from openapi.schemas.engine import Engine
from openapi.standards.media_types import JSON

BODY = ("body", "")
"""The key of the body in a mapping of parameters."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def request(operation: Operation, engine: Engine, values: Mapping[tuple[str, str], Any]) -> str:
    """A request that the old document accepts. `values` are by location and key of a parameter, or by `BODY`."""
    path = operation.bases[0] + operation.path
    query: list[str] = []
    headers = _credentials(operation)
    for key, parameter in operation.parameters.items():
        if key not in values and not parameter.is_required:
            continue
        written = _text(values[key] if key in values else _example(parameter, engine))
        if parameter.location == "path":
            path = path.replace(f"{{{parameter.name}}}", quote(written, safe=""))
        elif parameter.location == "query":
            query.append(f"{quote(parameter.name)}={quote(written, safe='')}")
        else:
            name = parameter.name if parameter.location == "header" else "Cookie"
            headers.append(f"{name}: {written}" if name != "Cookie" else f"Cookie: {parameter.name}={written}")
    target = path + ("?" + "&".join(query) if query else "")
    return _message(f"{operation.method.upper()} {target or '/'} HTTP/1.1", headers, _body(operation, engine, values))


def response(status: str, value: Any, media_type: str | None, header: str | None) -> str:
    """A response with `value` as its body, or as the value of `header`."""
    line = f"HTTP/1.1 {status.replace('X', '0') if status != 'default' else '500'}"
    if header is not None:
        return _message(line, [f"{header}: {_text(value)}"], None)
    return _message(line, [], (media_type or JSON, value))


def _credentials(operation: Operation) -> list[str]:
    """The headers that authenticate a request by the first alternative, with placeholders for the secrets."""
    headers = []
    for written, _ in min(operation.security, key=lambda way: sorted(scheme for scheme, _ in way)):
        scheme = json.loads(written)
        if scheme.get("type") == "apiKey":
            headers.append(f"{scheme.get('name')}: <key>" if scheme.get("in") == "header" else "")
        else:
            name = "Basic" if scheme.get("scheme") == "basic" else "Bearer"
            headers.append(f"Authorization: {name} <{'credentials' if name == 'Basic' else 'token'}>")
    return [header for header in headers if header]


def _body(operation: Operation, engine: Engine, values: Mapping[tuple[str, str], Any]) -> tuple[str, Any] | None:
    contents = operation.body_contents
    if BODY in values:
        media_type, value = values[BODY]
        return media_type, value
    if not contents or not (operation.body or {}).get("required"):
        return None
    content = next(iter(contents.values()))
    examples = engine.example(Node((engine.old.at(content.schema),))) if content.schema else [{}]
    return content.media_type, examples[0] if examples else {}


def _example(parameter: Parameter, engine: Engine) -> Any:
    examples = engine.example(Node((engine.old.at(parameter.schema),))) if parameter.schema else []
    return next((value for value in examples if may_be_sent(parameter.location, value)), "value")


def may_be_sent(location: str, value: Any) -> bool:
    """True if `value` fits `location`: not empty in a path, one line in a header field (RFC 9110 section 5.5)."""
    if location in ("header", "cookie"):
        return not _CONTROL.search(_text(value))
    return location != "path" or _text(value) != ""


def _message(line: str, headers: list[str], body: tuple[str, Any] | None) -> str:
    if body is None:
        return "\n".join([line, *headers])
    media_type, value = body
    return "\n".join([line, *headers, f"Content-Type: {media_type}", "", json.dumps(value, ensure_ascii=False)])


def _text(value: Any) -> str:
    """`value` in the simple style."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if isinstance(value, dict):
        return ",".join(f"{name},{_text(inner)}" for name, inner in value.items())
    return value if isinstance(value, str) else json.dumps(value)
