"""The body of a request: of an accepted media type, read within limits of size and time, parsed and validated."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from starlette.types import Receive, Scope
from werkzeug.http import parse_options_header

from openapi import intended_values
from openapi.problems import Problem
from openapi.requests import intended_media_type
from openapi.requests.batch import Array, Lines, problem_of
from openapi.requests.content import Content
from openapi.schemas.validation import Schema
from openapi.standards import ijson
from openapi.standards.header_fields import field_text, field_values, quoted
from openapi.standards.media_types import JSON
from openapi.standards.server_timing import lap

DEFAULT_BODY_BYTES = 64 * 1024
"""The limit of a body if the contract has no `x-body-limit-bytes`."""
MAX_BODY_BYTES = 16 * 1024 * 1024
"""The highest limit that a contract may set for a body that is validated in memory."""
MAX_STREAM_BYTES = 1024**4
"""The highest limit that a contract may set for a body that is read line by line."""
_FRAMING = (b"content-length", b"transfer-encoding")
_UNFRAMED = "it is empty, as the request has neither Content-Length nor Transfer-Encoding"


@dataclass(frozen=True, slots=True)
class MediaType:
    """The accepted bodies of one media type: at most `limit` bytes, with a value that satisfies `schema`.

    With `items` the body is a batch: that schema validates each item on its own. It is an array of at most `max_items`,
    or, with `is_lines`, NDJSON of any number.
    """

    schema: Schema
    limit: int
    items: Schema | None = None
    max_items: int = 0
    is_lines: bool = False


@dataclass(slots=True)
class Received:
    """A body of one media type: its bytes, or for NDJSON its pieces as they arrive."""

    media_type: MediaType
    content: bytes = b""
    pieces: AsyncIterator[bytes] | None = None

    def value(self, authorize: Callable[[], Awaitable[None]]) -> Any:
        """Return the value of the body, or an Array or Lines for a batch; `authorize` is called while Lines are read.

        Raises Problem.
        """
        schema, items = self.media_type.schema, self.media_type.items
        if self.pieces is not None and items is not None:
            return Lines(self.pieces, items, authorize)
        try:
            value = ijson.loads(self.content) if items is None else ijson.items(self.content)
        except ijson.MalformedJSON as error:
            raise problem_of(error if self.content else ijson.MalformedJSON("it is empty")) from None
        except ijson.UnstorableValue as error:
            raise problem_of(error) from None
        lap("parse")
        if items is not None and isinstance(value, list):
            if len(value) > self.media_type.max_items:
                raise Problem("too_many_items", count=len(value), limit=self.media_type.max_items)
            return Array(self.content, value, items)
        schema.validate(value)
        lap("validate")
        return value


class Body:
    """The accepted bodies of one operation: by media type in lower case, in identity or one of `codings`."""

    def __init__(self, media_types: Mapping[str, MediaType], timeout: float, codings: frozenset[str]) -> None:
        self._media_types = media_types
        self._timeout = timeout
        self._codings = codings

    async def receive(self, scope: Scope, receive: Receive) -> Received:
        """Return the body as it was sent. Raises Problem, or ClientDisconnect if the client disconnects."""
        content = Content(scope, receive, self._codings)
        media_type = self._media_type(scope)
        if media_type.is_lines:
            if not any(field_values(scope, name) for name in _FRAMING):  # its sender may have sent items all the same
                raise problem_of(ijson.MalformedJSON(_UNFRAMED))
            return Received(media_type, pieces=content.pieces(media_type.limit, self._timeout))
        return Received(media_type, await content.whole(media_type.limit, self._timeout))

    def of_json(self, content: bytes) -> Any:
        """The value of `content` as application/json, which the contract must accept; Problem if invalid."""
        media_type = self._media_types[JSON]
        if len(content) > media_type.limit:
            raise Problem("content_too_large", size=len(content), limit=media_type.limit)
        return Received(media_type, content).value(nothing)

    def _media_type(self, scope: Scope) -> MediaType:
        declared = field_values(scope, b"content-type")
        name, charset = _media_type(declared[0]) if len(declared) == 1 else ("", "")
        if name not in self._media_types:
            content_type = " and ".join(map(quoted, declared[:2])) or "(none)"
            text = field_text(declared[0]) if len(declared) == 1 else ""
            foreign = intended_values.foreign("Content-Type", text)
            meant = intended_media_type.hint(text.partition(";")[0].strip().lower(), self._media_types)
            raise Problem(
                "unsupported_media_type",
                hint=f"{foreign} {meant}".strip(),
                found=content_type,
                expected=" or ".join(f"'Content-Type: {accepted}'" for accepted in self._media_types),
            )
        if charset not in ("", "utf-8", "utf8", "us-ascii"):
            raise Problem("unsupported_charset", found=quoted(charset.encode()))
        return self._media_types[name]


async def nothing() -> None:
    """Do nothing: the caller is authorized already."""


@lru_cache(maxsize=256)
def _media_type(value: bytes) -> tuple[str, str]:
    """The media type and the charset of a Content-Type field, both in lower case, empty if absent."""
    media_type, parameters = parse_options_header(value.decode("latin-1"))
    return media_type.lower(), parameters.get("charset", "").lower()
