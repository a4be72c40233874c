"""One log line and one X-Request-Id for every request, and the response to an unexpected error."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable

import uuid_utils
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openapi.problems import Headers, Problem
from openapi.serving.messages import BrokenOff, error_response, respond
from openapi.serving.request_state import REQUEST, RequestState
from openapi.standards.header_fields import field_values

logger = logging.getLogger(__name__)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_LONGEST_PATH = 200


def request_id(scope: Scope) -> bytes:
    """The client's own X-Request-Id if it sent exactly one that is well-formed, else a new UUID version 7."""
    sent = field_values(scope, b"x-request-id")
    if len(sent) == 1 and _REQUEST_ID.fullmatch(sent[0]):
        return sent[0]
    return new_request_id()


def new_request_id() -> bytes:
    """A UUID version 7. After a clock went back its time stays ahead for a while: a line of the log has its own."""
    return str(uuid_utils.uuid7()).encode("ascii")


Ended = Callable[[RequestState, str, float], None]
"""Called when a request ends, with its state, its method and seconds."""


class AccessLog:
    """The outermost layer of the service. Neither keys nor bodies nor query strings are logged."""

    def __init__(self, app: ASGIApp, ended: Ended | None = None, announced: Headers = ()) -> None:
        """Each response has the headers `announced`, as they are then."""
        self._app = app
        self._announced = announced
        self.ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and log one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        identifier = request_id(scope)
        # Inline, as in all code that every request runs: a function would cost a call.
        state = scope.setdefault("state", {})[REQUEST] = RequestState()

        def send_identified(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                state.status = message["status"]
                message["headers"].append((b"x-request-id", identifier))
                message["headers"].extend(self._announced)
                message["headers"].extend(state.announced)
            return send(message)

        try:
            await self._app(scope, receive, send_identified)
        except ClientDisconnect as error:
            state.reason = str(error) or "the connection was closed"
        except asyncio.CancelledError as error:  # the server cuts what has not ended in time
            state.problem, state.reason = "stopping", str(error)
            await _answer(send_identified, state, state.problem)
        except Exception as error:
            if not (isinstance(error, BrokenOff) and state.problem):
                logger.exception("unexpected fault", extra={"request_id": identifier.decode()})
            await _answer(send_identified, state, "internal_error")
        seconds = time.perf_counter() - started
        if self.ended:
            self.ended(state, scope["method"], seconds)
        logger.info(
            "request" if state.status else "client disconnected",
            extra={
                "request_id": identifier.decode(),
                "hub": str(state.caller.id) if state.caller else None,
                "method": scope["method"],
                "path": scope["path"][:_LONGEST_PATH],
                "status": state.status or None,
                "problem": state.problem,
                "reason": state.reason,
                "client": (scope.get("client") or [None])[0],
                "duration_ms": round(seconds * 1000, 2),
            },
        )


async def _answer(send: Send, state: RequestState, problem: str) -> None:
    """Send the response of a problem, unless another one has begun."""
    if not state.status:
        await respond(send, error_response(Problem(problem), state.style))
