"""Responses with a file: compressed if the client asks for that, and cut off when the client loses its access."""

import asyncio
import logging
import time
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from starlette.types import Scope, Send

from openapi.problems import Headers, Problem
from openapi.serving.messages import AccessLost, Answer, respond
from openapi.serving.request_state import request_state
from openapi.standards.negotiation import accepts_gzip

logger = logging.getLogger(__name__)

CHECK_SECONDS = 0.4
"""The time between two checks of the access: a change takes up to half a second to reach the worker."""
_GZIP = zlib.MAX_WBITS | 16
_VARY = (b"vary", b"accept-encoding")

Check = Callable[[], Awaitable[object]]
"""Raises Problem if the client may no longer read."""


async def respond_with_export(
    scope: Scope, send: Send, answer: Answer, headers: Headers, checks: Sequence[Check]
) -> None:
    """Send `answer` in pieces; raise AccessLost soon after one of `checks` refuses the client.

    A token that was valid at the beginning may expire: no token lasts as long as a slow client reads.
    """
    fields = [*answer.headers, _VARY]
    if scope["method"] == "HEAD":
        answer = replace(answer, body=_beginning(answer.body))
    if accepts_gzip(scope):
        answer = replace(answer, body=_compressed(answer.body))
        fields.append((b"content-encoding", b"gzip"))
    request_state(scope).judged_at = time.time()
    sending = asyncio.create_task(respond(send, replace(answer, headers=fields), headers))
    try:
        await _watch(scope, sending, checks)
    finally:
        sending.cancel()
        await asyncio.wait({sending})
    sending.result()


async def _watch(scope: Scope, sending: asyncio.Task[None], checks: Sequence[Check]) -> None:
    """Return when `sending` has ended; raise AccessLost as soon as one of `checks` refuses the client."""
    while not (await asyncio.wait({sending}, timeout=CHECK_SECONDS))[0]:
        try:
            for check in checks:
                await check()
        except Problem as problem:
            state = request_state(scope)
            state.problem, state.reason = problem.code, problem.reason
            raise AccessLost("the client lost its access") from None
        except Exception as error:
            logger.warning("the access of a client cannot be checked: %s: %s", type(error).__name__, error)


async def _beginning(body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The first piece of `body`, which decides whether there is an error to answer."""
    async with aclosing(body) as pieces:
        async for piece in pieces:
            yield piece
            return


async def _compressed(body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """`body` in the coding gzip (RFC 1952); what it has compressed is given out with each piece."""
    compressor = zlib.compressobj(wbits=_GZIP)
    async with aclosing(body) as pieces:
        async for piece in pieces:
            yield await asyncio.to_thread(_deflated, compressor, piece)
    yield compressor.flush()


def _deflated(compressor: "zlib._Compress", piece: bytes) -> bytes:
    return compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH)
