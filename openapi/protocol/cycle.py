"""One request and its response on an HTTP/1.1 connection, beneath ASGI."""

from typing import Any

from starlette.requests import ClientDisconnect
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from openapi.requests.content import COMPLETE
from openapi.standards.status_phrases import PHRASES


def fix_status_lines() -> None:
    """Replace the phrases in the status lines of uvicorn, which takes them from the running Python, by PHRASES.

    A separate table would not be enough, because the cycle of uvicorn reads its own.
    """
    STATUS_LINE.update({status: f"HTTP/1.1 {status} {phrase}\r\n".encode() for status, phrase in PHRASES.items()})


class Cycle(RequestResponseCycle):
    """uvicorn's cycle, but a response with a whole body takes one write instead of two."""

    _start: Any = None  # of a response, held until its body comes

    async def run_asgi(self, app: Any) -> None:
        """Serve the request; a body that has arrived whole is passed in the scope."""
        if not self.more_body:
            self.scope["extensions"] = {COMPLETE: {"body": bytes(self.body)}}
        await super().run_asgi(app)

    async def send(self, message: Any) -> None:
        """Send a part of the response."""
        if self.disconnected and message.get("more_body"):
            raise ClientDisconnect  # uvicorn would go on with a long response after its client is gone
        start = self._start
        if start is None:
            if message["type"] != "http.response.start" or self.response_started:
                await super().send(message)
            else:
                self._start, self.response_started, self.waiting_for_100_continue = message, True, False
            return
        self._start = None
        if self.flow.write_paused or self.disconnected or not self._sent_at_once(start, message):
            self.response_started = False
            await super().send(start)
            await super().send(message)

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
        self.transport.write(b"%b\r\n%b" % (head, body))
        self.message_event.set()
        self.on_response()
        return True
