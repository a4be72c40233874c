"""Pending answers when a later request on the connection is refused."""

import asyncio
import socket

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from openapi.protocol.connection import HTTPConnection

ACCEPTED = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
REFUSED = {
    "head": b"GET / HTTP/1.1\r\n\r\n",
    "body": b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
}
SECONDS = 0.1
"""Duration of an answer."""


async def slow(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer after SECONDS."""
    await asyncio.sleep(SECONDS)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def answers(requests: bytes) -> bytes:
    """The bytes that a client receives after it sends `requests` and closes its half of the connection."""
    ours, theirs = socket.socketpair()
    config = uvicorn.Config(slow, log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(lambda: HTTPConnection(config, ServerState(), {}), ours)
    reader, writer = await asyncio.open_connection(sock=theirs)
    writer.write(requests)
    writer.write_eof()
    content = await reader.read()
    transport.abort()
    writer.close()
    await writer.wait_closed()
    return content


@pytest.mark.parametrize("part", REFUSED)
def test_a_half_closed_client_gets_all_answers_before_a_refusal(part: str) -> None:
    """The connection stays open for the answers to earlier requests, whichever part of the last one is refused."""
    content = asyncio.run(answers(ACCEPTED * 2 + REFUSED[part]))
    assert content.count(b"HTTP/1.1 204 No Content\r\n") == 2
