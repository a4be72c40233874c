"""The bytes of a body: the limits of their size, time and compression."""

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from openapi.problems import Problem
from openapi.requests.content import COMPLETE, PIECE_BYTES, Content

LIMIT = 40
GZIP = (b"content-encoding", b"gzip")
CODINGS = frozenset({"gzip"})
MALFORMED = (400, "the Content-Encoding is gzip, and the body is not complete and well-formed gzip")

Fields = Sequence[tuple[bytes, bytes]]


def part(content: bytes, more: bool = False) -> Message:
    """A part of a body as a server passes it on."""
    return {"type": "http.request", "body": content, "more_body": more}


def parts_of(contents: Iterable[bytes]) -> Iterator[Message]:
    """Each of `contents` as a part, followed by the last, empty part."""
    yield from (part(content, more=True) for content in contents)
    yield part(b"")


def receiving(messages: Iterable[Message]) -> Receive:
    """A connection on which `messages` arrive, and then nothing."""
    waiting = iter(messages)

    async def receive() -> Message:
        for message in waiting:
            return message
        await asyncio.Event().wait()
        raise AssertionError("nothing more arrives")

    return receive


def content(messages: Iterable[Message], *fields: tuple[bytes, bytes], codings: frozenset[str] = CODINGS) -> Content:
    """The content of a request with these header fields and `messages`."""
    return Content({"type": "http", "headers": fields}, receiving(messages), codings)


def whole(messages: Iterable[Message], *fields: tuple[bytes, bytes], limit: int = LIMIT, seconds: float = 20) -> bytes:
    """The whole bytes of a content."""
    return asyncio.run(content(messages, *fields).whole(limit, seconds))


def pieces(
    messages: Iterable[Message], *fields: tuple[bytes, bytes], limit: int = 10**9, seconds: float = 20
) -> tuple[list[bytes], Problem | None]:
    """The pieces of a content, and the Problem at their end or None."""
    decoded = []

    async def collect() -> Problem | None:
        try:
            async for piece in content(messages, *fields).pieces(limit, seconds):
                decoded.append(piece)  # noqa: PERF401 (those before a Problem count)
        except Problem as problem:
            return problem
        return None

    problem = asyncio.run(collect())
    return decoded, problem


def status_and_error(problem: Problem | None) -> tuple[int, str]:
    """The status and the error of `problem`, which must not be None."""
    assert problem
    return problem.status, problem.error


def refused(messages: Iterable[Message], *fields: tuple[bytes, bytes], **options: Any) -> tuple[int, str]:
    """The status and the error of the Problem that `whole` raises."""
    with pytest.raises(Problem) as caught:
        whole(messages, *fields, **options)
    return status_and_error(caught.value)


def zeros(size: int) -> Iterator[bytes]:
    """`size` zeros, compressed as far as gzip goes, a MiB at a time."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    mebibyte = bytes(2**20)
    for _ in range(size // len(mebibyte)):
        yield compressor.compress(mebibyte)
    yield compressor.flush()


def test_a_content_comes_in_parts() -> None:
    """Parts, also empty ones, are joined until the server marks the last one."""
    assert whole([part(b"a", more=True), part(b"", more=True), part(b"b"), part(b"c")]) == b"ab"


def test_a_message_without_content_is_the_end() -> None:
    """A server may omit members with their default values."""
    assert whole([part(b"a", more=True), {"type": "http.request"}]) == b"a"


@pytest.mark.parametrize("fields", [[], [(b"content-length", b"%d" % LIMIT)]], ids=["undeclared", "declared"])
def test_a_content_at_the_limit_is_accepted(fields: Fields) -> None:
    """With or without a declared length."""
    assert whole([part(b"a" * LIMIT)], *fields) == b"a" * LIMIT


def test_a_content_that_is_declared_too_large_is_not_awaited() -> None:
    """A Content-Length beyond the limit is refused at once, also for a stream."""
    expected = (413, "the body has 41 bytes; the limit is 40 bytes")
    assert refused([], (b"content-length", b"41")) == expected
    assert status_and_error(pieces([], (b"content-length", b"41"), limit=LIMIT)[1]) == expected


def test_a_content_without_a_length_is_read_no_further_than_the_limit() -> None:
    """Reading ends with the part that exceeds the limit, whatever would follow."""
    messages = iter([part(b" " * LIMIT, more=True), part(b" ", more=True), part(b"unread", more=True)])
    assert refused(messages) == (413, "the body has at least 41 bytes; the limit is 40 bytes")
    assert [message["body"] for message in messages] == [b"unread"]


@pytest.mark.parametrize("begun", [[], [part(b"{", more=True)]], ids=["nothing came", "a part came"])
@pytest.mark.parametrize("fields", [[], [GZIP]], ids=["as it is", "gzip"])
def test_a_content_that_does_not_arrive_in_time_is_given_up(begun: list[Message], fields: Fields) -> None:
    """408 after the timeout, with or without a coding."""
    begun = [part(gzip.compress(message["body"])[:5], more=True) for message in begun] if fields else begun
    expected = (408, "the request body arrives too slowly")
    assert refused(begun, *fields, seconds=0.01) == expected


@pytest.mark.parametrize(
    ("size", "pause", "last_pause", "arrives"),
    [(20, 0.05, 0.0, True), (20, 0.05, 0.6, False), (1, 0.05, 0.0, False), (20, 0.6, 0.0, False)],
    ids=["slow, but fast enough", "a pause after much", "too slow", "a pause"],
)
def test_the_time_for_a_content_grows_with_its_progress(
    monkeypatch: pytest.MonkeyPatch, size: int, pause: float, last_pause: float, arrives: bool
) -> None:
    """Only pauses are limited, and the average: a slow link may take long."""
    monkeypatch.setattr("openapi.requests.content.SLOWEST", 100)
    pauses = [pause] * 30 + [last_pause]

    async def receive() -> Message:
        await asyncio.sleep(pauses.pop(0))
        return part(b"a" * size, more=bool(pauses))

    content = Content({"type": "http", "headers": []}, receive, CODINGS).whole(10**6, 0.4)
    if arrives:
        assert asyncio.run(content) == b"a" * size * 31
        return
    with pytest.raises(Problem) as caught:
        asyncio.run(content)
    assert "Do not pause for 0.4 seconds, and send at least 100 bytes a second." in (caught.value.help or "")


def test_empty_parts_are_no_progress() -> None:
    """In quick succession they do not prolong the time."""

    async def trickling() -> bytes:
        async def receive() -> Message:
            await asyncio.sleep(0.02)
            return part(b"", more=True)

        return await Content({"type": "http", "headers": []}, receive, CODINGS).whole(LIMIT, 0.1)

    began = time.monotonic()
    with pytest.raises(Problem) as caught:
        asyncio.run(trickling())
    assert caught.value.code == "body_timeout"
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("fields", [[], [GZIP]], ids=["as it is", "gzip"])
def test_a_disconnected_client_gets_no_problem(fields: Fields) -> None:
    """A disconnect raises ClientDisconnect, because no client would read a Problem."""
    messages = [part(gzip.compress(b"{}")[:5], more=True), {"type": "http.disconnect"}]
    with pytest.raises(ClientDisconnect):
        whole(messages, *fields)
    with pytest.raises(ClientDisconnect):
        pieces(messages, *fields)


def test_a_content_that_came_with_the_head_is_not_awaited() -> None:
    """Its limit and coding are those of any other content."""

    def content_of(arrived: bytes, *fields: tuple[bytes, bytes]) -> bytes:
        extensions = {COMPLETE: {"body": arrived}}
        scope = {"type": "http", "headers": fields, "extensions": extensions}
        return asyncio.run(Content(scope, receiving([part(arrived)]), CODINGS).whole(LIMIT, 1))

    async def never() -> Message:
        raise AssertionError("nothing is received")

    scope = {"type": "http", "headers": [], "extensions": {COMPLETE: {"body": b"a" * LIMIT}}}
    assert asyncio.run(Content(scope, never, CODINGS).whole(LIMIT, 1)) == b"a" * LIMIT
    assert content_of(gzip.compress(b"{}"), GZIP) == b"{}"
    with pytest.raises(Problem) as caught:
        content_of(b" " * (LIMIT + 1))
    assert caught.value.code == "content_too_large"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([b"gzip"], b"{}", id="gzip"),
        pytest.param([b"GZip "], b"{}", id="in capitals, with a space"),
        pytest.param([b"identity", b",gzip,"], b"{}", id="with identity and empty elements"),
        pytest.param([b"x-gzip"], b"{}", id="its other name"),
        pytest.param([b"X-GZip "], b"{}", id="its other name in capitals, with a space"),
        pytest.param([b"identity", b",x-gzip,"], b"{}", id="its other name, with identity and empty elements"),
    ],
)
def test_gzip_is_decoded(values: list[bytes], expected: bytes) -> None:
    """With any valid declaration (RFC 9110 sections 8.4 and 8.4.1.3)."""
    assert whole([part(gzip.compress(b"{}"))], *[(b"content-encoding", value) for value in values]) == expected


@pytest.mark.parametrize("values", [[], [b""], [b"Identity "], [b"identity, identity"]])
def test_identity_is_taken_as_it_is(values: list[bytes]) -> None:
    """No coding, and the coding that does nothing, leave the bytes as they are."""
    assert whole([part(b"\x1f\x8b")], *[(b"content-encoding", value) for value in values]) == b"\x1f\x8b"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param([b"br"], "'br'", id="another"),
        pytest.param([b"x-x-gzip"], "'x-x-gzip'", id="a similar name"),
        pytest.param([b"x-compress"], "'x-compress'", id="another with two names"),
        pytest.param([b"gzip, x-gzip"], "'gzip, x-gzip'", id="twice, by both names"),
        pytest.param([b"gzip, gzip"], "'gzip, gzip'", id="twice"),
        pytest.param([b"gzip", b"gzip"], "'gzip, gzip'", id="twice, in two fields"),
        pytest.param([b"identity", b"br"], "'identity, br'", id="after identity"),
        pytest.param([b"gzip\xff"], "'gzip\xff'", id="no token"),
        pytest.param([b"a" * 200], "'" + "a" * 100 + "\u2026'", id="long"),
    ],
)
def test_any_other_coding_is_refused_before_anything_is_awaited(values: list[bytes], text: str) -> None:
    """415 with the declared coding, and the accepted ones in Accept-Encoding (RFC 9110 section 12.5.3)."""
    with pytest.raises(Problem) as caught:
        content([], *[(b"content-encoding", value) for value in values])
    assert status_and_error(caught.value) == (415, f"Content-Encoding {text} is not accepted here")
    assert caught.value.headers == [(b"accept-encoding", b"gzip, identity")]
    assert (caught.value.help or "").endswith("Send the body with Content-Encoding: gzip, or without a content coding.")


def test_a_character_that_misleads_is_named() -> None:
    """The coding is shown in UTF-8, and its character by its code point."""
    with pytest.raises(Problem) as caught:
        content([], (b"content-encoding", "gzip\u200b".encode()))
    assert caught.value.error == "Content-Encoding 'gzip\u200b' is not accepted here"
    assert (caught.value.help or "").startswith("Content-Encoding has the character U+200B. Send the body with")


@pytest.mark.parametrize("name", [b"gzip", b"x-gzip"])
def test_gzip_is_refused_if_the_operation_does_not_accept_it(name: bytes) -> None:
    """The codings are those of the operation, under either name."""
    with pytest.raises(Problem) as caught:
        content([], (b"content-encoding", name), codings=frozenset())
    assert caught.value.code == "unsupported_content_coding"
    assert caught.value.headers == [(b"accept-encoding", b"identity")]
    assert caught.value.help == "Send the body as it is, without a content coding."


@pytest.mark.parametrize(
    ("compressed", "expected"),
    [
        pytest.param(gzip.compress(b""), b"", id="nothing, compressed"),
        pytest.param(gzip.compress(b"a") + gzip.compress(b"b"), b"ab", id="two members"),
        pytest.param(gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b"), b"ab", id="an empty one between"),
    ],
)
def test_each_member_is_decoded(compressed: bytes, expected: bytes) -> None:
    """A gzip file is a series of members (RFC 1952 section 2.2)."""
    assert whole([part(compressed)], GZIP) == expected


@settings(deadline=None)
@given(st.lists(st.binary(max_size=50), min_size=1, max_size=4), st.data())
def test_gzip_may_be_cut_into_parts_anywhere(members: list[bytes], data: st.DataObject) -> None:
    """The decoded bytes are the same wherever the network cuts the body."""
    compressed = b"".join(map(gzip.compress, members))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(compressed)), max_size=5)))
    contents = [compressed[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(compressed)], strict=True)]
    assert whole(parts_of(contents), GZIP, limit=1000) == b"".join(members)


@pytest.mark.parametrize(
    "compressed",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="not compressed"),
        pytest.param(gzip.compress(b"{}")[:-1], id="a byte too few"),
        pytest.param(gzip.compress(b"{}")[:12], id="cut off in the middle"),
        pytest.param(gzip.compress(b"{}")[:1], id="the first byte alone"),
        pytest.param(gzip.compress(b"{}") + b"\0", id="padding after it"),
        pytest.param(gzip.compress(b"{}") + b"{}", id="something else after it"),
        pytest.param(gzip.compress(b"{}") + gzip.compress(b"{}")[:4], id="a second one that is cut off"),
        pytest.param(gzip.compress(b"{}")[:-8] + bytes(4) + gzip.compress(b"{}")[-4:], id="a wrong checksum"),
        pytest.param(gzip.compress(b"{}")[:-4] + bytes(4), id="a wrong length"),
        pytest.param(zlib.compress(b"{}"), id="zlib"),
    ],
)
def test_malformed_gzip_is_refused(compressed: bytes) -> None:
    """400 for incomplete or malformed gzip, in one part and byte by byte."""
    assert refused([part(compressed)], GZIP) == MALFORMED
    assert refused(parts_of(compressed[index : index + 1] for index in range(len(compressed))), GZIP) == MALFORMED


@settings(deadline=None)
@given(st.binary(max_size=100), st.booleans())
def test_no_bytes_raise_anything_else(data: bytes, begins_well: bool) -> None:
    """Any bytes declared as gzip are decoded as by Python's gzip, or refused."""
    compressed = gzip.compress(b"")[:10] + data if begins_well else data
    decoded, code = None, ""
    try:
        decoded = whole([part(compressed)], GZIP, limit=10**6)
    except Problem as problem:
        code = problem.code
    assert code == "malformed_content_coding" if decoded is None else decoded == gzip.decompress(compressed)


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1], ids=["at the limit", "over it"])
def test_the_limit_applies_to_the_decoded_bytes(size: int) -> None:
    """A compressed body may exceed the limit, its decoded bytes may not."""
    compressed = gzip.compress(b"a" * size) + gzip.compress(b"") * 3
    assert len(compressed) > LIMIT
    fields = GZIP, (b"content-length", b"%d" % len(compressed))
    if size == LIMIT:
        assert whole([part(compressed)], *fields) == b"a" * LIMIT
    else:
        assert refused([part(compressed)], *fields) == (413, "the body has at least 41 bytes; the limit is 40 bytes")


def test_a_bomb_is_refused_at_its_limit() -> None:
    """10 GiB of zeros in 10 MB are decoded only up to 64 KiB, quickly and in little memory."""
    compressed = zeros(10 * 2**30)
    first = b"".join(next(compressed) for _ in range(300))
    assert len(first) > 250_000
    rest = parts_of(compressed)
    tracemalloc.start()
    began = time.process_time()
    status, error = refused(chain([part(first, more=True)], rest), GZIP, limit=65536)
    seconds, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (status, error) == (413, f"the body has at least {2 * PIECE_BYTES} bytes; the limit is 65536 bytes")
    assert seconds < 0.2
    assert peak < 2**20


def test_a_bomb_in_a_stream_comes_in_pieces() -> None:
    """Decoded bytes are passed on before more are decoded, so that a stream of any size needs little memory."""

    async def read() -> int:
        size = 0
        stream = content(parts_of(zeros(256 * 2**20)), GZIP)
        async for piece in stream.pieces(100 * 2**20, 20):
            assert len(piece) < 2 * PIECE_BYTES
            size += len(piece)
        return size

    tracemalloc.start()
    with pytest.raises(Problem) as caught:
        asyncio.run(read())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.code == "content_too_large"
    assert peak < 4 * 2**20


@given(st.lists(st.integers(0, 3 * PIECE_BYTES), max_size=6))
@settings(deadline=None, max_examples=30)
def test_the_pieces_of_a_content_are_complete(sizes: list[int]) -> None:
    """No byte is lost or changed, no piece is empty, and each but the last has at least PIECE_BYTES."""
    contents = [bytes([65 + index]) * size for index, size in enumerate(sizes)]
    decoded, problem = pieces(parts_of(contents))
    assert problem is None
    assert b"".join(decoded) == b"".join(contents)
    assert all(len(piece) >= PIECE_BYTES for piece in decoded[:-1])
    assert all(decoded)


@pytest.mark.parametrize(
    ("contents", "fields", "options", "code", "before"),
    [
        pytest.param([b"a"], [], {"seconds": 0.01}, "body_timeout", b"a", id="a pause"),
        pytest.param([b"a" * 99, b"b"], [], {"limit": 99}, "content_too_large", b"a" * 99, id="too much"),
        pytest.param(
            [gzip.compress(b"a" * 99), b"{}"],
            [GZIP],
            {},
            "malformed_content_coding",
            b"a" * 99,
            id="other bytes after gzip",
        ),
    ],
)
def test_bytes_before_a_fault_of_a_stream_are_yielded(
    contents: list[bytes], fields: Fields, options: dict[str, Any], code: str, before: bytes
) -> None:
    """A Problem ends a stream after the readable bytes, which are not lost."""
    decoded, problem = pieces([part(content, more=True) for content in contents], *fields, **options)
    assert problem
    assert (b"".join(decoded), problem.code) == (before, code)


def test_each_piece_of_a_stream_has_its_own_timeout() -> None:
    """A stream may take longer than a body if each piece arrives in time; the time of its reader does not count."""
    seconds = 0.1

    async def flowing() -> AsyncIterator[bytes]:
        arrived = 0

        async def receive() -> Message:
            nonlocal arrived
            await asyncio.sleep(seconds * 0.6)
            arrived += 1
            return part(bytes(PIECE_BYTES), more=arrived < 5)

        async for piece in Content({"type": "http", "headers": []}, receive, CODINGS).pieces(10**9, seconds):
            await asyncio.sleep(seconds * 2)
            yield piece

    async def read() -> int:
        return sum([len(piece) async for piece in flowing()])

    assert asyncio.run(read()) == 5 * PIECE_BYTES


def test_a_stream_that_trickles_is_given_up() -> None:
    """Single bytes, or empty gzip members, do not prolong the timeout of a piece."""
    for sent, fields in ((b"a", []), (gzip.compress(b""), [GZIP])):

        async def receive(sent: bytes = sent) -> Message:
            await asyncio.sleep(0.01)
            return part(sent, more=True)

        async def read(receive: Receive = receive, fields: Fields = fields) -> None:
            async for _ in Content({"type": "http", "headers": fields}, receive, CODINGS).pieces(10**9, 0.1):
                pass

        began = time.monotonic()
        with pytest.raises(Problem) as caught:
            asyncio.run(read())
        assert caught.value.code == "body_timeout"
        assert time.monotonic() - began < 1
