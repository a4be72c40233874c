"""Answers without an end in sight, such as exports: read as they arrive, in constant memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar, cast

from openapi.clients.python.errors import Outage, UnexpectedAnswer
from openapi.clients.python.wire.answers import SHOWN_BYTES
from openapi.clients.python.wire.connections import Opened

T = TypeVar("T")
NDJSON = "application/x-ndjson"
_MAX_LINE = 16 * 1024 * 1024


class Stream(Generic[T]):
    """An answer that is read once: as values, one for each line of NDJSON, or as bytes. Outage if it is cut off."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self.media_type = opened.headers.get("content-type", "").partition(";")[0].strip().lower()

    def __iter__(self) -> Iterator[T]:
        """The values of the lines."""
        if self.media_type != NDJSON:
            self.close()
            raise UnexpectedAnswer(
                self._opened.status, f"the answer is {self.media_type}, not {NDJSON}: read its chunks"
            )
        for line in self._lines():
            try:
                yield cast("T", json.loads(line))
            except (ValueError, RecursionError):
                self.close()
                raise UnexpectedAnswer(self._opened.status, line[:SHOWN_BYTES].decode("utf-8", "replace")) from None

    def chunks(self) -> Iterator[bytes]:
        """The bytes."""
        with self._opened:
            yield from self._opened.chunks()

    def save(self, path: str | Path) -> int:
        """Write the bytes to a file; returns how many. A file that is there is replaced at the end."""
        target = Path(path)
        partial = target.with_name(f"{target.name}.part")
        with partial.open("wb") as file:
            count = sum(file.write(chunk) for chunk in self.chunks())
        partial.replace(target)
        return count

    def close(self) -> None:
        """Stop reading."""
        self._opened.close()

    def __enter__(self) -> "Stream[T]":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        for chunk in self.chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line for line in lines if line.strip())
            if len(rest) > _MAX_LINE:
                raise UnexpectedAnswer(self._opened.status, "a line of the answer does not end")
        if rest.strip():
            raise Outage(self._opened.status, "the last line of the answer is cut off")
