"""A body of many items, each validated on its own: an invalid item does not affect the others."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from openapi.problems import Problem
from openapi.schemas.field_errors import field_name
from openapi.schemas.validation import Schema
from openapi.standards import ijson
from openapi.standards.json_pointer import pointer

LINE_BYTES = 64 * 1024
"""The most bytes of one NDJSON line."""
DISCARDED_BYTES = 4 * 1024 * 1024
"""The most bytes of an oversized line that are discarded in search of its end."""
GROUP_ITEMS = 500
GROUP_BYTES = 256 * 1024

# With the blank lines after it: hostile bodies have many.
_LINE_END = re.compile(rb"\n(?:[ \t\r]{0,%d}+\n)*+" % LINE_BYTES)


@dataclass(slots=True)
class Item:
    """One item: its index, from 0; its value, or its Problem; and its bytes, if it is a line."""

    index: int
    value: Any
    problem: Problem | None = None
    line: bytes | None = None


class Array:
    """The items of a JSON array that has arrived whole."""

    is_stream = False

    def __init__(self, content: bytes, values: list[Any], schema: Schema) -> None:
        self.content = content
        self._values = values
        self._schema = schema
        self._slices: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self._values)

    async def groups(self) -> AsyncIterator[list[Item]]:
        """Yield the items in groups."""
        for start in range(0, len(self._values), GROUP_ITEMS):
            values = self._values[start : start + GROUP_ITEMS]
            yield [_judged(start + number, value, self._schema) for number, value in enumerate(values)]

    def bytes_of(self, item: Item) -> bytes:
        """`item` as it was sent."""
        if self._slices is None:
            try:
                self._slices = ijson.slices(self.content)
            except RecursionError:  # if the stack is deeper than when the items were validated
                self._slices = [b""] * len(self._values)
        return self._slices[item.index]


class Lines:
    """The items of an NDJSON body, one per line, as they arrive; blank lines are skipped.

    `authorize` raises Problem when the sender is no longer accepted: a stream may outlive its key.
    """

    is_stream = True

    def __init__(self, pieces: AsyncIterator[bytes], schema: Schema, authorize: Callable[[], Awaitable[None]]) -> None:
        self._pieces = pieces
        self._schema = schema
        self.authorize = authorize
        self._interruption: Problem | None = None

    async def groups(self) -> AsyncIterator[list[Item]]:
        """Yield the items in groups. Raises Problem if the rest of the body cannot be read."""
        group: list[Item] = []
        count = size = 0
        async for lines in self._lines():
            for line in lines:
                group.append(self._item(count, line))
                count += 1
                size += len(line)
                if len(group) == GROUP_ITEMS or size > GROUP_BYTES:
                    yield group
                    group, size = [], 0
        if group:
            yield group
        if self._interruption:
            raise self._interruption

    async def _lines(self) -> AsyncIterator[list[bytes]]:
        """Yield the lines in groups; store a Problem that interrupts them, so that the lines before it still count."""
        splitter = _Splitter()
        try:
            async for piece in self._pieces:
                yield splitter.lines(piece)
                splitter.check()
            yield splitter.rest()
        except Problem as problem:
            self._interruption = problem

    def bytes_of(self, item: Item) -> bytes:
        """`item` as it was sent."""
        return item.line or b""

    def _item(self, index: int, line: bytes) -> Item:
        if len(line) > LINE_BYTES:
            return Item(index, None, Problem("content_too_large", size=f"at least {len(line)}", limit=LINE_BYTES))
        try:
            value = ijson.loads(line)
        except (ijson.MalformedJSON, ijson.UnstorableValue) as error:
            value = error
        item = _judged(index, value, self._schema)
        item.line = line
        return item


Batch = Array | Lines


def problem_of(error: ijson.MalformedJSON | ijson.UnstorableValue) -> Problem:
    """The Problem that reports malformed or unstorable JSON."""
    if isinstance(error, ijson.MalformedJSON):
        return Problem("malformed_json", detail=str(error))
    return Problem(
        "unstorable_value",
        pointer=pointer(*error.parts),
        field=field_name(*error.parts),
        detail=error.reason,
        remedy=error.remedy,
    )


def _judged(index: int, value: Any, schema: Schema) -> Item:
    if isinstance(value, ijson.MalformedJSON | ijson.UnstorableValue):
        return Item(index, None, problem_of(value))
    if schema.is_valid(value):
        return Item(index, value)
    return Item(index, None, schema.problem(value))


class _Splitter:
    """Splits pieces of bytes into lines. A line that is too long is cut, and its rest is discarded."""

    def __init__(self) -> None:
        self._line = b""
        self._discarded = 0

    def lines(self, piece: bytes) -> list[bytes]:
        """Return the lines that end within `piece`, except blank ones."""
        *parts, rest = _LINE_END.split(piece)
        lines = []
        for part in parts:
            line = (self._line + part)[: LINE_BYTES + 1]
            self._line, self._discarded = b"", 0
            if _is_item(line):
                lines.append(line)
        room = LINE_BYTES + 1 - len(self._line)
        self._discarded += max(0, len(rest) - room)
        self._line += rest[:room]
        return lines

    def check(self) -> None:
        """Raise Problem if more than `DISCARDED_BYTES` of the current line were discarded."""
        if self._discarded > DISCARDED_BYTES:
            size = f"at least {len(self._line) + self._discarded}"
            raise Problem("content_too_large", size=size, limit=LINE_BYTES)

    def rest(self) -> list[bytes]:
        """Return the last line if it is unterminated."""
        return [self._line] if _is_item(self._line) else []


def _is_item(line: bytes) -> bool:
    """True if `line` is not blank, or was cut: its discarded rest is unknown."""
    return len(line) > LINE_BYTES or not (not line or line.isspace())
