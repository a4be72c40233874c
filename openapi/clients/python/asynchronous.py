"""Calls from an event loop, made by threads: they may be used from several loops, and outlive each of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Generic, ParamSpec, TypeVar, cast

from openapi.clients.python.streams import Stream

P = ParamSpec("P")
T = TypeVar("T")
_VALUES = 500


async def run(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What `call` returns; a thread makes it."""
    return await asyncio.to_thread(call, *args, **kwargs)


class AsyncItems(Generic[T]):
    """An iterator whose items are fetched by a thread, at most `most` at a time."""

    def __init__(self, items: Iterator[T], most: int = 1) -> None:
        self._items = items
        self._most = most
        self._ready: deque[T] = deque()
        self._error: Exception | None = None

    @property
    def cursor(self) -> str | None:
        """Where to continue a list; see `Items`."""
        return cast("str | None", getattr(self._items, "cursor", None))

    def __aiter__(self) -> "AsyncItems[T]":
        return self

    async def __anext__(self) -> T:
        if not self._ready and self._error is None:
            await asyncio.to_thread(self._fetch)
        if self._ready:
            return self._ready.popleft()
        error, self._error = self._error, None
        raise error or StopAsyncIteration

    def _fetch(self) -> None:
        """Fetch some items; an error is for the caller who has taken those before it."""
        try:
            self._ready.extend(islice(self._items, self._most))
        except Exception as error:
            self._error = error


class AsyncStream(Generic[T]):
    """A stream that is read by a thread, some values at a time: a change of threads takes ten times as long as one."""

    def __init__(self, stream: Stream[T]) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[T]:
        return AsyncItems(iter(self._stream), _VALUES)

    def chunks(self) -> AsyncIterator[bytes]:
        """The bytes."""
        return AsyncItems(self._stream.chunks())

    async def save(self, path: str | Path) -> int:
        """Write the bytes to a file; returns how many. A file that is there is replaced at the end."""
        return await run(self._stream.save, path)

    async def __aenter__(self) -> "AsyncStream[T]":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stream.close()
