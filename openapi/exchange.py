"""What a handler is given, and what it gives back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.types import Send

from openapi.problems import Headers, Problem


@dataclass(slots=True)
class Request:
    """A request that the contract accepts: its valid `body`, who sent it, and what the service holds open."""

    body: Any
    caller: Any
    resources: Any
    contract_version: str


@dataclass(slots=True)
class Answer:
    """A status and a JSON body, as the contract describes them."""

    status: int
    body: Any
    headers: Headers = ()


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Field:
    """What a handler relies on for one property of a body: `type` and `format` as OpenAPI names them."""

    type: str
    format: str | None = None
    required: bool = False


def takes(**fields: Field) -> Callable[[Handler], Handler]:
    """Mark a handler with the properties that it reads; a contract that promises others of them is not served."""

    def mark(handler: Handler) -> Handler:
        handler.takes = fields  # type: ignore[attr-defined] # functions take attributes
        return handler

    return mark


async def respond(send: Send, answer: Answer) -> None:
    """Send `answer` as JSON."""
    content = orjson.dumps(answer.body)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content)), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def told(problem: Problem) -> Answer:
    """The answer that tells a client of `problem`."""
    return Answer(problem.status, problem.body(), problem.headers)
