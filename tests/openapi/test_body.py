"""The body of a request: what it may be declared as, how large and how slow it may be, and what it must hold."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Message

from openapi.body import COMPLETE, Body, header
from openapi.problems import Problem
from openapi.validation import Schema

LIMIT = 40
JSON = (b"content-type", b"application/json")
SCHEMA = Schema({"type": "object", "properties": {"a": {"type": "integer"}}})


def part(content: bytes, more: bool = False) -> Message:
    """A part of a body as a server passes it on."""
    return {"type": "http.request", "body": content, "more_body": more}


def read(headers: Sequence[tuple[bytes, bytes]], *messages: Message, timeout: float = 20) -> Any:
    """What is read from a request with these headers and then `messages`, after which nothing more comes."""
    body = Body({"application/json": SCHEMA, "application/event+json": SCHEMA}, LIMIT, timeout)
    waiting = list(messages)

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    return asyncio.run(body.read({"type": "http", "headers": headers}, receive))


def refused(headers: Sequence[tuple[bytes, bytes]], *messages: Message, timeout: float = 20) -> Problem:
    """The Problem that `read` ends with."""
    with pytest.raises(Problem) as caught:
        read(headers, *messages, timeout=timeout)
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
    """Each way in which JSON in UTF-8 may be declared is accepted."""
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
            "Content-Type '" + "\xff" * 100 + "' is not accepted here",
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
            "Content-Encoding 'br' is not accepted here",
            id="a coding after identity",
        ),
    ],
)
def test_a_body_that_is_declared_otherwise_is_not_read(
    headers: list[tuple[bytes, bytes]], code: str, error: str
) -> None:
    """What is not declared as JSON in UTF-8 is refused before anything of it is awaited."""
    problem = refused(headers)
    assert (problem.status, problem.code, problem.error) == (415, code, error)


def test_whoever_sends_another_media_type_is_told_which_are_accepted() -> None:
    """The help names each media type of the contract."""
    assert refused([]).help == "Send the body with 'Content-Type: application/json or application/event+json'."


@settings(deadline=None)
@given(
    st.binary()
    | st.lists(st.sampled_from([*"; =*'\"\\%", "application/json", "charset", "utf-8", "%ff", "idna", "\xff"])).map(
        lambda parts: "".join(parts).encode("latin-1")
    )
)
def test_no_content_type_raises_anything_else(value: bytes) -> None:
    """Whatever a client declares, its body is read or refused."""
    try:
        status = 200 if read([(b"content-type", value)], part(b"{}")) == {} else None
    except Problem as problem:
        status = problem.status
    assert status in (200, 415)


def test_a_body_comes_in_parts() -> None:
    """Parts are put together, empty ones too, until the server says that it was the last."""
    assert read([JSON], part(b'{"a":', more=True), part(b"", more=True), part(b" 1}")) == {"a": 1}


def test_a_message_without_content_is_the_end() -> None:
    """A server may leave out what has its default value."""
    assert refused([JSON], {"type": "http.request"}).error == "the body cannot be read as JSON: it is empty"


def test_a_body_at_the_limit_is_read() -> None:
    """As many bytes as are allowed are accepted, declared or not."""
    content = b'{"a": 1}'.ljust(LIMIT)
    assert read([JSON], part(content)) == {"a": 1}
    assert read([JSON, (b"content-length", str(LIMIT).encode())], part(content)) == {"a": 1}


def test_a_body_that_is_declared_too_large_is_not_awaited() -> None:
    """A Content-Length beyond the limit is answered at once."""
    problem = refused([JSON, (b"content-length", b"41")])
    assert (problem.status, problem.error) == (413, "the body has 41 bytes; the limit is 40 bytes")


def test_a_body_without_a_length_is_read_no_further_than_the_limit() -> None:
    """Reading ends with the part that goes beyond the limit, whatever else would come."""
    problem = refused([JSON], part(b" " * 40, more=True), part(b" ", more=True))
    assert (problem.status, problem.error) == (413, "the body has at least 41 bytes; the limit is 40 bytes")


@pytest.mark.parametrize("begun", [[], [part(b"{", more=True)]], ids=["nothing came", "a part came"])
def test_a_body_that_does_not_arrive_in_time_is_given_up(begun: list[Message]) -> None:
    """408 after the timeout, which the words name."""
    problem = refused([JSON], *begun, timeout=0.01)
    assert (problem.status, problem.error) == (408, "the request body did not arrive within 0.01 seconds")


def test_a_client_that_went_away_is_not_answered() -> None:
    """A disconnect is no Problem, for nobody would read it."""
    with pytest.raises(ClientDisconnect):
        read([JSON], part(b"{", more=True), {"type": "http.disconnect"})


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
def test_a_body_that_is_not_as_the_contract_says_is_refused(content: bytes, status: int, error: str) -> None:
    """Bytes that are not JSON are 400; JSON that cannot be stored, or that the schema refuses, is 422."""
    problem = refused([JSON], part(content))
    assert (problem.status, problem.error) == (status, error)
    assert problem.help


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param(b"x-one", [b"1"], id="once"),
        pytest.param(b"x-two", [b"2", b"3"], id="twice, in their order"),
        pytest.param(b"x-none", [], id="never"),
    ],
)
def test_a_header_is_found_as_often_as_it_stands(name: bytes, values: list[bytes]) -> None:
    """All values of one name, and none of another, are given."""
    headers = [(b"x-two", b"2"), (b"x-one", b"1"), (b"x-two", b"3")]
    assert header({"type": "http", "headers": headers}, name) == values


def test_a_body_that_has_arrived_whole_is_not_waited_for() -> None:
    """A server may hand it over with the head; the limit is the same."""
    body = Body({"application/json": SCHEMA}, LIMIT, 1)

    async def receive() -> Message:
        return part(b" " * (LIMIT + 1))

    def given(content: bytes) -> Any:
        extensions = {COMPLETE: {"body": content}}
        return asyncio.run(body.read({"type": "http", "headers": [JSON], "extensions": extensions}, receive))

    assert given(b'{"a": 1}') == {"a": 1}
    with pytest.raises(Problem) as caught:
        given(b" " * (LIMIT + 1))
    assert caught.value.code == "content_too_large"
