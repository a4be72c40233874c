"""Batches: each item is separated and judged alone, however the body arrives."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from openapi.problems import Problem
from openapi.requests.batch import DISCARDED_BYTES, GROUP_BYTES, GROUP_ITEMS, LINE_BYTES, Array, Item, Lines
from openapi.schemas.validation import Schema
from openapi.standards import ijson

ANY = Schema({})
SCHEMA = Schema({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False})
TOO_LONG = f"the body has at least {LINE_BYTES + 1} bytes; the limit is {LINE_BYTES} bytes"


async def authorize_any() -> None:
    """Accept every sender."""


async def arriving(pieces: Iterable[bytes], fault: Problem | None = None) -> AsyncIterator[bytes]:
    """A stream of `pieces`, which ends with `fault` if there is one."""
    for piece in pieces:
        yield piece
    if fault:
        raise fault


def groups_of(batch: Array | Lines) -> tuple[list[list[Item]], Problem | None]:
    """The groups of a batch, and the Problem that they end with."""
    groups = []

    async def collect() -> Problem | None:
        try:
            async for group in batch.groups():
                groups.append(group)  # noqa: PERF401 (those before a Problem count)
        except Problem as problem:
            return problem
        return None

    problem = asyncio.run(collect())
    return groups, problem


def array(content: bytes, schema: Schema = ANY) -> Array:
    """The batch of a JSON array."""
    return Array(content, ijson.items(content), schema)


def lines(
    *pieces: bytes,
    schema: Schema = ANY,
    fault: Problem | None = None,
    authorize: Callable[[], Awaitable[None]] = authorize_any,
) -> Lines:
    """The batch of JSON lines."""
    return Lines(arriving(pieces, fault), schema, authorize)


def items_of(batch: Array | Lines) -> list[Item]:
    """The items of a batch without a Problem at its end."""
    groups, problem = groups_of(batch)
    assert problem is None
    return [item for group in groups for item in group]


def results(items: Iterable[Item]) -> list[tuple[int, Any]]:
    """For each item: its index, and its value or its error."""
    return [(item.index, item.problem.error if item.problem else item.value) for item in items]


FAULTS = [
    pytest.param(
        b'{"a": 1, "a": 2}',
        "malformed_json",
        'the body cannot be read as JSON: the name "a" occurs more than once in an object',
        None,
        id="a name twice",
    ),
    pytest.param(
        b'{"a": 1e999}', "unstorable_value", "a: the number 1e999 cannot be kept exactly", "/a", id="a number too long"
    ),
    pytest.param(
        b"1e-999",
        "unstorable_value",
        "the body: the number 1e-999 cannot be kept exactly",
        "",
        id="a number too long alone",
    ),
    pytest.param(
        b"[" * 33 + b"]" * 33,
        "malformed_json",
        "the body cannot be read as JSON: it is nested more than 32 levels deep",
        None,
        id="33 levels",
    ),
    pytest.param(
        b'{"a":' * 900 + b"1" + b"}" * 900,
        "malformed_json",
        "the body cannot be read as JSON: it is nested more than 32 levels deep",
        None,
        id="900 levels",
    ),
    pytest.param(
        rb'{"a": ["b\u0000"]}', "unstorable_value", "a/0: the character U+0000 cannot be stored", "/a/0", id="U+0000"
    ),
    pytest.param(rb'{"a\ud800": 1}', "unstorable_value", None, "/a\ufffd", id="a lone surrogate in a name"),
    pytest.param(b'{"a": "1"}', "invalid_body", "a must be an integer", "/a", id="a field of another type"),
    pytest.param(b'{"c": 1}', "invalid_body", "unknown field 'c'", "/c", id="an unknown field"),
    pytest.param(b"null", "invalid_body", "the body must be an object", "", id="no object"),
]


@pytest.mark.parametrize(("text", "code", "error", "pointer"), FAULTS)
def test_an_item_at_fault_leaves_the_others_as_they_are(
    text: bytes, code: str, error: str | None, pointer: str | None
) -> None:
    """In an array and in lines: the item has the error and its pointer within the item, and the others have values."""
    good = b'{"a": 1}'
    for batch in (
        array(b"[" + b", ".join([good, text, good]) + b"]", SCHEMA),
        lines(b"\n".join([good, text, good]), schema=SCHEMA),
    ):
        before, at_fault, after = items_of(batch)
        assert (before.index, before.value, before.problem) == (0, {"a": 1}, None)
        assert (after.index, after.value, after.problem) == (2, {"a": 1}, None)
        assert (at_fault.index, at_fault.value) == (1, None)
        assert at_fault.problem
        assert (at_fault.problem.code, at_fault.problem.pointer) == (code, pointer)
        assert error in (None, at_fault.problem.error)
        assert batch.bytes_of(at_fault) == text
        assert batch.bytes_of(after) == good


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        pytest.param(b"{", "Expecting property name enclosed in double quotes at line 1, column 2", id="cut off"),
        pytest.param(b'{"a": NaN}', "NaN is not a JSON number", id="NaN"),
        pytest.param(b'{"a": "\xff"}', "byte 7 is not UTF-8", id="no UTF-8"),
        pytest.param(b"{} {}", "Extra data at line 1, column 4", id="two on a line"),
        pytest.param(b"\xef\xbb\xbf{}", "it begins with a byte order mark", id="a byte order mark"),
        pytest.param(b"[" * 30_000, "it is nested more than 32 levels deep", id="30,000 levels"),
    ],
)
def test_a_line_that_is_no_json_leaves_the_others_as_they_are(text: bytes, detail: str) -> None:
    """An array could no longer be parsed, but the next line can."""
    batch = lines(b"{}\n" + text + b"\n{}", schema=SCHEMA)
    items = items_of(batch)
    assert results(items) == [(0, {}), (1, f"the body cannot be read as JSON: {detail}"), (2, {})]
    assert batch.bytes_of(items[1]) == text


def test_an_array_comes_in_groups() -> None:
    """Each item has its index; the last group may be smaller."""
    size = 2 * GROUP_ITEMS + 1
    batch = array(json.dumps(list(range(size))).encode())
    assert len(batch) == size
    groups, problem = groups_of(batch)
    assert problem is None
    assert [len(group) for group in groups] == [GROUP_ITEMS, GROUP_ITEMS, 1]
    assert results(item for group in groups for item in group) == [(index, index) for index in range(size)]


def test_an_empty_batch_has_no_groups() -> None:
    """No bytes, white space, and an empty array."""
    for batch in (array(b"[]"), array(b" [ ] "), lines(), lines(b"\n"), lines(b" \r\n", b"\t")):
        assert groups_of(batch) == ([], None)


def test_the_bytes_of_an_item_are_those_that_were_sent() -> None:
    """With their own spelling, and without the separators between them."""
    batch = array('[ 1.50 ,{"b" : 1,\n"a": "é"}\t, "\\u00e9" ]'.encode())
    items = items_of(batch)
    assert [batch.bytes_of(item) for item in items] == [b"1.50", '{"b" : 1,\n"a": "é"}'.encode(), rb'"\u00e9"']
    stream = lines(b' {"b" : 1.50}\r\n"\\u00e9"')
    assert [stream.bytes_of(item) for item in items_of(stream)] == [b' {"b" : 1.50}\r', rb'"\u00e9"']


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"1\n2\n", [(0, 1), (1, 2)], id="with an end"),
        pytest.param(b"1\n2", [(0, 1), (1, 2)], id="the last without one"),
        pytest.param(b"1\r\n2\r\n", [(0, 1), (1, 2)], id="CRLF"),
        pytest.param(b"\n\n1\n \t\r\n\n2\n\n \n", [(0, 1), (1, 2)], id="blank lines, which are not counted"),
        pytest.param(b'"a\\nb"\n"\xe2\x80\xa8"', [(0, "a\nb"), (1, "\u2028")], id="no other line breaks"),
        pytest.param(b"1\r2\n3", [(0, None), (1, 3)], id="CR alone is no end"),
    ],
)
def test_each_line_is_an_item(content: bytes, expected: list[tuple[int, Any]]) -> None:
    """Lines end with LF or CRLF, and are numbered from 0 without blank ones."""
    assert [(item.index, item.value) for item in items_of(lines(content))] == expected


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([b"1", b'{"a": "\xc3\xa9"}', b"", b" ", b"\r", b"{", b"\xff", b"[1,2]\r"]), max_size=8),
    st.booleans(),
    st.data(),
)
def test_lines_are_the_same_wherever_they_are_split(contents: list[bytes], ends: bool, data: st.DataObject) -> None:
    """The items are the same in one piece, byte by byte, and cut at any place."""
    content = b"\n".join(contents) + b"\n" * ends
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=5)))
    pieces = [content[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    bytewise = [content[index : index + 1] for index in range(len(content))]
    whole = [(item.line, *result) for item, result in _with_results(items_of(lines(content)))]
    for split in (pieces, bytewise):
        assert [(item.line, *result) for item, result in _with_results(items_of(lines(*split)))] == whole


def _with_results(items: list[Item]) -> Iterable[tuple[Item, tuple[int, Any]]]:
    return zip(items, results(items), strict=True)


@pytest.mark.parametrize("step", [1, 1000, LINE_BYTES, LINE_BYTES + 1, 10**9])
@pytest.mark.parametrize("blank", [b" ", b"\t\r", b"\n"])
def test_blank_lines_are_the_same_wherever_they_are_split(blank: bytes, step: int) -> None:
    """A blank line within the limit is skipped; a longer one is too long, because it may go on with other bytes."""
    content = b"1\n" + blank * (LINE_BYTES // len(blank)) + b"\n" + blank * (LINE_BYTES + 1) + b"\n2\n"
    outcomes = results(items_of(lines(*[content[start : start + step] for start in range(0, len(content), step)])))
    assert outcomes == ([(0, 1), (1, 2)] if blank == b"\n" else [(0, 1), (1, TOO_LONG), (2, 2)])


@pytest.mark.parametrize("step", [1000, LINE_BYTES, LINE_BYTES + 1, 10**9])
def test_a_line_has_a_limit(step: int) -> None:
    """A line at the limit is read; a longer one is rejected and discarded, and the lines after it are read."""
    content = b"\n".join([b"1".rjust(LINE_BYTES), b"2".rjust(LINE_BYTES + 1), b"3", b"4".ljust(3 * LINE_BYTES), b"5"])
    batch = lines(*[content[start : start + step] for start in range(0, len(content), step)])
    items = items_of(batch)
    assert results(items) == [(0, 1), (1, TOO_LONG), (2, 3), (3, TOO_LONG), (4, 5)]
    assert items[1].problem
    assert (items[1].problem.status, items[1].problem.is_transient) == (413, False)
    assert batch.bytes_of(items[1]) == b""


@pytest.mark.parametrize("step", [100, 70_000, 10**9])
@pytest.mark.parametrize("end", [b"", b"\n1"], ids=["at the end", "before another"])
def test_no_item_hides_in_blanks(step: int, end: bytes) -> None:
    """A too long line is never taken for a blank one, whatever part of it was discarded."""
    content = b" " * (2 * LINE_BYTES) + b"1" + b" " * (2 * LINE_BYTES) + end
    items = items_of(lines(*[content[start : start + step] for start in range(0, len(content), step)]))
    assert results(items) == [(0, TOO_LONG), *([(1, 1)] if end else [])]


def test_a_too_long_line_takes_little_memory() -> None:
    """Bytes beyond the limit are discarded until the line ends; a line without end is given up."""
    piece = b"1" * (64 * 1024)
    endless = DISCARDED_BYTES // len(piece) + 3
    served = 0

    async def sent() -> AsyncIterator[bytes]:
        nonlocal served
        yield b"1\n"
        for _ in range(10 * endless):
            served += 1
            yield piece

    groups, problem = groups_of(Lines(sent(), ANY, authorize_any))
    assert problem
    assert (problem.status, problem.error.split(";")[1]) == (413, f" the limit is {LINE_BYTES} bytes")
    assert served <= endless
    assert results(item for group in groups for item in group) == [(0, 1)]


def test_a_line_that_ends_just_in_time_is_rejected_alone() -> None:
    """The limit of discarded bytes holds for each line separately."""
    long = b"1" * (DISCARDED_BYTES + LINE_BYTES + 1)
    items = items_of(lines(long, b"\n", long, b"\n2"))
    assert results(items) == [(0, TOO_LONG), (1, TOO_LONG), (2, 2)]
    assert groups_of(lines(long, b"1", b"\n2"))[1] is not None


def test_lines_come_in_groups() -> None:
    """A group is complete at its maximum of items or of bytes."""
    groups, _ = groups_of(lines(b"1\n" * (GROUP_ITEMS + 1)))
    assert [len(group) for group in groups] == [GROUP_ITEMS, 1]
    groups, _ = groups_of(lines((b"1".rjust(LINE_BYTES) + b"\n") * 7))
    assert [len(group) for group in groups] == [GROUP_BYTES // LINE_BYTES + 1, 2]
    assert [item.index for group in groups for item in group] == [*range(7)]


def test_a_group_is_yielded_before_the_rest_arrives() -> None:
    """A stream is processed while it arrives."""

    async def first() -> list[Item]:
        async def sent() -> AsyncIterator[bytes]:
            yield b"1\n" * GROUP_ITEMS
            await asyncio.Event().wait()

        return await anext(aiter(Lines(sent(), ANY, authorize_any).groups()))

    assert len(asyncio.run(asyncio.wait_for(first(), 5))) == GROUP_ITEMS


def test_lines_before_a_fault_of_the_stream_are_yielded() -> None:
    """The Problem comes after the complete lines; an incomplete one is not judged."""
    fault = Problem("malformed_content_coding")
    groups, problem = groups_of(lines(b"1\n2\n3", fault=fault))
    assert results(item for group in groups for item in group) == [(0, 1), (1, 2)]
    assert problem is fault
    groups, problem = groups_of(lines(fault=fault))
    assert (groups, problem) == ([], fault)


def test_a_batch_knows_if_it_is_a_stream() -> None:
    """An array has arrived completely, lines have not."""
    assert not array(b"[]").is_stream
    assert lines().is_stream


@settings(deadline=None)
@given(st.binary(max_size=100) | st.text('[]{}",:\\ue0123.\n\r \t1', max_size=60).map(str.encode))
@example(b"\x0b\n\x1c\n1")
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    """Of any bytes as lines, each item has a value or a Problem."""
    items = items_of(lines(content))
    assert [item.index for item in items] == [*range(len(items))]
    assert all(item.problem is None or item.value is None for item in items)
