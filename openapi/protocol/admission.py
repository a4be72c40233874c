"""Admission: each connection takes a file descriptor, and a process may have only so many."""

import logging
import time
from collections.abc import Collection
from typing import Protocol

logger = logging.getLogger(__name__)

LOG_SECONDS = 60
"""Between two lines that say that connections are closed."""
SHARE = 100
"""One in so many is closed at once, so that not every new connection looks for an idle one."""


class Connection(Protocol):
    """A connection, as far as its admission needs it."""

    @property
    def idle_since(self) -> float | None:
        """When it had its last response, or was opened, by the clock of the event loop; None while a request runs."""

    def close_now(self) -> None:
        """Close it at once."""


class Admission:
    """Admits new connections, and closes idle ones for them once there are more than `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._log_at = 0.0

    def admit(self, newcomer: Connection, connections: Collection[Connection]) -> None:
        """Make room for `newcomer` among `connections`, which include it; close it if no other one is idle."""
        if len(connections) <= self._most:
            return
        idle = [
            (since, each) for each in connections if each is not newcomer and (since := each.idle_since) is not None
        ]
        idle.sort(key=lambda pair: pair[0])
        closing = [each for _, each in idle[: 1 + len(connections) // SHARE]] or [newcomer]
        for each in closing:
            each.close_now()
        if time.monotonic() >= self._log_at:
            self._log_at = time.monotonic() + LOG_SECONDS
            logger.warning(
                "this worker has as many connections as its file descriptors allow: it closes those that are idle for "
                "longest, and new ones if none is; raise the limit (ulimit -n), or start more workers",
                extra={"connections": len(connections), "idle": len(idle)},
            )
