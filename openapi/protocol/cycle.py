"""One request and its response on an HTTP/1.1 connection, beneath ASGI."""

from typing import Any

from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from openapi.requests.content import COMPLETE
from openapi.standards.status_phrases import PHRASES

MARGIN_SECONDS = 5
"""How much sooner than the service a client gives an idle connection up."""


def fix_status_lines() -> None:
    """Replace the phrases in the status lines of uvicorn, which takes them from the running Python, by PHRASES.

    A separate table would not be enough, because the cycle of uvicorn reads its own.
    """
    STATUS_LINE.update({status: f"HTTP/1.1 {status} {phrase}\r\n".encode() for status, phrase in PHRASES.items()})


def persistence(seconds: int) -> bytes:
    """The lines that announce how long an idle connection may be used again, if it is closed after `seconds`.

    Some seconds less, so that no client sends a request while the service closes its connection (RFC 2068 section
    19.7.1.1). `Connection` names the field, because it concerns this connection alone (RFC 9110 section 7.6.1).
    """
    announced = max(seconds - MARGIN_SECONDS, seconds // 2)
    return b"connection: keep-alive\r\nkeep-alive: timeout=%d\r\n" % announced


class Cycle(RequestResponseCycle):
    """uvicorn's cycle, but a response with a whole body takes one write instead of two.

    A response that breaks off is not a fault of its own: the access log has its reason.
    """

    transport: Any  # the HTTPConnection
    persistence: bytes = b""
    """The lines of each response that keeps the connection open, from `persistence`."""
    _start: Any = None  # of a response, held until its body comes
    _ends_with_connection = False  # a response without a length to HTTP/1.0, which has no chunks (RFC 9112 section 6.1)

    async def run_asgi(self, app: Any) -> None:
        """Serve the request; a body that has arrived whole is passed in the scope."""
        if not self.more_body:
            self.scope["extensions"] = {COMPLETE: {"body": bytes(self.body)}}
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException:
            self.logger.exception("fault outside the access log")
        if not self.response_complete and not self.disconnected:
            await self._break_off()
        self.on_response = lambda: None  # it refers to the connection, which refers to the cycle

    async def _break_off(self) -> None:
        """Answer with 500 if nothing is sent yet, else reset the connection, so that no client takes it for the end."""
        if self.response_started and not self._start:
            self.transport.reset()
        else:
            self._start, self.response_started = None, False
            await self.send_500_response()

    async def send(self, message: Any) -> None:
        """Send a part of the response."""
        if self.disconnected and message.get("more_body"):
            # uvicorn would go on with a long response after its client is gone.
            raise ClientDisconnect(self.transport.cut_because)
        start = self._start
        if start is None:
            if message["type"] != "http.response.start" or self.response_started:
                await self._send_part(message)
            else:
                self._start, self.response_started, self.waiting_for_100_continue = message, True, False
            return
        self._start = None
        if self.flow.write_paused or self.disconnected or not self._sent_at_once(start, message):
            self.response_started = False
            await self.flow.drain()  # meanwhile the connection may become one that closes
            is_sized = any(name == b"content-length" for name, _ in start["headers"])
            if self.scope["http_version"] == "1.0" and not is_sized:
                self._ends_with_connection, self.chunked_encoding = True, False
            await super().send(self._announcing(start))
            await self._send_part(message)

    async def _send_part(self, message: Any) -> None:
        """Send a part of a response whose head is sent."""
        if self._ends_with_connection:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)

    def _announcing(self, start: Any) -> Any:
        """`start`, with the lines of `persistence` if the connection stays open."""
        if not self.keep_alive or any(name.lower() == b"connection" for name, _ in start["headers"]):
            return start
        lines = self.persistence.split(b"\r\n")[:-1]
        return start | {"headers": [*start["headers"], *[tuple(line.split(b": ")) for line in lines]]}

    def _sent_at_once(self, start: Any, message: Any) -> bool:
        """Send the response and return True if its length is known and the connection stays open."""
        body = message.get("body", b"")
        fields = [*self.default_headers, *start["headers"]]
        head = b"".join([STATUS_LINE[start["status"]], *[b"%b: %b\r\n" % field for field in fields]])
        if head.count(b"\n") != len(fields) + 1:
            raise RuntimeError("a header of the answer has a line break")
        if (
            message.get("more_body")
            or not self.keep_alive
            or b"\r\ncontent-length: %d\r\n" % len(body) not in head
            or b"\r\nconnection:" in head
            or b"\r\ntransfer-encoding:" in head
            or self.scope["method"] == "HEAD"
        ):
            return False
        self.response_complete = True
        self.transport.write(b"%b%b\r\n%b" % (head, self.persistence, body))
        self.message_event.set()
        self.on_response()
        return True
