"""HTTP/1.1 byte by byte: requests in any shape, and their responses one at a time."""

import json
import select
import socket
import struct
from collections.abc import Iterable
from typing import Self

import httpx

from tests import promises
from tests.examples import EVENT, PATH
from tests.service import Service

LINE = f"POST {PATH} HTTP/1.1"
HOST = "Host: localhost"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
PATIENCE_SECONDS = 30


def event(mark: str, **fields: object) -> bytes:
    """The body of a request for an event that `stored` counts by its `mark`."""
    return json.dumps(EVENT | {"view_context_ref": mark} | fields).encode()


def stored(service: Service, mark: str) -> int:
    """The number of stored events with `mark`."""
    return len(service.events("view_context_ref = %s", mark))


def head(*lines: str) -> bytes:
    """A request line and its fields."""
    return "".join(line + "\r\n" for line in [*lines, ""]).encode("latin-1")


def chunks(*parts: bytes, trailer: str = "") -> bytes:
    """A chunked body of `parts`; `trailer` is a line after the last chunk."""
    sized = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return sized + b"0\r\n" + (head(trailer) if trailer else b"\r\n")


class Wire:
    """A connection to `service`. A response that breaks the contract is an AssertionError."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._socket = socket.create_connection(("127.0.0.1", service.port), PATIENCE_SECONDS)
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def head(self, *fields: str, line: str = LINE) -> bytes:
        """A head that lacks only the length of the body."""
        return head(line, HOST, f"Authorization: Bearer {self._service.key}", JSON, *fields)

    def post(self, body: bytes, *fields: str, line: str = LINE) -> bytes:
        """A whole request with `body`."""
        return self.head(f"Content-Length: {len(body)}", *fields, line=line) + body

    def send(self, *parts: bytes) -> None:
        """Send `parts` at once."""
        self._socket.sendall(b"".join(parts))

    def trickle(self, parts: Iterable[bytes], pause: float = 0.01) -> None:
        """Send `parts` one by one, each followed by a pause in seconds, until something comes back."""
        for part in parts:
            self.send(part)
            if not self.is_quiet(pause):
                return

    def hang_up(self, reset: bool) -> None:
        """Close the connection; with `reset` by a TCP RST, without regard to data under way."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def finish(self) -> None:
        """Close the sending side."""
        self._socket.shutdown(socket.SHUT_WR)

    def is_quiet(self, seconds: float) -> bool:
        """True if neither a byte nor the end arrives within `seconds`."""
        return not self._unread and not select.select([self._socket], [], [], seconds)[0]

    def answer(self, method: str = "POST") -> httpx.Response:
        """The next response, no byte more. The response to a HEAD has no body."""
        status_line, *lines = self._until_blank_line().decode("latin-1").split("\r\n")
        version, status, _ = status_line.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = httpx.Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
        if status == "100":
            return httpx.Response(100, headers=headers)
        size = int(headers["content-length"])
        response = httpx.Response(
            int(status),
            headers=headers,
            content=b"" if method == "HEAD" else self._exactly(size),
            request=httpx.Request("POST", self._service.url + PATH),
        )
        if method != "HEAD":
            promises.check(response, self._service.contract)
        return response

    def rest(self, seconds: float = 3) -> bytes:
        """All bytes until the connection is closed; TimeoutError if it stays open, ConnectionError if it is reset."""
        self._socket.settimeout(seconds)
        received, self._unread = self._unread, b""
        while data := self._socket.recv(65536):
            received += data
        return received

    def _until_blank_line(self) -> bytes:
        while b"\r\n\r\n" not in self._unread:
            self._receive()
        lines, self._unread = self._unread.split(b"\r\n\r\n", 1)
        return lines

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._receive()
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _receive(self) -> None:
        data = self._socket.recv(65536)
        assert data, f"the connection was closed after {self._unread!r}"
        self._unread += data
