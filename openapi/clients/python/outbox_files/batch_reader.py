"""What is sent next. It is read while the service works on the request before, whose rows are removed likewise."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from openapi.clients.python.batches import joined
from openapi.clients.python.errors import OutboxError
from openapi.clients.python.operations import Call, coded
from openapi.clients.python.outbox_files.item_queue import Queue
from openapi.clients.python.outbox_files.items import Kind, Row

_FRESH = 1.0
"""Seconds for which rows that were read ahead are sent: meanwhile another process may erase them."""
_LOOK_RATIO = 100
"""A look for items of one kind reads past all others: one without success is repeated after as many times its time."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows, and the request that has them."""

    kind: Kind
    rows: Sequence[Row]
    call: Call
    read_at: float

    @classmethod
    def of(cls, kind: Kind, rows: Sequence[Row]) -> Self:
        """The batch of `rows`. It needs no Idempotency-Key: each item has a key of its own."""
        call = coded(Call(kind.operation, body=joined(row.body for row in rows)))
        return cls(kind, rows, call, time.monotonic())


@dataclass(slots=True)
class BatchReader:
    """Reads batches for one sender; every method raises OutboxError."""

    queue: Queue
    _ahead: Batch | None = None
    _stored: Batch | None = None
    _next_looks: dict[str, float] = field(default_factory=dict[str, float])

    def next(self, kind: Kind, most: int) -> Batch | None:
        """What was read ahead a moment ago, or at most `most` items that are due."""
        if self._ahead and self._ahead.kind is kind:
            ahead, self._ahead = self._ahead, None
            if time.monotonic() - ahead.read_at < _FRESH:
                return ahead
        if self._stored and self._stored.kind is kind:
            self.finish()
        begin = time.monotonic()
        if begin < self._next_looks.get(kind.name, 0.0):
            return None
        batch = self._read(kind, most)
        if not batch:
            end = time.monotonic()
            self._next_looks[kind.name] = end + _LOOK_RATIO * (end - begin)
        return batch

    def look_for_all(self) -> None:
        """Look for items of each kind next time."""
        self._next_looks.clear()

    def stored(self, batch: Batch) -> None:
        """Note that the service has all rows of `batch`: they are removed during the next request, or by `finish`."""
        self.finish()
        self._stored = batch

    def use_time(self, batch: Batch, most: int) -> None:
        """While the service works on `batch`, remove the rows of the one before it, and read what comes after it."""
        with suppress(OutboxError):  # it is tried again
            self.finish()
            if len(batch.rows) >= most:
                self._ahead = self._read(batch.kind, most, batch.rows[-1].seq)

    def finish(self) -> None:
        """Remove the rows that the service has."""
        if self._stored:
            self.queue.settle(self._stored.rows, [], {})
            self._stored = None

    def forget(self) -> None:
        """Read again what is next: the rows that were read ahead may be gone."""
        self._ahead = None

    def _read(self, kind: Kind, most: int, after: int = 0) -> Batch | None:
        rows = self.queue.due(kind, most, after)
        return Batch.of(kind, rows) if rows else None
