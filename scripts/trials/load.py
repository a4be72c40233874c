"""A load of POST requests on a service: closed loops over persistent connections."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

import uvloop

from scripts.trials.measurement import Measurement

PAUSE_SECONDS = 0.05
"""How long a failed connection stays closed; and the interval between checks for silent ones."""
LONGEST_ANSWER = 1 << 20

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([2-5]\d\d)(?: [^\r\n]*)?(?:\r\n|\Z)")
CONTENT_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
CLOSE = re.compile(rb"^connection:[ \t]*close[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Shape:
    """The request that is posted again and again."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(repr=False)  # they hold a key

    def request(self, host: str) -> bytes:
        """The bytes of one POST to `host`."""
        fields = {"Host": host, "Content-Length": str(len(self.body)), **self.headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "".join(f"{line}\r\n" for line in [*lines, ""]).encode() + self.body


class Load:
    """Connections to a service. Each sends its next request as soon as the last one is answered."""

    def __init__(self, url: str, shape: Shape, timeout: float = 10) -> None:
        """`url` is the service's, without a path; `timeout`, in seconds, is for one answer or connection attempt."""
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._timeout = timeout
        self.request = shape.request(parts.netloc)
        self.measurement = Measurement()
        self.is_on = False
        self.open: set[LoadConnection] = set()

    async def phases(self, connections: int, *seconds: float) -> list[Measurement]:
        """Run one phase of the length of each of `seconds`, all over the same connections."""
        loops = [asyncio.create_task(self._keep_connected()) for _ in range(connections)]
        try:
            return [await self._phase(length) for length in seconds]
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)

    async def _phase(self, seconds: float) -> Measurement:
        """One phase; it ends when each request that was sent in time is answered, or has failed."""
        self.measurement, self.is_on = Measurement(), True
        for connection in list(self.open):
            connection.send()
        stop_at = self.measurement.began + seconds
        while self.is_on or any(connection.is_waiting for connection in self.open):
            now = perf_counter()
            self.is_on = now < stop_at
            for connection in list(self.open):
                connection.give_up_if_sent_before(now - self._timeout)
            await asyncio.sleep(max(min(PAUSE_SECONDS, stop_at - now), 0.001))
        self.measurement.ended = max(self.measurement.ended, stop_at)
        return self.measurement

    async def _keep_connected(self) -> None:
        """Hold one connection, and reopen it when it closes, after a pause if it failed."""
        while True:
            if await self._connected(LoadConnection(self)):
                await asyncio.sleep(PAUSE_SECONDS)

    async def _connected(self, connection: "LoadConnection") -> bool:
        """Open `connection`, and wait until it is closed; return True if it failed."""
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.get_running_loop().create_connection(lambda: connection, *self._address)
            return await connection.closed
        except OSError as error:  # TimeoutError is one
            self.measurement.errors[f"not connected: {type(error).__name__}"] += 1
            return True
        finally:
            connection.abort()


class LoadConnection(asyncio.Protocol):
    """One connection, with at most one request under way. The result of `closed` is True if it failed."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.WriteTransport | None = None
        self._unread = b""
        self._sent_at = 0.0
        self.is_waiting = False
        self.closed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request if the load is on."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._load.open.add(self)
        if self._load.is_on:
            self.send()

    def send(self) -> None:
        """Send a request."""
        if self._transport and not self._transport.is_closing():
            self.is_waiting = True
            self._sent_at = perf_counter()
            self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        """Count the answer when it is complete, and send the next request."""
        received = self._unread + data if self._unread else data
        self._unread = received
        head, blank_line, body = received.partition(b"\r\n\r\n")
        if not self.is_waiting or len(received) > LONGEST_ANSWER:
            self._fail("malformed")
        elif not blank_line:
            return
        elif not (status := STATUS_LINE.match(head)):
            self._fail("malformed")
        elif len(lengths := CONTENT_LENGTH.findall(head)) != 1:
            self._fail("no Content-Length" if not lengths else "malformed")
        elif len(body) > (length := int(lengths[0])):
            self._fail("malformed")
        elif len(body) == length:
            self._unread = b""
            self._finish(int(status[1]), head, body)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the protocol's signature)
        """Count an error if a request was under way."""
        self._fail("closed")

    def give_up_if_sent_before(self, moment: float) -> None:
        """Count an error if a request that was sent before `moment` has no answer."""
        if self.is_waiting and self._sent_at < moment:
            self._fail("silent")

    def abort(self) -> None:
        """Close the connection at once."""
        self._load.open.discard(self)
        self.is_waiting = False
        if self._transport:
            self._transport.abort()

    def _finish(self, status: int, head: bytes, body: bytes) -> None:
        self.is_waiting = False
        self._load.measurement.answered(status, head, body, self._sent_at)
        if CLOSE.search(head):
            self._end(failed=False)
        elif self._load.is_on:
            self.send()

    def _fail(self, kind: str) -> None:
        if self.is_waiting:
            self._load.measurement.errors[kind] += 1
        self._end(failed=self.is_waiting)

    def _end(self, failed: bool) -> None:
        self.abort()
        if not self.closed.done():
            self.closed.set_result(failed)


def measured(load: Load, connections: int, seconds: float, warm_up: float = 0) -> Measurement:
    """The measurement of `load` over `seconds`, after `warm_up` uncounted seconds; KeyboardInterrupt on SIGTERM."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_until_terminated(load.phases(connections, warm_up, seconds)))[-1]
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGTERM, handler)


async def _until_terminated(phases: Awaitable[list[Measurement]]) -> list[Measurement]:
    """Cancel `phases` on SIGTERM: an exception of a signal handler would be lost in uvloop, which logs it."""
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await phases
