"""The messages of handlers: the Request that they take, and the Answer that they return."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Send

from openapi import decimals
from openapi.problems import Headers, Problem
from openapi.serving.error_styles import ERROR_OBJECTS, ErrorStyle
from openapi.serving.rate_limits import Bucket
from openapi.standards.media_types import JSON

Validate = Callable[[str, bytes], Any]
"""Maps an operationId and a JSON body to the value of the body; raises Problem if the contract rejects it."""


@dataclass(slots=True)
class Request:
    """A request that the contract accepts: its caller, its valid `body`, and the open resources of the service.

    `content` is the body as it was sent, empty for NDJSON, which `body` reads. `parameters` holds the sent parameters
    of path, query and header, by name. `validate` works for every operation of the contract. `bucket` holds the tokens
    of the caller, if the contract limits its rate; one token is already taken. `style` is the error format of the
    contract.
    """

    body: Any
    caller: Any
    resources: Any
    contract_version: str
    validate: Validate
    parameters: dict[str, Any] = field(default_factory=dict)
    content: bytes = b""
    bucket: Bucket | None = None
    style: ErrorStyle = ERROR_OBJECTS

    def take_items(self, count: int) -> None:
        """Take a token for each of `count` items; the request took the first. Problem if the bucket has too few."""
        if self.bucket and count:
            self.bucket.take(count - 1, taken=1)


@dataclass(slots=True)
class Answer:
    """A status and a body, as the contract describes them: a JSON value, or the pieces of another media type.

    `may_go_on` marks an export: pieces that a client without access may not read on, compressed if it asks so. It is
    called while they are sent, and raises Problem when what they have must not be sent any more.
    `problem` is what the body reports, for the log.
    """

    status: int
    body: Any
    headers: Headers = ()
    media_type: str = JSON
    may_go_on: Callable[[], Awaitable[None]] | None = None
    problem: Problem | None = None


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class BodyField:
    """The type that a handler relies on for one property of a body: `type` and `format` as OpenAPI names them."""

    type: str
    format: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was answered with `problem`; its body is None if the body is at fault."""

    request: Request
    problem: Problem


def takes(**fields: BodyField) -> Callable[[Handler], Handler]:
    """Mark a handler with the properties that it reads; a contract that declares them differently is not served.

    For a batch these are the properties of each item.
    """

    def mark(handler: Handler) -> Handler:
        handler.takes = fields  # type: ignore[attr-defined] # functions take attributes
        return handler

    return mark


def when_refused(function: Callable[[Refusal], Awaitable[None]]) -> Callable[[Handler], Handler]:
    """Mark a handler with a function to call when a request for it is refused with a Problem."""

    def mark(handler: Handler) -> Handler:
        handler.when_refused = function  # type: ignore[attr-defined] # functions take attributes
        return handler

    return mark


def without_null(fields: dict[str, Any]) -> dict[str, Any]:
    """The `fields` of a body without null ones, because null means absent."""
    return {name: value for name, value in fields.items() if value is not None}


class BrokenOff(Exception):
    """The response failed after its headers were sent."""


class AccessLost(BrokenOff):
    """The client lost its access while it received the response."""


def encoded(value: Any) -> bytes:
    """`value` as JSON."""
    try:
        return orjson.dumps(value, default=decimals.fragment)
    except TypeError:  # orjson encodes integers of at most 64 bits
        return decimals.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def respond(send: Send, answer: Answer, headers: Headers = ()) -> None:
    """Send `answer`, with `headers` after its own; raise BrokenOff if its pieces fail after the first."""
    fields = [(b"content-type", answer.media_type.encode("ascii")), *answer.headers, *headers]
    if isinstance(answer.body, AsyncGenerator):
        await _respond_in_pieces(send, answer.body, {"status": answer.status, "headers": fields})
        return
    content = encoded(answer.body)
    fields.insert(1, (b"content-length", b"%d" % len(content)))
    await send({"type": "http.response.start", "status": answer.status, "headers": fields})
    await send({"type": "http.response.body", "body": content})


async def _respond_in_pieces(send: Send, body: AsyncGenerator[bytes], head: dict[str, Any]) -> None:
    """Send `head` and the pieces of `body`; if the first fails, nothing is sent, so that its error can be answered."""
    async with aclosing(body) as pieces:
        piece: bytes | None = await anext(pieces, None)
        await send({"type": "http.response.start", **head})
        try:
            while piece is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await anext(pieces, None)
        except ClientDisconnect:
            raise
        except Exception as error:
            raise BrokenOff("the answer broke off") from error
    await send({"type": "http.response.body", "body": b""})


def error_response(problem: Problem, style: ErrorStyle = ERROR_OBJECTS) -> Answer:
    """The response that reports `problem` to a client."""
    return Answer(problem.status, style.body(problem), problem.headers, style.media_type)
