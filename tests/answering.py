"""A server that answers every request alike, with the bytes that a test chooses."""

import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CREATED = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}"


def created(*fields: str) -> bytes:
    """A 201 response with `fields` added to its head."""
    return CREATED.replace(b"\r\n\r\n", "".join(f"\r\n{line}" for line in fields).encode() + b"\r\n\r\n")


class Server(socketserver.ThreadingTCPServer):
    """Sends `parts` with a pause between them, then hangs up if `hangs_up`; `received` has the requests."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 100

    def __init__(self, parts: tuple[bytes, ...], hangs_up: bool) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.parts = parts
        self.hangs_up = hangs_up
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.received: list[bytes] = []
        self.connections = 0


class Answers(socketserver.StreamRequestHandler):
    """One connection."""

    server: Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer each request until one side hangs up."""
        self.server.connections += 1
        with suppress(ConnectionError):
            while request := self._request():
                self.server.received.append(request)
                for part in self.server.parts:
                    self.wfile.write(part)
                    time.sleep(0.001)
                if self.server.hangs_up:
                    break

    def _request(self) -> bytes:
        """The next request; empty at the end."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (line := self.rfile.readline()):
                return b""
            head += line
        (length,) = re.findall(rb"Content-Length: (\d+)", head)
        return head + self.rfile.read(int(length))


@contextmanager
def answering(*parts: bytes, hangs_up: bool = False) -> Iterator[Server]:
    """A running server on a free port; without `parts` it is silent."""
    with Server(parts, hangs_up) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
