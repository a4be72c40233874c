"""The duration of each step of a request, in a Server-Timing header (W3C Server Timing, section 3)."""

from collections.abc import Awaitable
from contextvars import ContextVar
from itertools import pairwise
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_laps: ContextVar[list[tuple[str, float]] | None] = ContextVar("laps", default=None)
"""The laps of the current request, each with its name and end in seconds; None if they are not measured."""


def lap(name: str, at: float | None = None) -> None:
    """Record that the step `name` ended, now or at the `perf_counter` time `at`."""
    laps = _laps.get()
    if laps is not None:
        laps.append((name, at or perf_counter()))


class ServerTiming:
    """Adds the header Server-Timing to each response: milliseconds of each lap, and of the response after the last."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        laps = [("", perf_counter())]

        def send_timed(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                lap("answer")
                message["headers"].append((b"server-timing", _header_value(laps).encode("ascii")))
            return send(message)

        _laps.set(laps)
        await self._app(scope, receive, send_timed)


def _header_value(laps: list[tuple[str, float]]) -> str:
    return ", ".join(f"{name};dur={(end - begin) * 1000:.3f}" for (_, begin), (name, end) in pairwise(laps))
