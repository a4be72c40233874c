"""The answer to a batch: the result of each item, by index, and totals."""

import logging
import os
from collections import Counter
from collections.abc import AsyncGenerator
from io import FileIO
from tempfile import TemporaryFile
from typing import Any, Self

from openapi.problems import Problem
from openapi.serving.error_styles import ErrorStyle
from openapi.serving.messages import Answer, encoded
from openapi.standards.media_types import JSON, NDJSON

logger = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024 * 1024
"""Limit on the results in the answer to a stream: beyond it the rest of the stream is not read."""
PIECE_BYTES = 64 * 1024

_OF_SOME = "the others are stored", "only these"
_OF_ALL = "nothing is stored", "them"
_OF_DRY_RUN = "nothing is stored, as this is a dry run", "all items"
"""What happened to the items that were not rejected, and what to send again."""

Result = dict[str, Any]


def stored(index: int, status: str, identifier: str) -> Result:
    """The result of an item that is stored; `status` is created or duplicate."""
    return {"index": index, "status": status, "id": identifier}


def rejected(index: int, problem: Problem, style: ErrorStyle) -> Result:
    """The result of an item that is not stored."""
    return {"index": index, "status": "rejected", **style.of_item(problem), "retry": problem.is_transient}


class Results:
    """Collects the results of items in their order; the answer is built after the last, because its status needs all.

    The results of a stream are in a file. Results that do not fit on the disk are kept in memory, and end the stream.
    """

    def __init__(self, is_stream: bool, style: ErrorStyle, is_dry_run: bool = False) -> None:
        self._style = style
        self._is_dry_run = is_dry_run
        self._listed: list[Result] = []
        self._file = _temporary_file() if is_stream else None
        self._file_bytes = 0
        self._beyond_file = b""
        self._totals = Counter({"received": 0, "created": 0, "duplicate": 0, "rejected": 0})
        self._is_transient = False
        self.headers: list[tuple[bytes, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Close the file if there will be no answer."""
        if kind and self._file:
            self._file.close()

    @property
    def is_empty(self) -> bool:
        """True if no item has a result yet."""
        return not self._totals["received"]

    def add(self, results: list[Result]) -> None:
        """Add the results of the next items."""
        self._totals["received"] += len(results)
        self._totals.update([result["status"] for result in results])
        self._is_transient = self._is_transient or any(result.get("retry") for result in results)
        if self._file:
            self._write(self._file.fileno(), b"".join([encoded(result) + b"\n" for result in results]))
        else:
            self._listed += results

    def _write(self, descriptor: int, lines: bytes) -> None:
        """Append `lines` to the file; Problem if the disk is full, or the file exceeds MOST_BYTES."""
        written = 0
        try:
            while written < len(lines):
                written += os.pwrite(descriptor, lines[written:], self._file_bytes + written)
        except OSError as error:
            self._beyond_file = lines
            raise _not_kept(error) from None
        self._file_bytes += written
        if self._file_bytes > MOST_BYTES:
            raise Problem("too_many_results", limit=MOST_BYTES)

    def answer(self, interruption: Problem | None = None) -> Answer:
        """200 if all items are stored, else the status of the worst result. `interruption` ended a stream early."""
        problem = interruption or self._worst()
        status, headers = (problem.status, [*problem.headers, *self.headers]) if problem else (200, self.headers)
        totals: dict[str, Any] = {"totals": dict(self._totals)}
        if self._file is None:
            members = self._style.of_batch(problem) if problem else {}
            media_type = self._style.media_type if problem else JSON
            body = {**members, "results": self._listed, **totals}
            return Answer(status, body, headers, media_type, problem=problem)
        if interruption:
            totals |= self._style.of_stream(interruption)
        last = self._beyond_file + encoded(totals) + b"\n"
        return Answer(status, _pieces(self._file, self._file_bytes, last), headers, NDJSON, problem=problem)

    def _worst(self) -> Problem | None:
        """The problem of the batch; None if all items are stored."""
        rejected = self._totals["rejected"]
        if not rejected:
            return None
        received = self._totals["received"]
        code = "items_unavailable" if self._is_transient else "items_rejected"
        others, again = _OF_ALL if rejected == received else _OF_SOME
        if self._is_dry_run:
            others, again = _OF_DRY_RUN
        return Problem(code, rejected=rejected, received=received, others=others, again=again)


def _temporary_file() -> FileIO:
    """A file for results; Problem if the directory of temporary files has no room for it."""
    try:
        return TemporaryFile(buffering=0)
    except OSError as error:
        raise _not_kept(error) from None


def _not_kept(error: OSError) -> Problem:
    logger.warning("the results of a stream cannot be written to the temporary directory: %s", error.strerror)
    return Problem("results_not_kept", reason=f"results cannot be written: {error}")


async def _pieces(file: FileIO, size: int, last: bytes) -> AsyncGenerator[bytes]:
    """The first `size` bytes of `file`, and then `last`."""
    with file:
        for offset in range(0, size, PIECE_BYTES):
            yield os.pread(file.fileno(), min(PIECE_BYTES, size - offset), offset)
        yield last
