"""The body of a request: declared as what the contract accepts, read within limits of size and time, parsed, valid."""

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope
from werkzeug.http import parse_options_header

from openapi import rfc7493
from openapi.problems import Problem
from openapi.server_timing import lap
from openapi.validation import Schema, field_name

DEFAULT_LIMIT = 64 * 1024
MAX_LIMIT = 16 * 1024 * 1024
"""Bytes that a contract may allow: a body is held in memory while it is checked."""
COMPLETE = "interaction_reporting.body"
"""The extension of ASGI whose `body` is one that has arrived whole: it need not be waited for."""


def header(scope: Scope, name: bytes) -> list[bytes]:
    """The values of the header `name` (in lower case), one for each time that it stands in the request."""
    index: dict[bytes, list[bytes]] | None = scope.get("header_index")
    if index is None:
        index = scope["header_index"] = {}
        for key, value in scope["headers"]:
            index.setdefault(key, []).append(value)
    return index.get(name, [])


class Body:
    """What one operation accepts as a body: `schemas` by media type in lower case, and at most `limit` bytes."""

    def __init__(self, schemas: Mapping[str, Schema], limit: int, timeout: float) -> None:
        self._schemas = schemas
        self._limit = limit
        self._timeout = timeout

    async def read(self, scope: Scope, receive: Receive) -> Any:
        """The value of the body. Raises Problem, or ClientDisconnect when the client has gone."""
        schema = self._schema(scope)
        content = await self._content(scope, receive)
        try:
            value = rfc7493.loads(content)
        except rfc7493.MalformedJSON as error:
            raise Problem("malformed_json", detail=str(error) if content else "it is empty") from None
        except rfc7493.UnstorableValue as error:
            field = field_name(*error.parts)
            raise Problem("unstorable_value", field=field, detail=error.reason, remedy=error.remedy) from None
        lap("parse")
        schema.validate(value)
        lap("validate")
        return value

    def _schema(self, scope: Scope) -> Schema:
        for coding in header(scope, b"content-encoding"):
            if coding.strip().lower() not in (b"", b"identity"):
                raise Problem("unsupported_content_coding", found=_quoted(coding))
        declared = header(scope, b"content-type")
        media_type, charset = _media_type(declared[0]) if len(declared) == 1 else ("", "")
        if media_type not in self._schemas:
            found = " and ".join(map(_quoted, declared[:2])) or "(none)"
            raise Problem("unsupported_media_type", found=found, expected=" or ".join(self._schemas))
        if charset not in ("", "utf-8", "utf8", "us-ascii"):
            raise Problem("unsupported_charset", found=_quoted(charset.encode()))
        return self._schemas[media_type]

    async def _content(self, scope: Scope, receive: Receive) -> bytes:
        for declared in header(scope, b"content-length"):
            if int(declared) > self._limit:
                raise Problem("content_too_large", size=int(declared), limit=self._limit)
        complete = scope.get("extensions", {}).get(COMPLETE)
        if complete and len(complete["body"]) <= self._limit:
            body: bytes = complete["body"]
            return body
        content = bytearray()
        try:
            async with asyncio.timeout(self._timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    content += message.get("body", b"")
                    if len(content) > self._limit:
                        raise Problem("content_too_large", size=f"at least {len(content)}", limit=self._limit)
                    if not message.get("more_body", False):
                        return bytes(content)
        except TimeoutError:
            raise Problem("body_timeout", seconds=self._timeout) from None


@lru_cache(maxsize=256)
def _media_type(value: bytes) -> tuple[str, str]:
    """The media type and the charset of a Content-Type header, both in lower case, empty where absent."""
    media_type, parameters = parse_options_header(value.decode("latin-1"))
    return media_type.lower(), parameters.get("charset", "").lower()


def _quoted(value: bytes) -> str:
    return "'" + value[:100].decode("latin-1") + "'"
