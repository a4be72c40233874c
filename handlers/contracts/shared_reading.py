"""A value of the database that is kept in memory for a moment."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

MAX_AGE_SECONDS = 1
"""Limit on the age of the value in memory: beyond it a request reads it again."""
T = TypeVar("T")


class SharedReading(Generic[T]):
    """Concurrent requests share one reading of the value."""

    def __init__(self) -> None:
        self._reading: asyncio.Task[T] | None = None
        self._read_at = 0.0

    async def value(self, read: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The value, from a reading that is under way or began at most MAX_AGE_SECONDS ago, else from a new one.

        Raises what `read` raises.
        """
        is_old = time.monotonic() - self._read_at > MAX_AGE_SECONDS
        if self._reading is None or (self._reading.done() and is_old):
            self._read_at = time.monotonic()
            self._reading = asyncio.create_task(read())
            self._reading.add_done_callback(_retrieve)
        return await asyncio.shield(self._reading)  # a client that disconnects cancels only its own request


def _retrieve(reading: "asyncio.Task[Any]") -> None:
    """Retrieve the error of a reading that every caller has given up on; asyncio would log it otherwise."""
    if not reading.cancelled():
        reading.exception()
