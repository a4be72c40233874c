"""Documents that teams send, and the bodies that carry them."""

import json
from typing import Any

MULTIPART = "multipart/form-data; boundary=BOUNDARY"


def document(schema: Any = None, schemas: Any = None, **members: Any) -> str:
    """A document with one operation, whose body satisfies `schema`, as JSON."""
    body = {"content": {"application/json": {"schema": {"type": "string"} if schema is None else schema}}}
    operation = {"operationId": "make", "requestBody": body, "responses": {"204": {"description": "Made."}}}
    whole = {
        "openapi": "3.0.3",
        "info": {"title": "Things", "version": "1.0"},
        "paths": {"/things": {"post": operation}},
        "components": {"schemas": schemas or {}},
    }
    return json.dumps(whole | members)


def pair(old: str, new: str) -> bytes:
    """The JSON body with two documents."""
    return json.dumps({"old": old, "new": new}).encode()


def form(**documents: str | bytes) -> bytes:
    """The body of MULTIPART with `documents` as files."""
    return b"".join(part(name, content) for name, content in documents.items()) + b"--BOUNDARY--\r\n"


def part(name: str, content: str | bytes) -> bytes:
    """One file of a form."""
    sent = content.encode() if isinstance(content, str) else content
    head = f'--BOUNDARY\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.yaml"\r\n\r\n'
    return head.encode() + sent + b"\r\n"


def nested(levels: int) -> str:
    """A document whose schema is nested in so many arrays."""
    text = '{"type":"array","items":' * levels + "{}" + "}" * levels
    return document({"type": "string"}).replace('{"type": "string"}', text)
