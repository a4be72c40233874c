"""The load, on small servers with right and wrong responses: it counts each outcome, and no server makes it hang."""

import socket
import time

import pytest

from scripts.trials.load import Load, Shape, measured
from scripts.trials.measurement import Measurement
from tests.answering import CREATED, answering, created

SHAPE = Shape("/path", b'{"a": 1}', {"Authorization": "Bearer secret"})


def run_load(
    url: str, connections: int = 2, seconds: float = 0.2, warm_up: float = 0, timeout: float = 0.2
) -> Measurement:
    """The measurement of a short load on `url`; a request without an answer fails after `timeout`, in seconds."""
    return measured(Load(url, SHAPE, timeout), connections, seconds, warm_up)


def test_a_shape_is_one_request() -> None:
    """It has the request line, the fields and the body; the repr of a shape does not show the key."""
    head, body = SHAPE.request("host:1").split(b"\r\n\r\n")
    assert head.split(b"\r\n")[0] == b"POST /path HTTP/1.1"
    assert set(head.split(b"\r\n")[1:]) == {b"Host: host:1", b"Content-Length: 8", b"Authorization: Bearer secret"}
    assert body == b'{"a": 1}'
    assert "secret" not in repr(SHAPE)


def test_every_answer_is_counted_once() -> None:
    """It counts one complete answer for each request that the server received.

    The requests come over the requested number of connections.
    """
    with answering(CREATED) as server:
        measurement = run_load(server.url, connections=3)
    assert measurement.requests == measurement.statuses[201] == len(server.received) > 3
    assert set(server.received) == {SHAPE.request(server.url.removeprefix("http://"))}
    assert (measurement.errors, measurement.refusals, server.connections) == ({}, {}, 3)


def test_latencies_and_rates_are_those_of_the_answers() -> None:
    """Each latency is at least the server's pause, and the rate is the number of answers over their time."""
    with answering(CREATED[:20], CREATED[20:]) as server:
        measurement = run_load(server.url, connections=1)
    assert 0.001 <= min(measurement.latencies) <= max(measurement.latencies)
    assert measurement.seconds >= 0.2
    assert measurement.requests_per_second == measurement.requests / measurement.seconds
    assert sum(measurement.latencies) <= measurement.seconds


def test_the_warm_up_does_not_count() -> None:
    """The server received more requests than the measurement has; both phases use the same connections."""
    with answering(CREATED) as server:
        measurement = run_load(server.url, seconds=0.3, warm_up=0.1)
    assert 0 < measurement.requests < len(server.received)
    assert measurement.seconds >= 0.3
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
def test_an_answer_is_read_in_any_parts(parts: tuple[bytes, ...]) -> None:
    """It is counted once, when it is complete."""
    with answering(*parts) as server:
        measurement = run_load(server.url)
    assert measurement.requests == measurement.statuses[201] == len(server.received) > 2
    assert measurement.errors == {}


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
def test_a_malformed_or_missing_answer_is_an_error(answer: bytes, kind: str) -> None:
    """It is counted by its kind, another connection is opened, and the load ends in time."""
    began = time.monotonic()
    with answering(answer) as server:
        measurement = run_load(server.url, seconds=0.5)
    assert time.monotonic() - began < 5
    assert measurement.errors.keys() == {kind}
    assert measurement.errors[kind] >= 4
    assert measurement.seconds >= 0.5
    assert measurement.errors[kind] == len(server.received) <= server.connections
    assert (measurement.requests, measurement.requests_per_second, measurement.percentiles_ms(50)) == (0, 0, [None])


def test_a_connection_that_is_cut_is_an_error() -> None:
    """Every request to a server that hangs up counts as an error, and none as an answer."""
    with answering(hangs_up=True) as server:
        measurement = run_load(server.url)
    assert measurement.errors.keys() == {"closed"}
    assert measurement.errors["closed"] == len(server.received) > 2
    assert measurement.requests == 0


def test_an_announced_close_is_no_error() -> None:
    """After each answer with `Connection: close` the load opens another connection."""
    with answering(created("Connection: close"), hangs_up=True) as server:
        measurement = run_load(server.url, timeout=60)
    assert measurement.requests == len(server.received) > 2
    assert measurement.errors == {}
    assert server.connections >= measurement.requests


def test_an_unreachable_service_is_an_error() -> None:
    """No server listens: each attempt to connect counts, with a pause between attempts."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    measurement = run_load(f"http://127.0.0.1:{port}")
    assert measurement.errors.keys() == {"not connected: ConnectionRefusedError"}
    assert 2 < measurement.errors.total() <= 2 * 5
    assert measurement.requests == 0


def test_a_refusal_is_counted_and_its_first_body_kept() -> None:
    """A refusal is an answer with its own status; its body has the reason."""
    with answering(b'HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\n"no"') as server:
        measurement = run_load(server.url)
    assert measurement.statuses == {401: len(server.received)}
    assert (measurement.refusals, measurement.errors) == ({401: b'"no"'}, {})


def test_the_load_sums_the_server_timing() -> None:
    """The sums cover the metrics in the Server-Timing header of every answer."""
    with answering(created("server-timing: parse;dur=0.5, commit;dur=2")) as server:
        measurement = run_load(server.url)
    assert measurement.timed == measurement.requests == len(server.received)
    assert measurement.timings == pytest.approx({"parse": 0.5 * measurement.timed, "commit": 2 * measurement.timed})
