"""A body of many items, each judged alone: an invalid item leaves the others as they are."""

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
"""The most bytes of one line of NDJSON."""
DISCARDED_BYTES = 4 * 1024 * 1024
"""How much of a line that is too long is looked through for its end."""
GROUP_ITEMS = 500
GROUP_BYTES = 256 * 1024

_LINE_END = re.compile(rb"\n(?:[ \t\r]{0,%d}+\n)*+" % LINE_BYTES)  # with blank lines, which are many in a hostile body


@dataclass(slots=True)
class Item:
    """One item: its index, from 0; its value, or its Problem; and its bytes, if it is a line."""

    index: int
    value: Any
    problem: Problem | None = None
    line: bytes | None = None


class Array:
    """The items of a JSON array that has arrived."""

    is_stream = False

    def __init__(self, content: bytes, values: list[Any], schema: Schema) -> None:
        self.content = content
        self._values = values
        self._schema = schema
        self._slices: list[bytes] | None = None

    def __len__(self) -> int:
        return len(self._values)

    async def groups(self) -> AsyncIterator[list[Item]]:
        """The items, some at a time."""
        for start in range(0, len(self._values), GROUP_ITEMS):
            values = self._values[start : start + GROUP_ITEMS]
            yield [_judged(start + number, value, self._schema) for number, value in enumerate(values)]

    def bytes_of(self, item: Item) -> bytes:
        """`item` as it was sent."""
        if self._slices is None:
            try:
                self._slices = ijson.slices(self.content)
            except RecursionError:  # where the stack is deeper than when the items were judged
                self._slices = [b""] * len(self._values)
        return self._slices[item.index]


class Lines:
    """The items of a body of NDJSON, a line each, while they arrive; blank lines are skipped.

    `authorize` raises Problem when the sender is no longer accepted: a stream may outlive its key.
    """

    is_stream = True

    def __init__(self, pieces: AsyncIterator[bytes], schema: Schema, authorize: Callable[[], Awaitable[None]]) -> None:
        self._pieces = pieces
        self._schema = schema
        self.authorize = authorize
        self._interruption: Problem | None = None

    async def groups(self) -> AsyncIterator[list[Item]]:
        """The items, some at a time. Raises Problem where what follows cannot be read."""
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
        """The lines, some at a time; what ends them early is noted, for those before it are there nevertheless."""
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
    """The Problem that reports JSON which cannot be stored as it is."""
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
    """Lines from pieces of bytes. A line that is too long is cut, and its rest is discarded."""

    def __init__(self) -> None:
        self._begun = b""
        self._discarded = 0

    def lines(self, piece: bytes) -> list[bytes]:
        """The lines that end within `piece`, but for blank ones."""
        *ended, rest = _LINE_END.split(piece)
        lines = []
        for end in ended:
            line = (self._begun + end)[: LINE_BYTES + 1]
            self._begun, self._discarded = b"", 0
            if _is_item(line):
                lines.append(line)
        room = LINE_BYTES + 1 - len(self._begun)
        self._discarded += max(0, len(rest) - room)
        self._begun += rest[:room]
        return lines

    def check(self) -> None:
        """Problem if the line that has begun is far too long."""
        if self._discarded > DISCARDED_BYTES:
            size = f"at least {len(self._begun) + self._discarded}"
            raise Problem("content_too_large", size=size, limit=LINE_BYTES)

    def rest(self) -> list[bytes]:
        """The last line, if it has no end."""
        return [self._begun] if _is_item(self._begun) else []


def _is_item(line: bytes) -> bool:
    """Whether `line` is not blank; of one that is too long it is not known what was left out."""
    return len(line) > LINE_BYTES or not (not line or line.isspace())
