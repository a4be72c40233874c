"""The layer around the service that does what the faults say."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openapi.serving.access_log import AccessLog
from scripts.mock import ordered_answers
from scripts.mock.connection import close_connection, reset_connection
from scripts.mock.fault_kinds import Fault
from scripts.mock.faults import Faults

logger = logging.getLogger(__name__)

STEPS_PER_SECOND = 10
"""How often `slow` sends, at most."""

Doing = Callable[[Fault, ASGIApp, Scope, Receive, Send], Awaitable[None]]
"""Serves one request with its fault; the application is the service."""


class Injection:
    """Serves each request with its fault, or just as the service does."""

    def __init__(self, service: ASGIApp, faults: Faults) -> None:
        self._service = service
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        fault = self._faults.take(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if fault is None:
            await self._service(scope, receive, send)
        else:
            logger.info("fault", extra={"kind": fault["kind"], "method": scope["method"], "path": scope["path"]})
            await _DOING[fault["kind"]](fault, self._service, scope, receive, send)


async def _answer_status(fault: Fault, _service: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await AccessLog(ordered_answers.error(fault["status"], fault))(scope, receive, send)


async def _answer_html(fault: Fault, _service: ASGIApp, _scope: Scope, _receive: Receive, send: Send) -> None:
    await ordered_answers.send_page(fault["status"], send)


async def _delay(fault: Fault, service: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await asyncio.sleep(float(fault["seconds"]))
    except asyncio.CancelledError:  # the mock ends
        await reset_connection(scope, receive)
    else:
        await service(scope, receive, send)


async def _cut_before(_fault: Fault, _service: ASGIApp, scope: Scope, receive: Receive, _send: Send) -> None:
    await reset_connection(scope, receive)


async def _cut_after(_fault: Fault, service: ASGIApp, scope: Scope, receive: Receive, _send: Send) -> None:
    await _answer_of(service, scope, receive)
    await reset_connection(scope, receive)


async def _half(_fault: Fault, service: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    answer = await _answer_of(service, scope, receive)
    content = b"".join([part.get("body", b"") for part in answer])
    if answer:  # there is none if the client has gone
        await send(answer[0])
        await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        await close_connection(scope, receive)


async def _slow(fault: Fault, service: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    speed = fault.get("bytes_per_second", 1)
    size = math.ceil(speed / STEPS_PER_SECOND)

    async def send_slowly(message: Message) -> None:
        body = message.get("body", b"")
        *pieces, rest = [body[start : start + size] for start in range(0, len(body), size)] or [body]
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            await asyncio.sleep(size / speed)
        await send(message if not pieces else {**message, "body": rest})

    await service(scope, receive, send_slowly)


async def _answer_of(service: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
    """The whole answer of the service, of which the client gets nothing yet."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await service(scope, receive, keep)
    return messages


_DOING: Mapping[str, Doing] = {
    "status": _answer_status,
    "html": _answer_html,
    "delay": _delay,
    "cut_before": _cut_before,
    "cut_after": _cut_after,
    "half": _half,
    "slow": _slow,
}
