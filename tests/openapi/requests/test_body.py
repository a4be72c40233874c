"""The body of a request: its declared media type, and its contents."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from openapi.problems import Problem
from openapi.requests.batch import Array, Lines
from openapi.requests.body import Body, MediaType
from openapi.schemas.validation import Schema
from openapi.standards.header_fields import field_text

LIMIT = 40
JSON = (b"content-type", b"application/json")
ITEM = {"type": "object", "properties": {"a": {"type": "integer"}}}
SCHEMA = Schema(ITEM)
JSON_TYPES = {"application/json": MediaType(SCHEMA, LIMIT), "application/event+json": MediaType(SCHEMA, LIMIT)}
BATCH_TYPES = {
    "application/json": MediaType(Schema({"type": "array", "maxItems": 2, "items": ITEM}), LIMIT, SCHEMA, max_items=2),
    "application/x-ndjson": MediaType(SCHEMA, LIMIT, SCHEMA, is_lines=True),
}
NDJSON = (b"content-type", b"application/x-ndjson")
CHUNKED = (b"transfer-encoding", b"chunked")


def part(content: bytes, more: bool = False) -> Message:
    """A part of a body as a server passes it on."""
    return {"type": "http.request", "body": content, "more_body": more}


async def authorize_any() -> None:
    """Accept every sender."""


def read(headers: Sequence[tuple[bytes, bytes]], *messages: Message, timeout: float = 20, batch: bool = False) -> Any:
    """The value of a request with these headers and `messages`, after which nothing arrives."""
    body = Body(BATCH_TYPES if batch else JSON_TYPES, timeout, frozenset())
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    received = asyncio.run(body.receive({"type": "http", "headers": headers}, receive))
    return received.value(authorize_any)


def refused(
    headers: Sequence[tuple[bytes, bytes]], *messages: Message, timeout: float = 20, batch: bool = False
) -> Problem:
    """The Problem that `read` raises."""
    with pytest.raises(Problem) as caught:
        read(headers, *messages, timeout=timeout, batch=batch)
    return caught.value


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([JSON], id="the media type alone"),
        pytest.param([(b"content-type", b"Application/JSON")], id="upper case"),
        pytest.param([(b"content-type", b"application/event+json")], id="another that the contract has"),
        pytest.param([(b"content-type", b"application/json; charset=utf-8")], id="UTF-8"),
        pytest.param([(b"content-type", b'application/json;charset="UTF-8"')], id="UTF-8 in quotes"),
        pytest.param([(b"content-type", b"application/json; CHARSET=utf8")], id="UTF-8 by another name"),
        pytest.param([(b"content-type", b"application/json; charset=us-ascii")], id="ASCII"),
        pytest.param([(b"content-type", b"application/json; profile=x")], id="another parameter"),
        pytest.param([JSON, (b"content-encoding", b"Identity ")], id="the identity coding"),
        pytest.param([JSON, (b"content-encoding", b"")], id="an empty coding"),
        pytest.param([JSON, (b"content-length", b"8")], id="a length"),
    ],
)
def test_a_body_that_is_declared_as_json_is_read(headers: list[tuple[bytes, bytes]]) -> None:
    """Each declaration of JSON in UTF-8 is accepted."""
    assert read(headers, part(b'{"a": 1}')) == {"a": 1}


@pytest.mark.parametrize(
    ("headers", "code", "error"),
    [
        pytest.param([], "unsupported_media_type", "Content-Type (none) is not accepted here", id="no media type"),
        pytest.param(
            [(b"content-type", b"")],
            "unsupported_media_type",
            "Content-Type '' is not accepted here",
            id="an empty one",
        ),
        pytest.param(
            [(b"content-type", b"text/plain; charset=utf-8")],
            "unsupported_media_type",
            "Content-Type 'text/plain; charset=utf-8' is not accepted here",
            id="plain text",
        ),
        pytest.param(
            [(b"content-type", b"application/jsonx")],
            "unsupported_media_type",
            "Content-Type 'application/jsonx' is not accepted here",
            id="one that begins alike",
        ),
        pytest.param(
            [(b"content-type", b"*/*")],
            "unsupported_media_type",
            "Content-Type '*/*' is not accepted here",
            id="a range",
        ),
        pytest.param(
            [JSON, JSON],
            "unsupported_media_type",
            "Content-Type 'application/json' and 'application/json' is not accepted here",
            id="two",
        ),
        pytest.param(
            [(b"content-type", b"\xff" * 200)],
            "unsupported_media_type",
            "Content-Type '" + "\xff" * 100 + "\u2026' is not accepted here",
            id="a long one",
        ),
        pytest.param(
            [(b"content-type", b"application/json; charset=UTF-16")],
            "unsupported_charset",
            "the charset 'utf-16' is not accepted here",
            id="UTF-16",
        ),
        pytest.param(
            [JSON, (b"content-encoding", b"gzip")],
            "unsupported_content_coding",
            "Content-Encoding 'gzip' is not accepted here",
            id="gzip",
        ),
        pytest.param(
            [JSON, (b"content-encoding", b"identity"), (b"content-encoding", b"br")],
            "unsupported_content_coding",
            "Content-Encoding 'identity, br' is not accepted here",
            id="a coding after identity",
        ),
    ],
)
def test_a_body_that_is_declared_otherwise_is_not_read(
    headers: list[tuple[bytes, bytes]], code: str, error: str
) -> None:
    """A body that is not declared as JSON in UTF-8 is refused before any of it is awaited."""
    problem = refused(headers)
    assert (problem.status, problem.code, problem.error) == (415, code, error)


def test_the_help_begins_with_the_media_type_that_is_probably_meant() -> None:
    """It asks, and then lists those of the contract."""
    help_ = refused([(b"content-type", b"Text/JSON; charset=utf-8")]).help or ""
    assert help_.startswith("Did you mean application/json? Send the body with 'Content-Type: application/json' or ")


@pytest.mark.parametrize(
    ("value", "help_"),
    [
        (
            "application/json\u200b".encode(),
            "Content-Type has the character U+200B. Did you mean application/json? Send",
        ),
        ("аpplication/json".encode(), "Content-Type has the character U+0430. Did you mean application/json? Send"),  # noqa: RUF001
        (b"text/plain\xa0", "Content-Type has the character U+00A0. Send"),
    ],
    ids=["invisible", "Cyrillic", "ISO 8859-1"],
)
def test_a_character_that_misleads_is_named(value: bytes, help_: str) -> None:
    """The media type is shown in UTF-8 if it is that."""
    problem = refused([(b"content-type", value)])
    assert (problem.help or "").startswith(help_)
    assert problem.error == f"Content-Type '{field_text(value)}' is not accepted here"


def test_the_help_names_the_accepted_media_types() -> None:
    """It lists those of the contract."""
    assert refused([]).help == (
        "Send the body with 'Content-Type: application/json' or 'Content-Type: application/event+json'."
    )


@settings(deadline=None)
@given(
    st.binary()
    | st.lists(st.sampled_from([*"; =*'\"\\%", "application/json", "charset", "utf-8", "%ff", "idna", "\xff"])).map(
        lambda parts: "".join(parts).encode("latin-1")
    )
)
def test_no_content_type_raises_anything_else(value: bytes) -> None:
    """With any declaration, a body is read or refused."""
    try:
        status = 200 if read([(b"content-type", value)], part(b"{}")) == {} else None
    except Problem as problem:
        status = problem.status
    assert status in (200, 415)


@pytest.mark.parametrize("headers", [[JSON], [NDJSON, CHUNKED]], ids=["JSON", "NDJSON"])
def test_a_body_has_the_limit_of_its_media_type(headers: list[tuple[bytes, bytes]]) -> None:
    """A body at the limit is accepted, one byte more is refused, whether or not it is a stream."""

    async def size(content: bytes) -> int:
        async def receive() -> Message:
            return part(content)

        received = await Body(BATCH_TYPES, 20, frozenset()).receive({"type": "http", "headers": headers}, receive)
        if received.pieces is None:
            return len(received.content)
        return sum([len(piece) async for piece in received.pieces])

    assert asyncio.run(size(b" " * LIMIT)) == LIMIT
    with pytest.raises(Problem) as caught:
        asyncio.run(size(b" " * (LIMIT + 1)))
    assert caught.value.error == "the body has at least 41 bytes; the limit is 40 bytes"


def test_a_body_that_does_not_arrive_in_time_is_given_up() -> None:
    """408 after the timeout."""
    problem = refused([JSON], part(b"{", more=True), timeout=0.01)
    assert (problem.status, problem.error) == (408, "the request body arrives too slowly")


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        pytest.param(b"", 400, "the body cannot be read as JSON: it is empty", id="empty"),
        pytest.param(
            b'{"a" 1}',
            400,
            "the body cannot be read as JSON: Expecting ':' delimiter at line 1, column 6",
            id="malformed",
        ),
        pytest.param(rb'{"a": "\u0000"}', 422, "a: the character U+0000 cannot be stored", id="unstorable"),
        pytest.param(b"1e999", 422, "the body: the number 1e999 cannot be kept exactly", id="unstorable as a whole"),
        pytest.param(b'{"a": "1"}', 422, "a must be an integer", id="invalid"),
    ],
)
def test_a_body_that_breaks_the_contract_is_refused(content: bytes, status: int, error: str) -> None:
    """Bytes that are not JSON are 400; JSON that cannot be stored, or that the schema refuses, is 422."""
    problem = refused([JSON], part(content))
    assert (problem.status, problem.error) == (status, error)
    assert problem.help


def test_a_fault_has_its_pointer() -> None:
    """The Problem has the JSON Pointer to the wrong field (RFC 6901)."""
    assert refused([JSON], part(b'{"a": "1"}')).pointer == "/a"
    assert refused([JSON], part(rb'{"b": ["\u0000"]}')).pointer == "/b/0"
    assert refused([JSON], part(b"{")).pointer is None


@pytest.mark.parametrize("batch", [False, True], ids=["one", "a batch"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[" * 100_000, id="lists without end"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="lists"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="objects"),
        pytest.param(b"[1e999," + b"[" * 100_000 + b"]" * 100_001, id="after a number that cannot be kept"),
    ],
)
def test_a_body_of_100_000_levels_is_refused_at_once(content: bytes, batch: bool) -> None:
    """With any nesting, alone or as a batch: in well under a second, and without a fault of the service."""
    media_types = {
        name: MediaType(media_type.schema, 10**6, media_type.items, 2) for name, media_type in BATCH_TYPES.items()
    }
    body = Body(media_types if batch else {"application/json": MediaType(SCHEMA, 10**6)}, 20, frozenset())
    began = time.process_time()
    with pytest.raises(Problem) as caught:
        body.of_json(content)
    assert time.process_time() - began < 0.3
    assert (caught.value.status, caught.value.code) == (400, "malformed_json")
    assert "nested more than 32 levels deep" in caught.value.error


def test_an_array_is_a_batch() -> None:
    """Each item is judged alone, so an item at fault is no fault of the body."""
    content = b'[{"a": "1"}, {"a": 1, "a": 1e400}]'
    array = read([JSON], part(content), batch=True)
    assert isinstance(array, Array)
    assert len(array) == 2
    assert array.content == content


def test_the_handler_reads_the_lines() -> None:
    """No part of NDJSON is awaited before the call of the handler."""
    assert isinstance(read([NDJSON, CHUNKED], batch=True), Lines)
    assert isinstance(read([NDJSON, (b"content-length", b"0")], batch=True), Lines)


def test_lines_without_a_length_are_refused() -> None:
    """Their sender, which may be a client of HTTP/1.0, would take them for stored."""
    problem = refused([NDJSON], part(b""), batch=True)
    assert (problem.status, problem.code) == (400, "malformed_json")
    assert problem.error.endswith("it is empty, as the request has neither Content-Length nor Transfer-Encoding")


@pytest.mark.parametrize(
    ("content", "status", "error"),
    [
        pytest.param(b"[1,2,3]", 422, "the batch has 3 items; the limit is 2", id="an item too many"),
        pytest.param(b"{}", 422, "the body must be an array", id="no array"),
        pytest.param(b"", 400, "the body cannot be read as JSON: it is empty", id="empty"),
        pytest.param(b"[{}", 400, "the body cannot be read as JSON: Expecting ',' delimiter", id="malformed"),
    ],
)
def test_a_body_that_is_no_batch_is_refused(content: bytes, status: int, error: str) -> None:
    """A fault of the array itself is a fault of the whole body."""
    problem = refused([JSON], part(content), batch=True)
    assert problem.status == status
    assert problem.error.startswith(error)


def test_stored_bytes_can_be_validated_without_a_request() -> None:
    """Stored bytes are validated like the JSON body of a request; a batch, too."""
    assert Body(JSON_TYPES, 20, frozenset()).of_json(b'{"a": 1}') == {"a": 1}
    assert len(Body(BATCH_TYPES, 20, frozenset()).of_json(b"[{}]")) == 1
    with pytest.raises(Problem) as caught:
        Body(JSON_TYPES, 20, frozenset()).of_json(b'{"a": "1"}')
    assert caught.value.error == "a must be an integer"
