"""The load, on small servers that answer well and badly: what happens is counted, and nothing makes it hang."""

import socket
import time

import pytest

from scripts.trials.load import Load, Shape, measured
from scripts.trials.measurement import Measurement
from tests.answering import CREATED, answering, created

SHAPE = Shape("/path", b'{"a": 1}', {"Authorization": "Bearer secret"})


def loaded(url: str, connections: int = 2, seconds: float = 0.2, warm_up: float = 0) -> Measurement:
    """What a short load on `url` measures; it is silent after 0.2 s."""
    return measured(Load(url, SHAPE, timeout=0.2), connections, seconds, warm_up)


def test_a_shape_is_one_request() -> None:
    """Line, fields and body are those that were given; how the shape is shown does not give the key away."""
    head, body = SHAPE.request("host:1").split(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /path HTTP/1.1"
    assert set(head.split(b"\r\n")[1:]) == {b"Host: host:1", b"Content-Length: 8", b"Authorization: Bearer secret"}
    assert body == b'{"a": 1}'
    assert "secret" not in repr(SHAPE)


def test_every_answer_is_counted_once() -> None:
    """There are as many answers as the server was sent requests, all of them whole, over the connections asked for."""
    with answering(CREATED) as server:
        found = loaded(server.url, connections=3)
    assert found.requests == found.statuses[201] == len(server.received) > 3
    assert set(server.received) == {SHAPE.request(server.url.removeprefix("http://"))}
    assert (found.errors, found.refusals, server.connections) == ({}, {}, 3)


def test_latencies_and_rates_are_those_of_the_answers() -> None:
    """Each latency is at least the server's pause, and the rate is that of the answers in the time that they took."""
    with answering(CREATED[:20], CREATED[20:]) as server:
        found = loaded(server.url, connections=1)
    assert 0.001 <= min(found.latencies) <= max(found.latencies)
    assert found.seconds >= 0.2
    assert found.requests_per_second == found.requests / found.seconds
    assert sum(found.latencies) <= found.seconds


def test_warming_up_does_not_count() -> None:
    """The server was sent more requests than are told; both phases use the same connections."""
    with answering(CREATED) as server:
        found = loaded(server.url, seconds=0.3, warm_up=0.1)
    assert 0 < found.requests < len(server.received)
    assert found.seconds >= 0.3
    assert server.connections == 2


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(tuple(CREATED[at : at + 1] for at in range(len(CREATED))), id="byte by byte"),
        pytest.param((CREATED[:-2], CREATED[-2:]), id="head and body"),
        pytest.param((b"HTTP/1.1 201 Created\r\ncontent-LENGTH:2\r\nX: Content-Length: 9\r\n\r\n{}",), id="other case"),
        pytest.param((b"HTTP/1.0 201\r\nContent-Length: 0\r\n\r\n",), id="no reason and no body"),
    ],
)
def test_an_answer_is_read_however_it_comes(parts: tuple[bytes, ...]) -> None:
    """It is counted once, when the whole of it is there."""
    with answering(*parts) as server:
        found = loaded(server.url)
    assert found.requests == found.statuses[201] == len(server.received) > 2
    assert found.errors == {}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(b"SMTP ready\r\n\r\n", "malformed", id="no HTTP"),
        pytest.param(b"HTTP/1.1 2O1 Created\r\nContent-Length: 0\r\n\r\n", "malformed", id="no status"),
        pytest.param(
            b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", "malformed", id="two lengths"
        ),
        pytest.param(b"HTTP/1.1 2011 Created\r\nContent-Length: 0\r\n\r\n", "malformed", id="four digits"),
        pytest.param(CREATED + b"more", "malformed", id="longer than it says"),
        pytest.param(b"x" * 2_000_000, "malformed", id="without end"),
        pytest.param(b"HTTP/1.1 201 Created\r\n\r\n{}", "no Content-Length", id="no length"),
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Length: two\r\n\r\n{}", "no Content-Length", id="no number"),
        pytest.param(CREATED[:-1], "silent", id="shorter than it says"),
        pytest.param(CREATED[:30], "silent", id="half a head"),
        pytest.param(b"", "silent", id="silent"),
    ],
)
def test_what_is_no_answer_is_an_error(answer: bytes, kind: str) -> None:
    """It is counted by its kind, another connection is opened, and the end is in time."""
    began = time.monotonic()
    with answering(answer) as server:
        found = loaded(server.url, seconds=0.5)
    assert time.monotonic() - began < 5
    assert found.errors.keys() == {kind}
    assert found.errors[kind] >= 4
    assert found.seconds >= 0.5
    assert found.errors[kind] == len(server.received) <= server.connections
    assert (found.requests, found.requests_per_second, found.percentiles_ms(50)) == (0, 0, [None])


def test_a_connection_that_is_cut_is_an_error() -> None:
    """A server that hangs up without a word has every request counted as an error, and answers none."""
    with answering(hangs_up=True) as server:
        found = loaded(server.url)
    assert found.errors.keys() == {"closed"}
    assert found.errors["closed"] == len(server.received) > 2
    assert found.requests == 0


def test_a_connection_that_ends_as_announced_is_opened_again() -> None:
    """An answer with `Connection: close` is no error, and each is followed by another connection."""
    with answering(created("Connection: close"), hangs_up=True) as server:
        found = loaded(server.url)
    assert found.requests == len(server.received) > 2
    assert found.errors == {}
    assert server.connections >= found.requests


def test_a_service_that_is_away_is_an_error() -> None:
    """Nothing listens: each attempt to connect is counted, with a pause between them."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    found = loaded(f"http://127.0.0.1:{port}")
    assert found.errors.keys() == {"not connected: ConnectionRefusedError"}
    assert 2 < found.errors.total() <= 2 * 5
    assert found.requests == 0


def test_other_statuses_are_counted_and_the_first_is_kept() -> None:
    """A refusal is an answer, of its own status, and its body says why."""
    with answering(b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\n"no"') as server:
        found = loaded(server.url)
    assert found.statuses == {401: len(server.received)}
    assert (found.refusals, found.errors) == ({401: b'"no"'}, {})


def test_the_service_says_where_the_time_goes() -> None:
    """The metrics of the Server-Timing headers of every answer are summed."""
    with answering(created("server-timing: parse;dur=0.5, commit;dur=2")) as server:
        found = loaded(server.url)
    assert found.timed == found.requests == len(server.received)
    assert found.timings == pytest.approx({"parse": 0.5 * found.timed, "commit": 2 * found.timed})
