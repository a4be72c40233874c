"""Clients that read slowly, or not at all."""

import asyncio
import logging
import socket
from collections.abc import Callable

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from openapi.protocol import delivery
from openapi.protocol.connection import CONNECTION, ConnectionOptions, HTTPConnection
from openapi.serving.access_log import AccessLog
from tests.wire import HOST, PATIENCE_SECONDS, head

MEGABYTE = b"x" * 1_000_000
ANSWER_BYTES = 50 * len(MEGABYTE)
REQUEST = head("GET / HTTP/1.1", HOST, "Connection: close")


async def answer_at_length(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with more than the buffers of a connection hold."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % ANSWER_BYTES)]})
    for sent in range(len(MEGABYTE), ANSWER_BYTES + 1, len(MEGABYTE)):
        await send({"type": "http.response.body", "body": MEGABYTE, "more_body": sent < ANSWER_BYTES})


def tcp() -> tuple[socket.socket, socket.socket]:
    """The two ends of a TCP connection, ours first; theirs buffers little."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.socket()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        theirs.connect(listener.getsockname())
        ours, _ = listener.accept()
        return ours, theirs


async def serve(ours: socket.socket, write_timeout: float) -> HTTPConnection:
    """A connection that answers at length."""
    config = uvicorn.Config(AccessLog(answer_at_length), log_config=None)
    config.load()
    state = {CONNECTION: ConnectionOptions(write_timeout=write_timeout)}
    protocol = HTTPConnection(config=config, server_state=ServerState(), app_state=state)
    await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, ours)
    return protocol


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often at how much a client has read."""
    monkeypatch.setattr(delivery, "CHECK_SECONDS", 0.05)


@pytest.mark.parametrize("ends", [tcp, socket.socketpair], ids=["TCP", "without TCP"])
def test_a_client_that_does_not_read_is_cut(
    ends: Callable[[], tuple[socket.socket, socket.socket]], caplog: pytest.LogCaptureFixture
) -> None:
    """An unread answer is held only for a while, so that it neither piles up nor delays a drain; the log says why."""
    ours, theirs = ends()
    caplog.set_level(logging.INFO, "openapi")

    async def not_read() -> None:
        protocol = await serve(ours, write_timeout=0.2)
        theirs.sendall(REQUEST)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not caplog.records:
                await asyncio.sleep(0.01)
        assert protocol.transport.is_closing()

    with theirs:
        asyncio.run(not_read())
    (line,) = caplog.records
    assert line.__dict__["reason"] == "the client acknowledged nothing for 0.2 seconds"


def test_a_client_that_reads_slowly_gets_the_whole_answer() -> None:
    """What it acknowledges counts, although writing stays paused for longer than a client may read nothing."""
    ours, theirs = tcp()
    write_timeout = 2.0

    async def read_slowly() -> int:
        loop = asyncio.get_running_loop()
        protocol = await serve(ours, write_timeout)
        theirs.setblocking(False)
        await loop.sock_sendall(theirs, REQUEST)
        while not protocol.flow.write_paused:
            await asyncio.sleep(0.01)
        size, began = 0, loop.time()
        while loop.time() < began + 2 * write_timeout:
            size += len(await loop.sock_recv(theirs, 512))
            await asyncio.sleep(0.01)
        assert protocol.flow.write_paused
        while data := await loop.sock_recv(theirs, len(MEGABYTE)):
            size += len(data)
        return size

    with theirs:
        assert asyncio.run(read_slowly()) > ANSWER_BYTES
