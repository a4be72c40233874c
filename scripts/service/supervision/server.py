"""The server of one worker: uvicorn's, with a delay before it drains, and an end while it starts."""

import asyncio
import contextlib
import signal
import socket
import sys
from types import FrameType

from uvicorn import Config, Server

from handlers.site.draining import DRAINING, ON_DRAIN

POLL_SECONDS = 0.1


class DelayedServer(Server):
    """Serves on for `drain_delay` seconds after SIGTERM: load balancers must first see that it is not ready.

    A second signal, or SIGINT, ends the delay.
    """

    def __init__(self, config: Config, drain_delay: float) -> None:
        super().__init__(config)
        self._drain_delay = drain_delay
        self._drains_at = float("inf")  # by the clock of the event loop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain, at once or after the delay. uvicorn calls this for each signal."""
        is_first = not (self._captured_signals or self.should_exit)
        if is_first and self.started and self._drain_delay and sig == signal.SIGTERM:
            self._captured_signals.append(sig)
            self.lifespan.state[DRAINING] = True
            self._drains_at = asyncio.get_event_loop().time() + self._drain_delay
        else:
            super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, or end at a signal: a start may wait for the database for long."""
        starting = asyncio.ensure_future(super().startup(sockets))
        while not starting.done() and not self.should_exit:
            await asyncio.wait([starting], timeout=POLL_SECONDS)
        if starting.done():
            await starting
        else:
            self.lifespan.startup_failed = True  # so that uvicorn does not log what is cut off as a fault
            starting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await starting
            sys.exit(0)

    async def on_tick(self, counter: int) -> bool:
        """True if the server ends. uvicorn calls this ten times a second."""
        if asyncio.get_running_loop().time() >= self._drains_at:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain: end the responses that have no end, and wait for the others."""
        if ON_DRAIN in self.lifespan.state:
            self.lifespan.state[ON_DRAIN]()
        await super().shutdown(sockets)
