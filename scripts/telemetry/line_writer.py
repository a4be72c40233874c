"""Writes lines on a thread, so that a reader of the log that stalls holds up nothing else."""

import os
import threading
from collections.abc import Sequence
from typing import TextIO

MAX_WAITING_BYTES = 1024 * 1024
"""Limit on the lines that wait for their reader: further lines are dropped."""
DRAIN_SECONDS = 1.0
"""How long an end waits for the reader of the last lines."""


class LineWriter:
    """Writes lines to `stream` in their order; those that cannot be written are dropped and counted.

    It writes to the descriptor itself, if there is one: a thread that is blocked within `stream` would hold its lock,
    and Python aborts if it cannot take that lock at its end.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.dropped = 0
        self._waiting: list[str] = []
        self._bytes = 0  # of the lines that wait and of those that are being written
        self._is_stalled = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def is_full(self) -> bool:
        """True while so many lines wait that further ones may be dropped."""
        return self._bytes > MAX_WAITING_BYTES // 2

    def add(self, lines: Sequence[str]) -> None:
        """Write `lines` soon. Never waits for the reader."""
        size = sum(map(len, lines))
        with self._changed:
            if self._bytes + size > MAX_WAITING_BYTES:
                self.dropped += len(lines)
                return
            self._waiting += lines
            self._bytes += size
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_forever, name="log", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def drain(self) -> None:
        """Wait until every line is written, at most `DRAIN_SECONDS`, and not again before the reader goes on."""
        with self._changed:
            if not self._is_stalled:
                self._is_stalled = not self._changed.wait_for(lambda: not self._bytes, DRAIN_SECONDS)

    def _write_forever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                lines, self._waiting = self._waiting, []
            is_written = self._write("\n".join([*lines, ""]))
            with self._changed:
                self._bytes -= sum(map(len, lines))
                self.dropped += 0 if is_written else len(lines)
                self._is_stalled = False
                self._changed.notify_all()

    def _write(self, text: str) -> bool:
        """Write `text`; False if it is lost, as on a full disk."""
        try:
            descriptor = self.stream.fileno()
        except (OSError, ValueError):  # a stream in memory, or a closed one
            descriptor = None
        try:
            if descriptor is None:
                self.stream.write(text)
            else:
                rest = memoryview(text.encode("utf-8", "backslashreplace"))
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
        except (OSError, ValueError):
            return False
        return True
