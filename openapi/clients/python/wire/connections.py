"""Connections to one origin: kept open, used by one thread at a time, never carried across a fork."""

import http.client
import io
import os
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from openapi.clients.python.errors import Outage
from openapi.clients.python.forks import watch
from openapi.clients.python.wire.answers import Answer, decoded

MAX_BYTES = 64 * 1024 * 1024
"""Limit on an answer that is read as a whole."""
CHUNK = 64 * 1024
_MAX_IDLE = 8
"""Connections that wait for the next request."""


class Request(NamedTuple):
    """A request to a path below the URL."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Connections:
    """Sends requests to the origin of a URL. Redirects are answers like others: credentials go to no other host."""

    def __init__(self, url: str, timeout: float, context: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(url)
        if (
            parts.scheme not in {"http", "https"}
            or not parts.hostname
            or parts.query
            or parts.fragment
            or "@" in parts.netloc
        ):
            raise ValueError(f"{url.rpartition('@')[2]!r} is no URL of a service, such as https://reports.example")
        self._host, self._port = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self.context = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        self.timeout = timeout
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()
        watch(self)

    def __del__(self) -> None:
        for connection in getattr(self, "_idle", ()):  # there are none if the URL was refused
            connection.close()  # Python 3.13 warns of those that are left open

    def before_fork(self) -> None:
        """Nothing needs to be done."""

    def after_fork(self, is_child: bool) -> None:
        """The child leaves the connections to its parent, and the lock to whichever thread holds it there."""
        if is_child:
            self._idle, self._lock = [], threading.Lock()

    def url(self, target: str) -> str:
        """The whole URL of `target`, a path."""
        return self._origin + self._prefix + target

    def exchange(self, request: Request) -> Answer:
        """The whole answer to a request; Outage if none arrives within the timeout, or a part of one."""
        return self.opened(request, self.timeout).answer()

    def opened(
        self, request: Request, seconds: float | None = None, meanwhile: Callable[[], None] | None = None
    ) -> "Opened":
        """The head of an answer, and its body to be read; within `seconds`, or without them each part in `timeout`.

        `meanwhile` is called when the request is sent.
        """
        deadline = None if seconds is None else time.monotonic() + seconds
        connection = self._connection()
        connection.begin(self.timeout if seconds is None else min(self.timeout, seconds), deadline)
        try:
            connection.request(request.method, self._prefix + request.target, request.body, dict(request.headers))
            if meanwhile:
                meanwhile()
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Outage(0, _reason(error)) from error
        except BaseException:
            connection.close()
            raise
        return Opened(self, connection, response)

    def keep(self, connection: "_Connection") -> None:
        """Take back a connection whose answer was read to its end."""
        with self._lock:
            if connection.pid == os.getpid() and len(self._idle) < _MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close the connections that wait."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _connection(self) -> "_Connection":
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return _Connection(self._host, self._port, self.timeout, self.context)
            if connection.is_usable():
                return connection
            connection.close()


class Opened:
    """An answer whose body is still to be read, once; a context manager."""

    def __init__(self, connections: Connections, connection: "_Connection", response: http.client.HTTPResponse) -> None:
        self._connections = connections
        self._connection = connection
        self._response = response
        self.status = response.status
        self.headers = {name.lower(): text for name, text in response.getheaders()}
        self.coding = self.headers.get("content-encoding", "").strip().lower()
        self._is_framed = response.length is not None or bool(response.chunked)

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they arrive; Outage if the answer is cut off."""
        try:
            while chunk := self._response.read1(CHUNK):
                yield chunk
            if self._response.length:
                self._connection.close()
                raise Outage(self.status, "the answer is cut off")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise Outage(self.status, _reason(error)) from error
        if self._response.will_close or not self._is_framed:
            self._connection.close()
        else:
            self._connections.keep(self._connection)

    def answer(self) -> Answer:
        """The rest of the answer as a whole."""
        received = bytearray()
        with self:
            for chunk in self.chunks():
                received += chunk
                if len(received) > MAX_BYTES:
                    raise Outage(self.status, f"the answer has more than {MAX_BYTES} bytes")
        return Answer(self.status, self.headers, decoded(bytes(received), self.coding, MAX_BYTES))

    def close(self) -> None:
        """Stop reading; the connection is closed unless the answer was read to its end."""
        if not self._response.isclosed():
            self._response.close()
            self._connection.close()

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Connection(http.client.HTTPConnection):
    """A connection that can be given a deadline for all that is received."""

    def __init__(self, host: str, port: int | None, timeout: float, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port or (443 if context else 80), timeout=timeout)
        self._context = context
        self._limit = _Limit(timeout)
        self.response_class = self._response  # type: ignore[assignment] # a function that makes one does as well
        self.pid = os.getpid()

    def connect(self) -> None:
        """Connect, and shake hands if the origin has TLS."""
        super().connect()
        if self._context:
            self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)

    def begin(self, timeout: float, deadline: float | None) -> None:
        """Set the limits of the next exchange, and of connecting for it."""
        self.timeout = timeout
        self._limit = _Limit(timeout, deadline)
        if self.sock:
            self.sock.settimeout(timeout)

    def is_usable(self) -> bool:
        """False if the other side has closed the connection, or sent bytes that belong to no request."""
        if self.sock is None or self.sock.fileno() < 0:
            return False
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            return not selector.select(0)

    def _response(self, sock: socket.socket, *arguments: Any, **options: Any) -> http.client.HTTPResponse:
        response = http.client.HTTPResponse(sock, *arguments, **options)
        response.fp.close()
        response.fp = io.BufferedReader(_Limited(sock, self._limit), CHUNK)
        return response


class _Limit:
    """Seconds for each part, and the end of the time for all of them."""

    def __init__(self, timeout: float, deadline: float | None = None) -> None:
        self._timeout = timeout
        self._deadline = deadline

    def left(self) -> float:
        """Seconds for the next part; TimeoutError if none are left."""
        left = self._timeout if self._deadline is None else min(self._timeout, self._deadline - time.monotonic())
        if left <= 0:
            raise TimeoutError("timed out")
        return left


class _Limited(io.RawIOBase):
    """What a socket receives, within a limit: a byte a second does not extend it."""

    def __init__(self, sock: socket.socket, limit: _Limit) -> None:
        super().__init__()
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._limit = limit

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Receive into `buffer`."""
        self._sock.settimeout(self._limit.left())
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Close the file, not the connection."""
        self._file.close()
        super().close()


def _reason(error: Exception) -> str:
    """What happened, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of the service does not hold: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "the service did not answer in time"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
