"""One HTTP/1.1 connection: refusals and limits beneath ASGI.

uvicorn 0.54 on httptools 0.9 leaves gaps to its user:

- Trailer fields are appended to the headers.
- Heads and bodies may arrive arbitrarily slowly, heads may have any size, and Host may be missing.
- Some valid targets are refused, and `*` is taken for a path.
- A request with an Upgrade field loses its body (Java's HttpClient sends one by default).
- A drain cuts connections with a running request.
- Closing a connection resets it if the client still sends, so that the client may lose its response.
- A client that has sent everything and closed its half gets no response.
- The server waits without limit for a client that reads no responses.
- Pipelines are unbounded.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from openapi.problems import Headers, Problem
from openapi.protocol import framing, targets
from openapi.protocol.admission import Admission
from openapi.protocol.cycle import Cycle, persistence
from openapi.protocol.delivery import DeliveryWatch, reset
from openapi.protocol.refusal import refusal
from openapi.serving.access_log import new_request_id
from openapi.serving.error_styles import ERROR_OBJECTS, ErrorStyle

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 32768
MAX_FIELDS = 100
MAX_PIPELINED = 32
"""The most requests that wait behind the current one before parsing pauses."""
PIECE_BYTES = 8192
"""The most bytes parsed at once: a read may hold thousands of requests."""
HEAD_SECONDS = 10.0
LINGER_SECONDS = 5.0
"""How long the rest of a body is read and discarded after an early response, so that the client sees it."""
WRITE_SECONDS = 75.0
"""How long a client may acknowledge nothing of a response that waits for it, unless the operator sets another time."""
IDLE_SECONDS_OF_DRAIN = 0.5
"""How long an idle connection may still begin a request when the service drains."""

CONNECTION = "connection"
"""The key of the ConnectionOptions in the state of the ASGI lifespan."""


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """Options of the operator, in seconds, and the error format and the headers of all responses of a path.

    `head_timeout` limits the time for the head of a request, `write_timeout` the time without an acknowledged byte.
    `counted` receives 1 for each connection that opens, and -1 when it closes. `admission` limits their number.
    """

    head_timeout: float = HEAD_SECONDS
    write_timeout: float = WRITE_SECONDS
    style_at: Callable[[str], ErrorStyle] = lambda _path: ERROR_OBJECTS
    announced_at: Callable[[str], Headers] = lambda _path: ()
    counted: Callable[[int], None] = lambda _change: None
    admission: Admission = field(default_factory=lambda: Admission(sys.maxsize))


class State(Enum):
    """What a connection does with the next bytes of its client."""

    IDLE = auto()
    """They begin a request."""
    HEAD = auto()
    """They continue the head of a request."""
    BODY = auto()
    """They continue the body of a request, which may already have its response."""
    REFUSED = auto()
    """They are discarded: a request was refused, and responses to earlier requests are still due."""
    LINGER = auto()
    """They are discarded until the client has had time to read the last response. Nothing more is written."""


class HTTPConnection(HttpToolsProtocol):
    """uvicorn's protocol with these gaps closed, and with the ConnectionOptions of the lifespan's state.

    Two flags are separate from its State, because they are set from outside, in any state, and both may be set: the
    client has closed its half (`_is_half_closed`), and the service drains (`_is_draining`).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._options: ConnectionOptions = self.app_state.get(CONNECTION, ConnectionOptions())
        self._persistence = persistence(self.timeout_keep_alive)
        self._deadline: asyncio.TimerHandle | None = None
        self._state = State.IDLE
        self._is_half_closed = False
        self._is_draining = False
        self._head_bytes = 0
        self._framing: list[tuple[bytes, bytes]] = []  # the fields that say where the request ends
        self._active_at = 0.0
        self._unparsed_bytes = 0  # of an unfinished field or line, which httptools does not report yet
        self._refusal: Problem | None = None
        self._waiting = b""  # received, but not parsed yet
        self._owed = 0  # requests that have no response yet
        self.cut_because = ""  # why this side has cut the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first head."""
        super().connection_made(transport)
        self._active_at = self.loop.time()
        self._options.counted(1)
        self._options.admission.admit(self, self.server_state.connections)  # type: ignore[arg-type] # all are of this class
        self._delivery = DeliveryWatch(transport, self._options.write_timeout, self._cut)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        self._options.counted(-1)
        self._disarm()
        self._unset_keepalive_if_required()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrives, or discard it."""
        if self._state is State.REFUSED or self._state is State.LINGER:
            return
        self._waiting += data
        self._parse_waiting()

    def eof_received(self) -> bool:  # type: ignore[override] # asyncio itself accepts a bool
        """The client sends nothing further; return True if the connection stays open, because a response is due."""
        self._is_half_closed = True
        return self._state is State.LINGER or (self._state is not State.BODY and self._owed > 0)

    def pause_writing(self) -> None:
        """The client reads more slowly than its responses are made: wait as long as it acknowledges anything."""
        super().pause_writing()
        self._delivery.begin()

    def resume_writing(self) -> None:
        """The client has read most of what waited."""
        self._delivery.end()
        super().resume_writing()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._state = State.HEAD
        self._unparsed_bytes = 0
        self._framing = []
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        self._count(len(url))
        self._stop_if_refused()
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head; a trailer field is dropped (RFC 9110 section 6.5.1)."""
        if self._state is State.BODY:
            return
        self._count(len(name) + len(value) + 4)
        if len(self.headers) >= MAX_FIELDS:
            self._refusal = _head_too_large()
        self._stop_if_refused()
        name = name.lower()
        if name in framing.FRAMING:
            self._framing.append((name, value))
        elif name == b"expect":
            self.expect_100_continue = value.lower() == b"100-continue"
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is complete: refuse it if it is ambiguous, or begin the request."""
        is_upgrade, method = self.parser.should_upgrade(), self.parser.get_method()
        if is_upgrade and method != b"CONNECT":
            return
        version = self.parser.get_http_version()
        if ambiguity := framing.ambiguity(method, version, self._framing, is_upgrade):
            self._refusal = Problem("malformed_request", detail=ambiguity)
        self._stop_if_refused()
        self._begin_request(method, version)
        self._disarm()
        self._state, self._head_bytes, self._unparsed_bytes = State.BODY, 0, 0
        self._owed += 1

    def _begin_request(self, method: bytes, version: str) -> None:
        """Serve the request, or queue it behind the one before."""
        raw_path, query = targets.parts(method, self.url)
        path = raw_path.decode("ascii")
        self.scope["method"] = method.decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = raw_path
        self.scope["query_string"] = query
        before = self.cycle
        cycle = self.cycle = Cycle(
            scope=self.scope,
            transport=self,  # type: ignore[arg-type] # the methods that a request uses are below
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and version != "1.0",  # RFC 9110 section 10.1.1
            keep_alive=version != "1.0" and self.parser.should_keep_alive() and not self._is_draining,
            on_response=self.on_response_complete,
        )
        cycle.persistence = self._persistence
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        """Called with each part of the body."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is complete, and the next head may come."""
        if self._state is not State.BODY:  # the head asked for another protocol, and is parsed again
            return
        self._disarm()
        self._state, self._unparsed_bytes = State.IDLE, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """A response is sent. The unread rest of a body is discarded for at most `LINGER_SECONDS`."""
        self._owed -= 1
        self.server_state.total_requests += 1
        self._active_at = self.loop.time()
        if not self.transport.is_closing():
            self.flow.resume_reading()
            if self.pipeline:
                self._start_asgi_task(*self.pipeline.pop())
            elif self.timeout_keep_alive_task is None:
                self.timeout_keep_alive_handler()
        if self._waiting:
            self._parse_waiting()
        if not self._owed and (self._is_half_closed or self._state is State.REFUSED):
            self._end()
        elif not self._owed and self._state is State.BODY:
            self._arm(LINGER_SECONDS, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has been idle for `timeout_keep_alive`, or check again when it may have been."""
        idle_seconds = self.loop.time() - self._active_at
        is_busy = self._owed or self._state is not State.IDLE
        if not is_busy and idle_seconds >= self.timeout_keep_alive:
            self.transport.close()
        else:
            rest = self.timeout_keep_alive - (0 if is_busy else idle_seconds)
            self.timeout_keep_alive_task = self.loop.call_later(rest, self.timeout_keep_alive_handler)

    def is_closing(self) -> bool:
        """True if nothing more can be written."""
        return self._state is State.LINGER or self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Send a part of a response, unless the connection is closing."""
        if not self.is_closing():
            self.transport.write(data)

    @property
    def idle_since(self) -> float | None:
        """The time of the last response, or of the start; None while a request runs."""
        has_no_request = not self._owed and (self._state is State.IDLE or self._state is State.HEAD)
        return self._active_at if has_no_request else None

    def close_now(self) -> None:
        """Close the connection at once, to make room for others."""
        self.transport.close()

    def reset(self) -> None:
        """End the connection so that the client sees that a response broke off."""
        reset(self.transport)

    def _cut(self) -> None:
        self.cut_because = f"the client acknowledged nothing for {self._options.write_timeout:g} seconds"
        self.reset()

    def close(self) -> None:
        """Close after the last response."""
        if self._state is State.IDLE or self._state is State.HEAD:
            self.transport.close()
        else:
            self._end()

    def shutdown(self) -> None:
        """Drain: finish running requests, and give the next request of an idle connection a moment to arrive."""
        self._is_draining = True
        if self._owed:
            self.cycle.keep_alive = False
        else:
            self.loop.call_later(IDLE_SECONDS_OF_DRAIN, self._close_if_idle)

    def _close_if_idle(self) -> None:
        has_no_head = self._state is State.IDLE or (self._state is State.HEAD and self._head_bytes == 0)
        if not self._owed and (has_no_head or self._is_half_closed):
            self.transport.close()

    def _parse_waiting(self) -> None:
        """Parse a piece at a time, until `MAX_PIPELINED` requests wait; refuse a request that cannot be parsed."""
        while self._waiting and len(self.pipeline) < MAX_PIPELINED:
            piece, self._waiting = self._waiting[:PIECE_BYTES], self._waiting[PIECE_BYTES:]
            self._unparsed_bytes += len(piece)
            try:
                self._parse(piece)
            except httptools.HttpParserCallbackError:
                self._refuse(self._refusal or Problem("malformed_request", detail="its target cannot be read"))
            except httptools.HttpParserError as error:
                self._refuse(Problem("malformed_request", detail=str(error) or "it cannot be parsed"))
            else:
                if self._head_bytes + self._unparsed_bytes > MAX_HEAD_BYTES:
                    self._refuse(_head_too_large())
        if self._waiting:
            self.flow.pause_reading()
        elif self._state is State.HEAD and self._deadline is None:
            self._expect_head()

    def _parse(self, data: bytes) -> None:
        """Parse `data`; ignore the Upgrade field of a request (RFC 9110 section 7.8 allows it)."""
        while data:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                version = self.parser.get_http_version().encode()
                lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + version]
                lines += [name + b": " + value for name, value in self.headers if name != b"upgrade"]
                data = b"\r\n".join([*lines, b"", data[upgrade.args[0] :]])
                self.parser = httptools.HttpRequestParser(self)
                self._head_bytes = 0
            else:
                return

    def _count(self, size: int) -> None:
        self._head_bytes += size
        self._unparsed_bytes = 0
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refusal = _head_too_large()

    def _stop_if_refused(self) -> None:
        if self._refusal:
            raise self._refusal  # stops the parser; `_parse_waiting` responds

    def _refuse(self, problem: Problem) -> None:
        """Send `problem` and end the connection; only end it if `problem` would answer another request."""
        was_in_body = self._state is State.BODY
        self._state, self._waiting = State.REFUSED, b""
        self._disarm()
        if was_in_body and self.pipeline:
            self.pipeline.popleft()  # the refused request itself, which waits behind another
            self._owed -= 1
        elif was_in_body and not self._owed:
            self._end()  # the refused request already has its response
        elif was_in_body or not self._owed:
            self._answer(problem)

    def _answer(self, problem: Problem) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        identifier = new_request_id()
        path = targets.path_of(getattr(self, "url", b""))
        headers = [*self.server_state.default_headers, *self._options.announced_at(path)]
        self.write(refusal(problem, self._options.style_at(path), identifier, headers))
        logger.info(
            "refused", extra={"request_id": identifier.decode(), "status": problem.status, "reason": problem.error}
        )
        self._end()

    def _end(self) -> None:
        """Write nothing more, and close when the client has had time to read its response (RFC 9112 section 9.6)."""
        if self.is_closing():
            return
        self._state, self._waiting = State.LINGER, b""
        self.pipeline.clear()
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()  # unread data would reset the connection, and the client might lose the response
            self._arm(LINGER_SECONDS, self.transport.abort)
        else:
            self.transport.close()

    def _expect_head(self) -> None:
        self._arm(self._options.head_timeout, self._head_is_late)

    def _head_is_late(self) -> None:
        self._refuse(Problem("head_timeout", seconds=self._options.head_timeout))

    def _arm(self, seconds: float, callback: Any) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, callback)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _head_too_large() -> Problem:
    return Problem("head_too_large", bytes=MAX_HEAD_BYTES, fields=MAX_FIELDS)
