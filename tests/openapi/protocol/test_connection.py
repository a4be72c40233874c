"""The wire: the actions of clients on a connection, and the exact bytes that the service answers."""

import asyncio
import itertools
import logging
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from openapi.protocol import connection
from openapi.protocol.connection import MAX_FIELDS, MAX_HEAD_BYTES, MAX_PIPELINED, PIECE_BYTES, HTTPConnection
from openapi.protocol.cycle import persistence
from tests.examples import PATH
from tests.postgresql import fresh_database
from tests.service import Service, running
from tests.wire import CHUNKED, HOST, JSON, LINE, PATIENCE_SECONDS, Wire, chunks, event, head, stored

pytest_plugins = ["tests.service"]

TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
HTTP_2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
UPGRADE = ("Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__", "Connection: Upgrade, HTTP2-Settings")
BIG = b" " * 3_000_000
ONLY_POST = {"1.0": PATH, "1.1": f"{PATH}/batch"}
"""By the version of a contract: a path with a single method."""
KEEP_ALIVE_SECONDS = 5
"""The default of uvicorn, which the services of the tests use."""
PERSISTENCE = b"connection: keep-alive\r\nkeep-alive: timeout=2\r\n"
"""The lines that each answer has that keeps its connection open for `KEEP_ALIVE_SECONDS`."""


@pytest.fixture
def wire(service: Service) -> Iterator[Wire]:
    """A connection to the shared service."""
    with Wire(service) as wire:
        yield wire


@pytest.fixture(scope="module")
def hasty(embedded_url: str, template: str) -> Iterator[Service]:
    """A service that awaits heads and bodies for one second."""
    database = fresh_database(embedded_url, "hasty", template)
    with database as url, running(url, IR_HEAD_TIMEOUT="1", IR_BODY_TIMEOUT="1") as started:
        yield started


@pytest.fixture
def mark() -> str:
    """A value that identifies the events of this test."""
    return f"/tests/{uuid4()}"


@pytest.fixture
def log(service: Service, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:  # noqa: ARG001 (starts first)
    """The log of the service, including its lines about requests."""
    caplog.set_level(logging.INFO, "openapi")
    return caplog


def await_logged(log: pytest.LogCaptureFixture, *events: str) -> None:
    """Wait until one of `events` is logged."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not {record.getMessage() for record in log.records} & set(events):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def faults(log: pytest.LogCaptureFixture) -> list[str]:
    """The messages that were logged as errors."""
    return [record.getMessage() for record in log.records if record.levelno >= logging.ERROR]


def await_refused(service: Service) -> None:
    """Wait until `service` accepts no further connections."""
    with suppress(ConnectionError):
        while True:
            with Wire(service):
                time.sleep(0.01)


def assert_refused(wire: Wire, status: int = 400) -> httpx.Response:
    """Assert that the next answer has `status` and `Connection: close`, and that nothing follows it."""
    answer = wire.answer()
    assert answer.status_code == status
    assert answer.headers["connection"] == "close"
    assert wire.rest() == b""
    return answer


# Authentication


def test_a_trailer_does_not_authenticate(wire: Wire, service: Service, mark: str) -> None:
    """An Authorization in a trailer counts neither for its own request nor for the next one on the connection."""
    secret = f"Authorization: Bearer {service.key}"
    wire.send(head(LINE, HOST, JSON, CHUNKED), chunks(event(mark), trailer=secret))
    assert wire.answer().status_code == 401
    wire.send(wire.head(CHUNKED), chunks(event(mark), trailer=secret))
    assert wire.answer().status_code == 201
    wire.send(head(LINE, HOST, JSON, f"Content-Length: {len(event(mark))}"), event(mark))
    assert wire.answer().status_code == 401
    assert stored(service, mark) == 1


@pytest.mark.parametrize("other", ["Bearer {key}", "Bearer other", "Basic eDp5", ""])
def test_two_authorizations_are_refused(wire: Wire, service: Service, mark: str, other: str) -> None:
    """A second Authorization field is refused, even an identical one, with the reason in the challenge."""
    wire.send(wire.post(event(mark), "Authorization: " + other.format(key=service.key)))
    answer = wire.answer()
    assert answer.status_code == 401
    assert 'error="invalid_request"' in answer.headers["www-authenticate"]
    assert stored(service, mark) == 0


@pytest.mark.parametrize(
    ("line", "field"),
    [
        pytest.param(LINE.replace(" HTTP", "?access_token={key} HTTP"), "X-Nothing: 1", id="query"),
        pytest.param(LINE, "Cookie: Authorization=Bearer {key}; access_token={key}", id="cookie"),
        pytest.param(LINE, "Proxy-Authorization: Bearer {key}", id="proxy"),
        pytest.param(LINE, "X-Api-Key: {key}", id="other-header"),
        pytest.param(LINE, "Authorization: {key}", id="without-scheme"),
        pytest.param(LINE, "Authorization: Basic {key}", id="other-scheme"),
        pytest.param(LINE, "Authorization: Bearer {key}, Bearer {key}", id="list"),
    ],
)
def test_a_key_elsewhere_does_not_authenticate(wire: Wire, service: Service, mark: str, line: str, field: str) -> None:
    """A key counts only as the bearer token of the Authorization header."""
    length = f"Content-Length: {len(event(mark))}"
    wire.send(head(line.format(key=service.key), HOST, JSON, field.format(key=service.key), length), event(mark))
    assert wire.answer().status_code == 401
    assert stored(service, mark) == 0


# Malformed and ambiguous requests


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(["Content-Length: {size}", CHUNKED], id="length-and-chunked"),
        pytest.param([CHUNKED, "Content-Length: {size}"], id="chunked-and-length"),
        pytest.param(["Content-Length: 0", CHUNKED], id="length-0-and-chunked"),
        pytest.param(["Content-Length: 0", "Content-Length: {size}"], id="two-lengths"),
        pytest.param(["Content-Length: 0", "Content-Length: 0"], id="one-length-twice"),
        pytest.param(["Content-Length: 0, 0"], id="list-of-lengths"),
        pytest.param(["Content-Length: +0"], id="signed-length"),
        pytest.param(["Content-Length: -1"], id="negative-length"),
        pytest.param(["Content-Length: 0x0"], id="hexadecimal-length"),
        pytest.param(["Content-Length: 0_0"], id="underscored-length"),
        pytest.param(["Content-Length:"], id="empty-length"),
        pytest.param(["Content-Length: 18446744073709551616"], id="length-beyond-64-bits"),
        pytest.param(["Content-Length: " + "0" * 5000], id="length-of-5000-digits"),
        pytest.param(["Transfer-Encoding: gzip, chunked"], id="gzip-and-chunked"),
        pytest.param(["Transfer-Encoding: chunked, gzip"], id="chunked-and-gzip"),
        pytest.param(["Transfer-Encoding: gzip", CHUNKED], id="gzip-and-chunked-apart"),
        pytest.param(["Transfer-Encoding: identity"], id="identity"),
        pytest.param(["Transfer-Encoding: identity", "Content-Length: 0"], id="identity-and-length"),
        pytest.param(["Transfer-Encoding: xchunked"], id="xchunked"),
        pytest.param(["Transfer-Encoding: \x0bchunked"], id="chunked-after-a-tab"),
        pytest.param([CHUNKED, CHUNKED], id="chunked-twice"),
        pytest.param(["Transfer-Encoding:"], id="empty-coding"),
    ],
)
def test_an_ambiguous_length_smuggles_nothing(wire: Wire, service: Service, mark: str, fields: list[str]) -> None:
    """One 400, and nothing after it: the event behind the ambiguous body is not stored."""
    behind = chunks() + wire.post(event(mark))
    wire.send(wire.head(*(field.format(size=len(behind)) for field in fields)), behind)
    assert_refused(wire)
    assert stored(service, mark) == 0


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TLS_HELLO, id="TLS"),
        pytest.param(HTTP_2_PREFACE, id="HTTP/2-preface"),
        pytest.param(b"\r\n\r\nhello\r\n\r\n", id="garbage"),
        pytest.param(b"\x00" * 100, id="zeros"),
        pytest.param(head("post / HTTP/1.1", HOST), id="method-in-lower-case"),
        pytest.param(head("FOO / HTTP/1.1", HOST), id="unknown-method"),
        pytest.param(head("CONNECT localhost:80 HTTP/1.1", HOST), id="CONNECT"),
        pytest.param(head(f"CONNECT {PATH} HTTP/1.1", HOST), id="CONNECT-to-a-path"),
        pytest.param(head("GET /", HOST), id="no-version"),
        pytest.param(head("GET / HTTP/0.9", HOST), id="HTTP/0.9"),
        pytest.param(head("GET / HTTP/1.2", HOST), id="HTTP/1.2"),
        pytest.param(head("GET / HTTP/2.0", HOST), id="HTTP/2.0"),
        pytest.param(head("GET / http/1.1", HOST), id="version-in-lower-case"),
        pytest.param(head("GET / HTTP/1.1"), id="no-host"),
        pytest.param(head("GET / HTTP/1.1", HOST, HOST), id="two-hosts"),
        pytest.param(head("GET  HTTP/1.1", HOST), id="no-target"),
        pytest.param(head("GET localhost:80 HTTP/1.1", HOST), id="target-of-CONNECT"),
        pytest.param(head("GET http://%/ HTTP/1.1", HOST), id="target-with-a-bad-host"),
        pytest.param(head("GET http://localhost:99999/ HTTP/1.1", HOST), id="target-with-a-bad-port"),
        pytest.param(head("GET * HTTP/1.1", HOST), id="asterisk-without-OPTIONS"),
        pytest.param(head("OPTIONS *?a HTTP/1.1", HOST), id="asterisk-with-a-query"),
        pytest.param(head("GET http:///a HTTP/1.1", HOST), id="target-without-a-host"),
        pytest.param(head("GET /\u00e9 HTTP/1.1", HOST), id="target-with-a-raw-byte"),
        pytest.param(head("GET /\x7f HTTP/1.1", HOST), id="target-with-a-control"),
        pytest.param(head("GET /a b HTTP/1.1", HOST), id="target-with-a-space"),
        pytest.param(head("GET / HTTP/1.1", HOST, "X: a", " b"), id="folded-field"),
        pytest.param(head("GET / HTTP/1.1", " X: a", HOST), id="folded-request-line"),
        pytest.param(head("GET / HTTP/1.1", HOST, "X : a"), id="space-before-colon"),
        pytest.param(head("GET / HTTP/1.1", HOST, "X"), id="no-colon"),
        pytest.param(head("GET / HTTP/1.1", HOST, ": a"), id="no-name"),
        pytest.param(head("GET / HTTP/1.1", HOST, "\u00e9: a"), id="name-with-a-raw-byte"),
        pytest.param(head("GET / HTTP/1.1", HOST, "X: \x00"), id="NUL"),
        pytest.param(head("GET / HTTP/1.1", HOST, "X: a\rY: b"), id="bare-CR"),
        pytest.param(head("GET / HTTP/1.1", HOST, "X: a\nY: b"), id="bare-LF"),
        pytest.param(head("GET / HTTP/1.1", HOST).replace(b"\r\n", b"\n"), id="LF-alone"),
    ],
)
def test_malformed_http_gets_400(wire: Wire, data: bytes) -> None:
    """One 400 in the shape of the contract, with the fault, and then the connection closes."""
    wire.send(data)
    error = assert_refused(wire).json()["error"]
    assert error.startswith("the request is not well-formed HTTP: ")
    assert "callback" not in error


@pytest.mark.parametrize(
    "chunk", [b"zz\r\n", b"-1\r\n", b"0x1\r\n{\r\n", b"1\n{\n", b"1\r\n{}\r\n", b"f" * 17 + b"\r\n"]
)
def test_a_malformed_chunk_ends_the_request(wire: Wire, service: Service, mark: str, chunk: bytes) -> None:
    """400 and close, though the body was well-formed until there; nothing is stored."""
    wire.send(wire.head(CHUNKED), b"%x\r\n%s\r\n" % (len(event(mark)), event(mark)), chunk)
    assert_refused(wire)
    assert stored(service, mark) == 0


def test_a_malformed_chunk_does_not_disturb_the_log(wire: Wire, log: pytest.LogCaptureFixture) -> None:
    """Not even if the service was about to ask for that body."""
    wire.send(wire.head(CHUNKED, "Expect: 100-continue"), b"zz\r\n")
    assert_refused(wire)
    await_logged(log, "client disconnected")
    assert faults(log) == []


def test_a_refusal_is_logged_under_its_request_id(wire: Wire, log: pytest.LogCaptureFixture) -> None:
    """The log has each request that the protocol refuses, under a new id each time."""
    wire.send(head("GET / HTTP/1.1", "X-Request-Id: mine"))
    identifier = assert_refused(wire).headers["x-request-id"]
    (record,) = [record for record in log.records if record.getMessage() == "refused"]
    assert vars(record)["request_id"] == identifier != "mine"


# Unusual but valid requests


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        pytest.param(LINE, ["Transfer-Encoding: CHUNKED"], id="coding-in-upper-case"),
        pytest.param(LINE.replace("/api", "http://localhost/api"), [CHUNKED], id="absolute-target"),
        pytest.param(LINE.replace("-", "%2D").replace("api", "%61pi"), [CHUNKED], id="percent-encoded-target"),
        pytest.param(LINE, [CHUNKED, "X: \u00e9\xff"], id="raw-bytes-in-a-value"),
        pytest.param(LINE, [CHUNKED, "Expect: coffee"], id="other-expectation"),
    ],
)
def test_unusual_valid_requests_are_served(
    wire: Wire, service: Service, mark: str, line: str, fields: list[str]
) -> None:
    """Unusual requests that RFC 9110 and 9112 allow are served like any other."""
    wire.send(wire.head(*fields, line=line), chunks(*(bytes([byte]) for byte in event(mark))))
    assert wire.answer().status_code == 201
    assert stored(service, mark) == 1


def test_http_1_0_is_served_once(wire: Wire, service: Service, mark: str) -> None:
    """HTTP/1.0 needs no Host, never gets a 100, and its connection closes after the answer."""
    length = f"Content-Length: {len(event(mark))}"
    line = LINE.replace("1.1", "1.0")
    wire.send(head(line, f"Authorization: Bearer {service.key}", JSON, length, "Expect: 100-continue"), event(mark))
    assert_refused(wire, 201)
    assert stored(service, mark) == 1


def test_http_1_0_does_not_support_chunks(wire: Wire, service: Service, mark: str) -> None:
    """400: an HTTP/1.0 proxy forwards chunks without understanding them."""
    wire.send(wire.head(CHUNKED, line=LINE.replace("1.1", "1.0")), chunks(event(mark)))
    assert_refused(wire)
    assert stored(service, mark) == 0


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY"])
def test_another_method_is_not_allowed(wire: Wire, service: Service, method: str) -> None:
    """405 with the allowed methods, on a connection that remains usable."""
    for _ in range(2):
        wire.send(head(f"{method} {ONLY_POST[service.version]} HTTP/1.1", HOST))
        answer = wire.answer()
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_the_answer_to_head_has_no_body(wire: Wire, service: Service, mark: str) -> None:
    """The next answer follows the head of a 405 directly."""
    wire.send(head(f"HEAD {ONLY_POST[service.version]} HTTP/1.1", HOST), wire.post(event(mark)))
    assert wire.answer("HEAD").status_code == 405
    assert wire.answer().status_code == 201
    assert stored(service, mark) == 1


@pytest.mark.parametrize(
    "target",
    [
        *("/", "//", "/%00", "/%0d%0aX:%20y", "/%ff%fe", "/%ed%a0%80", "/%", "/%zz", "/%2e%2e/", "/../etc/passwd"),
        *("/a?%00=%ff&;", "/a#b", f"{PATH}/", f"/{PATH}", f"{PATH};a=b", f"{PATH}%00", f"{PATH}%20"),
        pytest.param("/a" * 9000, id="long"),
    ],
)
def test_an_odd_path_is_not_found(wire: Wire, target: str) -> None:
    """404 for any decoded path, on a connection that remains usable."""
    for method in ("POST", "OPTIONS"):
        wire.send(head(f"{method} {target} HTTP/1.1", HOST))
        assert wire.answer().status_code == 404


# Large heads


def padded(wire: Wire, size: int, body: bytes, *fields: str) -> bytes:
    """A request whose head counts as `size` bytes, those of its target and its fields."""
    shortest = wire.post(body, *fields, "X: ", "Y: ").split(b"\r\n\r\n")[0]
    missing = size - (len(shortest) + len("\r\n") - len("POST  HTTP/1.1\r\n"))
    return wire.post(body, *fields, "X: " + "x" * (missing // 2), "Y: " + "y" * (missing - missing // 2))


@pytest.mark.parametrize("segment", [100_000, 1460], ids=["at-once", "in-segments"])
@pytest.mark.parametrize("fields", [(), UPGRADE], ids=["plain", "upgrade"])
def test_a_head_has_a_limit(wire: Wire, service: Service, mark: str, fields: tuple[str, ...], segment: int) -> None:
    """32,768 bytes are served, one more is 431 and close, whatever segments and fields they come in."""
    for size in (MAX_HEAD_BYTES, MAX_HEAD_BYTES + 1):
        data = padded(wire, size, event(mark), *fields)
        for start in range(0, len(data), segment):
            wire.send(data[start : start + segment])
            time.sleep(0.002)  # or the kernel would join the segments
        if size == MAX_HEAD_BYTES:
            assert wire.answer().status_code == 201
        else:
            assert_refused(wire, 431)
    assert stored(service, mark) == 1


def test_the_fields_of_a_head_are_counted(wire: Wire, service: Service, mark: str) -> None:
    """100 fields are served, one more is 431 and close."""
    others = MAX_FIELDS - len(wire.post(b"").split(b"\r\n")) + 3
    wire.send(wire.post(event(mark), *["X:"] * others))
    assert wire.answer().status_code == 201
    wire.send(wire.post(event(mark), *["X:"] * (others + 1)))
    assert_refused(wire, 431)
    assert stored(service, mark) == 1


@pytest.mark.parametrize(
    ("beginning", "part"),
    [
        pytest.param(b"GET /", b"a" * 5000, id="request-line"),
        pytest.param(head("GET / HTTP/1.1")[:-2] + b"X", b"a" * 5000, id="name"),
        pytest.param(head("GET / HTTP/1.1")[:-2] + b"X: ", b"a" * 5000, id="value"),
        pytest.param(head("GET / HTTP/1.1")[:-2] + b"X: ", b" " * 5000, id="spaces"),
        pytest.param(head("GET / HTTP/1.1")[:-2], b"X: y\r\n" * 20, id="fields"),
        pytest.param(b"", b"\r\n" * 5000, id="blank-lines"),
    ],
)
def test_a_head_without_end_is_cut(wire: Wire, beginning: bytes, part: bytes) -> None:
    """431 and close as soon as it is too large, before it is complete."""
    wire.send(beginning)
    wire.trickle(itertools.repeat(part, 1000))
    assert_refused(wire, 431)


@pytest.mark.parametrize("part", [b"X", b"X: ", b"X: y\r\n"], ids=["name", "value", "fields"])
def test_a_trailer_without_end_is_cut(wire: Wire, service: Service, mark: str, part: bytes) -> None:
    """431 and close, though the event itself has arrived; it is not stored."""
    wire.send(wire.head(CHUNKED), chunks(event(mark))[:-2], part)
    time.sleep(0.05)  # so that the trailer is read by itself
    wire.trickle(itertools.repeat((part if part.endswith(b"\n") else b"a") * 1000, 1000))
    assert_refused(wire, 431)
    assert stored(service, mark) == 0


# Slow requests


@pytest.mark.parametrize(
    ("sent", "step"),
    [
        pytest.param(b"", 1, id="nothing"),
        pytest.param(head(LINE, HOST)[:-2], 1000, id="half-a-head"),
        pytest.param(head(LINE, HOST)[:-2], 1, id="a-byte-at-a-time"),
        pytest.param(b"\r\n" * 20, 1, id="blank-lines"),
    ],
)
def test_a_head_must_arrive_in_time(hasty: Service, sent: bytes, step: int) -> None:
    """408 and close after one second, not before, even if the client keeps sending bytes."""
    with Wire(hasty) as wire:
        started = time.monotonic()
        wire.trickle((sent[at : at + step] for at in range(0, len(sent), step)), 0.1)
        assert "head" in assert_refused(wire, 408).json()["error"]
        assert 0.9 < time.monotonic() - started < 3


@pytest.mark.parametrize("apart", [True, False], ids=["later", "at-once"])
def test_a_later_head_must_arrive_in_time(hasty: Service, mark: str, apart: bool) -> None:
    """408 and close also on a kept connection, whether the half head follows its request at once or later."""
    with Wire(hasty) as wire:
        half = head(LINE, HOST)[:-2]
        started = time.monotonic()
        wire.send(wire.post(event(mark)), b"" if apart else half)
        assert wire.answer().status_code == 201
        if apart:
            started = time.monotonic()
            wire.send(half)
        assert_refused(wire, 408)
        assert 0.8 < time.monotonic() - started < 3
    assert stored(hasty, mark) == 1


@pytest.mark.parametrize("framing", ["Content-Length: 1000", CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("bytes_sent", [0, 30], ids=["silence", "a-byte-at-a-time"])
def test_a_body_must_arrive_in_time(hasty: Service, mark: str, framing: str, bytes_sent: int) -> None:
    """408 and close after one second, not before, even if the client keeps sending bytes; nothing is stored."""
    with Wire(hasty) as wire:
        started = time.monotonic()
        wire.send(wire.head(framing))
        wire.trickle(itertools.repeat(b"1\r\n{\r\n" if framing == CHUNKED else b"{", bytes_sent), 0.1)
        assert "body" in assert_refused(wire, 408).json()["error"]
        assert 0.9 < time.monotonic() - started < 3
    assert stored(hasty, mark) == 0


# Several requests on one connection


def test_a_connection_is_kept(wire: Wire, service: Service, mark: str) -> None:
    """Requests follow one another, also refused ones and those after blank lines."""
    wrong = event(mark, event_type="no such type")
    for request, status in [(event(mark), 201), (wrong, 422), (b"{", 400), (event(mark), 201)]:
        wire.send(b"\r\n", wire.post(request))
        assert wire.answer().status_code == status
    assert stored(service, mark) == 2


def test_pipelined_requests_are_answered_in_order(wire: Wire, service: Service, mark: str) -> None:
    """Each in its turn, including refusals."""
    times = [f"2026-03-31T12:00:{second:02}Z" for second in range(30)]
    wrong = wire.post(event(mark, event_type="no such type"))
    wire.send(*(wire.post(event(mark, occurred_at=time)) + wrong for time in times))
    for time_sent in times:
        assert wire.answer().json()["occurred_at"] == time_sent
        assert wire.answer().status_code == 422
    assert stored(service, mark) == len(times)


@pytest.mark.parametrize("before", [1, 3])
@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(b"garbage\r\n\r\n", id="garbage"),
        pytest.param(b"garbage\r\n" * 100_000, id="much-garbage"),
        pytest.param(head("GET / HTTP/1.1"), id="no-host"),
        pytest.param(head("GET http://%/ HTTP/1.1", HOST), id="bad-target"),
        pytest.param(head(LINE, HOST, "X: " + "x" * MAX_HEAD_BYTES), id="too-large"),
        pytest.param(head(LINE, HOST, JSON, CHUNKED) + b"zz\r\n", id="bad-chunk"),
    ],
)
def test_a_malformed_request_harms_none_before_it(
    wire: Wire, service: Service, mark: str, log: pytest.LogCaptureFixture, *, before: int, malformed: bytes
) -> None:
    """Each request before it is stored and answered once; then the connection ends without another byte."""
    wire.send(wire.post(event(mark)) * before, malformed)
    for _ in range(before):
        assert wire.answer().status_code == 201
    assert wire.rest() == b""
    assert stored(service, mark) == before
    assert faults(log) == []


def test_nothing_is_served_after_close(wire: Wire, service: Service, mark: str) -> None:
    """A request that says Connection: close is the last one."""
    wire.send(wire.post(event(mark), "Connection: close"), wire.post(event(mark)))
    assert_refused(wire, 201)
    assert stored(service, mark) == 1


# Expect: 100-continue


def test_a_client_gets_100_when_the_service_wants_the_body(wire: Wire, service: Service, mark: str) -> None:
    """100, then 201 after the body."""
    wire.send(wire.head(f"Content-Length: {len(event(mark))}", "Expect: 100-continue"))
    assert wire.answer().status_code == 100
    wire.send(event(mark))
    assert wire.answer().status_code == 201
    assert stored(service, mark) == 1


@pytest.mark.parametrize(
    ("authorization", "media_type", "length", "status"),
    [
        pytest.param("Bearer other", JSON, 10, 401, id="unauthorized"),
        pytest.param("Bearer {key}", "Content-Type: text/plain", 10, 415, id="other-media-type"),
        pytest.param("Bearer {key}", JSON, 65537, 413, id="too-large"),
    ],
)
def test_a_client_gets_no_100_before_a_refusal(
    wire: Wire, service: Service, *, authorization: str, media_type: str, length: int, status: int
) -> None:
    """The refusal is the first and only answer, and comes before the body."""
    secret = "Authorization: " + authorization.format(key=service.key)
    wire.send(head(LINE, HOST, secret, media_type, f"Content-Length: {length}", "Expect: 100-continue"))
    assert wire.answer().status_code == status
    assert wire.is_quiet(0.1)


# Upgrade


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["at-once", "in-halves"])
@pytest.mark.parametrize("framing", ["Content-Length: {}", CHUNKED], ids=["length", "chunked"])
def test_a_request_to_upgrade_is_served_without_upgrade(
    wire: Wire, service: Service, mark: str, framing: str, pause: float
) -> None:
    """As from Java's HttpClient and `curl --http2`, with the body at once; the next requests are served as well."""
    body = event(mark)
    request = wire.head(framing.format(len(body)), *UPGRADE) + (chunks(body) if framing == CHUNKED else body)
    wire.send(request[:100])
    time.sleep(pause)
    wire.send(request[100:], wire.post(event(mark)), request)
    assert [wire.answer().status_code for _ in range(3)] == [201, 201, 201]
    assert stored(service, mark) == 3


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_request_to_upgrade_may_be_the_last_one(wire: Wire, service: Service, mark: str, version: str) -> None:
    """Its version and the other options of its Connection field still hold."""
    last = "Connection: Upgrade" + (", close" if version == "1.1" else "")
    wire.send(wire.post(event(mark), "Upgrade: h2c", last, line=LINE.replace("1.1", version)))
    assert_refused(wire, 201)
    assert stored(service, mark) == 1


def test_an_ambiguous_request_to_upgrade_is_refused(wire: Wire, service: Service, mark: str) -> None:
    """Upgrade does not relax the rules for requests."""
    wire.send(wire.post(event(mark), HOST, *UPGRADE))
    assert_refused(wire)
    assert stored(service, mark) == 0


def test_many_requests_to_upgrade_are_served(wire: Wire) -> None:
    """Each gets its answer, though one read of the socket holds them all."""
    wire.send(head("GET / HTTP/1.1", HOST, "Upgrade: websocket", "Connection: Upgrade") * 1500)
    assert {wire.answer().status_code for _ in range(1500)} == {404}


# Answers before the end of the body


@pytest.mark.parametrize(
    ("authorization", "fields", "body", "status"),
    [
        pytest.param("Bearer other", [f"Content-Length: {len(BIG)}"], BIG, 401, id="unauthorized"),
        pytest.param("Bearer other", [CHUNKED], chunks(BIG), 401, id="unauthorized-chunked"),
        pytest.param("Bearer {key}", [f"Content-Length: {len(BIG)}"], BIG, 413, id="too-large"),
        pytest.param("Bearer {key}", [CHUNKED], chunks(BIG), 413, id="too-large-chunked"),
    ],
)
def test_a_big_body_is_answered_and_discarded(
    wire: Wire, service: Service, mark: str, *, authorization: str, fields: list[str], body: bytes, status: int
) -> None:
    """A client that sends the whole body before it reads gets its answer, once, and can use the connection again."""
    secret = "Authorization: " + authorization.format(key=service.key)
    wire.send(head(LINE, HOST, JSON, secret, *fields), body, wire.post(event(mark)))
    assert wire.answer().status_code == status
    assert wire.answer().status_code == 201
    assert stored(service, mark) == 1


@pytest.mark.parametrize(
    ("line", "field"),
    [(LINE, "Connection: close"), (LINE.replace("1.1", "1.0"), "X-Nothing: 1")],
    ids=["HTTP/1.1", "HTTP/1.0"],
)
def test_a_big_body_of_a_last_request_is_answered(wire: Wire, line: str, field: str) -> None:
    """The connection closes after the client received its answer, and is not reset before."""
    wire.send(wire.post(BIG, field, line=line))
    assert_refused(wire, 413)


@pytest.mark.parametrize("status", [401, 413])
def test_a_malformed_rest_of_a_body_is_not_answered_again(wire: Wire, status: int) -> None:
    """One request, one answer: then the connection ends."""
    wire.send(head(LINE, HOST, JSON, CHUNKED) if status == 401 else wire.head(CHUNKED))
    wire.send(b"%x\r\n" % len(BIG), BIG[:70_000])
    assert wire.answer().status_code == status
    wire.send(BIG[70_000:], b"zz\r\n")
    assert wire.rest() == b""


def test_no_connection_stays_forever(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection closes after a while if a body never ends, the client does not close it, or no request follows."""
    monkeypatch.setattr(connection, "LINGER_SECONDS", 1.0)
    with Wire(service) as unfinished, Wire(service) as idle, Wire(service) as refused:
        started = time.monotonic()
        for wire in (unfinished, idle):
            wire.send(head(LINE, HOST, JSON, f"Content-Length: {len(BIG)}"))
            assert wire.answer().status_code == 401
        idle.send(BIG)
        refused.send(TLS_HELLO)
        assert_refused(refused)
        unfinished.trickle(itertools.repeat(b" ", 30), 0.1)
        assert unfinished.rest() == b""
        assert 0.9 < time.monotonic() - started < 3
        assert idle.rest(KEEP_ALIVE_SECONDS + 2) == b""
        refused.send(b" ")  # is answered with a reset
        time.sleep(0.05)
        with pytest.raises(ConnectionError):
            refused.send(b" ")


# Disconnects and drains


@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_a_client_may_go_away_within_a_body(
    service: Service, mark: str, log: pytest.LogCaptureFixture, reset: bool
) -> None:
    """Nothing of an incomplete body is stored, and no fault is logged."""
    with Wire(service) as wire:
        wire.send(wire.post(event(mark))[:-1])
        wire.hang_up(reset)
    await_logged(log, "client disconnected")
    assert faults(log) == []
    assert stored(service, mark) == 0


@pytest.mark.parametrize("reset", [False, True], ids=["closes", "resets"])
def test_a_client_may_go_away_before_its_answers(
    service: Service, mark: str, log: pytest.LogCaptureFixture, reset: bool
) -> None:
    """No fault is logged for requests whose answers the client will not read."""
    with Wire(service) as wire:
        wire.send(wire.post(event(mark)) * 3)
        wire.hang_up(reset)
    await_logged(log, "request", "client disconnected")
    assert faults(log) == []


def test_a_drain_finishes_pending_requests(
    start_service: Callable[..., AbstractContextManager[Service]], mark: str
) -> None:
    """Requests that began before a drain, or come just then, are served as the last of their connections."""
    with ThreadPoolExecutor() as pool, ExitStack() as stack, ExitStack() as wires:
        service = stack.enter_context(start_service())
        idle, late, in_head, in_body = (wires.enter_context(Wire(service)) for _ in range(4))
        request = idle.post(event(mark))
        for wire in (idle, late, in_head):
            wire.send(request)
            assert wire.answer().status_code == 201
        in_head.send(request[:50])
        in_body.send(request[:-1])
        time.sleep(0.05)
        drained = pool.submit(stack.close)
        await_refused(service)
        late.send(request)
        assert_refused(late, 201)
        assert idle.rest() == b""
        in_head.send(request[50:])
        assert_refused(in_head, 201)
        in_body.send(request[-1:])
        assert_refused(in_body, 201)
        drained.result(PATIENCE_SECONDS)
        assert stored(service, mark) == 6


# Pipelines and clients that do not read


async def connected(app: ASGIApp) -> tuple[HTTPConnection, socket.socket]:
    """A connection that serves `app`, and the other end of it."""
    ours, theirs = socket.socketpair()
    config = uvicorn.Config(app, log_config=None)
    config.load()
    protocol = HTTPConnection(config=config, server_state=ServerState(), app_state={})
    await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, ours)
    return protocol, theirs


@pytest.mark.parametrize("requests", [1, 3])
def test_a_half_closed_client_is_answered(wire: Wire, service: Service, mark: str, requests: int) -> None:
    """A client that closes its half of the connection after its requests gets every answer, then the end."""
    wire.send(wire.post(event(mark)) * requests)
    wire.finish()
    for _ in range(requests):
        assert wire.answer().status_code == 201
    assert wire.rest() == b""
    assert stored(service, mark) == requests


def test_a_half_closed_client_with_half_a_body_gets_no_answer(wire: Wire, service: Service, mark: str) -> None:
    """A body that ends too early is neither stored nor answered."""
    wire.send(wire.post(event(mark))[:-1])
    wire.finish()
    assert wire.rest() == b""
    assert stored(service, mark) == 0


def test_a_long_pipeline_is_answered(wire: Wire) -> None:
    """Each of thousands of requests on one connection gets its answer."""
    wire.send(head("GET / HTTP/1.1", HOST) * 5000)
    assert {wire.answer().status_code for _ in range(5000)} == {404}


def test_a_long_pipeline_waits_unparsed() -> None:
    """While the first of thousands of requests is served, few others are parsed: the rest stays bytes."""
    request = head("GET / HTTP/1.1", HOST)

    async def never_answer(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    async def parsed() -> int:
        protocol, theirs = await connected(never_answer)
        with theirs:
            protocol.data_received(request * 5000)
            count = len(protocol.pipeline)
            for task in protocol.tasks:
                task.cancel()
            protocol.transport.abort()
            return count

    assert asyncio.run(parsed()) <= MAX_PIPELINED + PIECE_BYTES // len(request)


@pytest.mark.parametrize(
    ("headers", "parts", "expected"),
    [
        pytest.param(
            [(b"content-length", b"2")], [b"{}"], b"content-length: 2\r\n" + PERSISTENCE + b"\r\n{}", id="a whole body"
        ),
        pytest.param(
            [(b"content-length", b"4")],
            [b"{}", b"{}"],
            b"content-length: 4\r\n" + PERSISTENCE + b"\r\n{}{}",
            id="two parts",
        ),
        pytest.param(
            [],
            [b"{}", b"[]"],
            PERSISTENCE + b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n2\r\n[]\r\n0\r\n\r\n",
            id="no length",
        ),
        pytest.param(
            [(b"content-length", b"2"), (b"connection", b"close")],
            [b"{}"],
            b"content-length: 2\r\nconnection: close\r\n\r\n{}",
            id="the last answer",
        ),
    ],
)
def test_an_answer_is_sent_unchanged(headers: list[tuple[bytes, bytes]], parts: list[bytes], expected: bytes) -> None:
    """With either framing, and with its body at once or in parts."""

    async def answer_in_parts(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    async def ask() -> bytes:
        protocol, theirs = await connected(answer_in_parts)
        with theirs:
            theirs.setblocking(False)
            theirs.send(head("GET / HTTP/1.1", HOST))
            received = b""
            while len(received) < len(b"HTTP/1.1 201 Created\r\n" + expected):
                received += await asyncio.get_running_loop().sock_recv(theirs, 65536)
            protocol.transport.abort()
            return received

    assert asyncio.run(ask()) == b"HTTP/1.1 201 Created\r\n" + expected


ANNOUNCED = {"type": "http.response.start", "status": 200, "headers": []}
A_PART = {"type": "http.response.body", "body": b"{}", "more_body": True}


def test_a_line_break_splits_no_answer() -> None:
    """A header with a line break is a fault of the service, and nothing of the answer is sent."""
    faults = []

    async def answer_with_line_break(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"0"), (b"x", b"1\r\nx-injected: 1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        try:
            await send({"type": "http.response.body", "body": b""})
        except RuntimeError as error:
            faults.append(str(error))
            raise

    async def ask() -> bytes:
        protocol, theirs = await connected(answer_with_line_break)
        protocol.logger.disabled = True
        with theirs:
            theirs.setblocking(False)
            theirs.send(head("GET / HTTP/1.1", HOST))
            return await asyncio.get_running_loop().sock_recv(theirs, 65536)

    try:
        assert asyncio.run(ask()) == b""
    finally:
        logging.getLogger("uvicorn.error").disabled = False
    assert faults == ["a header of the answer has a line break"]


@pytest.mark.parametrize(
    ("messages", "status", "end"),
    [
        pytest.param([], b"500", b"Internal Server Error", id="nothing"),
        pytest.param([ANNOUNCED], b"500", b"Internal Server Error", id="a head that was held back"),
        pytest.param([ANNOUNCED, A_PART], b"200", b"\r\n2\r\n{}\r\n", id="a part, and no end"),
    ],
)
@pytest.mark.parametrize("raises", [False, True])
def test_an_answer_that_breaks_off_has_no_end(
    messages: list[dict[str, Any]], status: bytes, end: bytes, raises: bool
) -> None:
    """The connection ends; as long as nothing was sent, the client gets a 500."""

    async def break_off(_scope: Scope, _receive: Receive, send: Send) -> None:
        for message in messages:
            await send(dict(message))
        if raises:
            raise RuntimeError("broken on purpose")

    async def ask() -> bytes:
        protocol, theirs = await connected(break_off)
        protocol.logger = logging.getLogger("silent")
        with theirs:
            theirs.setblocking(False)
            theirs.send(head("GET / HTTP/1.1", HOST))
            received = b""
            while part := await asyncio.get_running_loop().sock_recv(theirs, 65536):
                received += part
            return received

    answer = asyncio.run(ask())
    assert answer.split()[1] == status
    assert answer.endswith(end)


def test_a_connection_in_use_is_not_idle(service: Service) -> None:
    """Neither with another request within the idle timeout, nor with a request that takes longer than the timeout."""
    with Wire(service) as used:
        for _ in range(4):
            time.sleep(KEEP_ALIVE_SECONDS / 3)
            used.send(head("GET / HTTP/1.1", HOST))
            assert used.answer().status_code == 404
        used.send(head(LINE, HOST, JSON, f"Authorization: Bearer {service.key}", "Content-Length: 2"))
        assert used.is_quiet(KEEP_ALIVE_SECONDS + 1)
        used.send(b"{}")
        assert used.answer().status_code == 422


@pytest.mark.parametrize(("seconds", "announced"), [(1, 0), (2, 1), (5, 2), (9, 4), (10, 5), (75, 70), (120, 115)])
def test_the_announced_time_ends_before_the_real_one(seconds: int, announced: int) -> None:
    """By 5 seconds, or by half of a short time."""
    assert persistence(seconds).endswith(b"\r\nkeep-alive: timeout=%d\r\n" % announced)


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_an_answer_on_an_open_connection_says_how_long(wire: Wire, method: str) -> None:
    """In `Keep-Alive`, which `Connection` names."""
    for _ in range(2):
        wire.send(head(f"{method} / HTTP/1.1", HOST))
        answer = wire.answer(method)
        assert (answer.headers["connection"], answer.headers["keep-alive"]) == ("keep-alive", "timeout=2")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(head("GET / HTTP/1.1", HOST, "Connection: close"), id="close"),
        pytest.param(head("GET / HTTP/1.1", HOST, "Connection: a, CLOSE"), id="close in a list"),
        pytest.param(head("HEAD / HTTP/1.1", HOST, "Connection: close"), id="HEAD"),
        pytest.param(head("OPTIONS * HTTP/1.1", HOST, "Connection: close"), id="OPTIONS"),
        pytest.param(head("GET / HTTP/1.0"), id="HTTP/1.0"),
        pytest.param(head("GET / HTTP/1.0", "Connection: keep-alive"), id="HTTP/1.0 with keep-alive"),
        pytest.param(head("GET / HTTP/1.1"), id="refused"),
    ],
)
def test_the_last_answer_of_a_connection_announces_nothing(wire: Wire, request_: bytes) -> None:
    """It closes the connection, and says so."""
    wire.send(request_)
    lines = wire.rest().partition(b"\r\n\r\n")[0].lower()
    assert b"\r\nconnection: close" in lines
    assert b"keep-alive" not in lines
