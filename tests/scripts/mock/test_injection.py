"""Faults as a client sees them, byte by byte."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from scripts.mock.control import FAULTS
from scripts.mock.faults import Faults
from scripts.mock.injection import Injection
from tests import promises
from tests.examples import MAJOR, PATH
from tests.service import CONTRACTS, Service
from tests.waiting import wait_until
from tests.wire import Wire, event, stored

MARK = "faulty"


def order(mock: Service, *faults: dict[str, Any]) -> None:
    """Order `faults`."""
    assert httpx.post(mock.url + FAULTS, json=faults).status_code == 200


def posted(wire: Wire) -> Wire:
    """`wire`, on which an event was sent."""
    wire.send(wire.post(event(MARK)))
    return wire


@pytest.fixture
def wire(mock: Service) -> Iterator[Wire]:
    """A connection to the mock."""
    with Wire(mock) as opened:
        yield opened


def test_a_status_is_answered_in_the_style_of_version_1(mock: Service, wire: Wire) -> None:
    """With the fields that the contract promises; nothing is stored, and the next request is served."""
    order(mock, {"kind": "status", "status": 503})
    answer = posted(wire).answer()  # checks it against the contract
    assert (answer.status_code, answer.headers["retry-after"], stored(mock, MARK)) == (503, "1", 0)
    assert posted(wire).answer().status_code == 201


@pytest.mark.parametrize(("status", "code"), [(429, "too_many_requests"), (500, "internal_error")])
def test_a_status_is_answered_in_the_style_of_version_2(mock: Service, status: int, code: str) -> None:
    """As problem details, with the type of the service's own problem of that status."""
    order(mock, {"kind": "status", "status": status})
    answer = httpx.post(mock.url + PATH.replace("v1", "v2"), json={})
    promises.check(answer, CONTRACTS[MAJOR])
    assert (answer.status_code, answer.json()["type"]) == (status, f"{mock.url}/problems/{code}")


@pytest.mark.parametrize("text", ["7", "Wed, 21 Oct 2037 07:28:00 GMT", None])
def test_a_test_chooses_retry_after(mock: Service, text: str | None) -> None:
    """Any text, or null for none."""
    order(mock, {"kind": "status", "status": 503, "retry_after": text})
    assert httpx.post(mock.url + PATH).headers.get("retry-after") == text


def test_a_page_of_a_proxy_is_html(mock: Service, wire: Wire) -> None:
    """It has nothing of the service, and ends the connection."""
    order(mock, {"kind": "html", "status": 502})
    head, _, page = posted(wire).rest().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
    assert b"content-type: text/html" in head
    assert b"x-request-id" not in head
    assert page.startswith(b"<html>")
    assert stored(mock, MARK) == 0


def test_a_delay_comes_before_the_service(mock: Service, wire: Wire) -> None:
    """The service receives the event only afterwards, and answers as usual."""
    order(mock, {"kind": "delay", "seconds": 0.3})
    sent_at = datetime.now(UTC)
    assert posted(wire).answer().status_code == 201
    (row,) = mock.events("view_context_ref = %s", MARK)
    assert row["received_at"] - sent_at >= timedelta(seconds=0.3)


def test_a_delay_outlasts_its_client(mock: Service) -> None:
    """A request is also handled if its client has given up: the client must not take that for a failure."""
    order(mock, {"kind": "delay", "seconds": 0.3})
    with Wire(mock) as leaving:
        posted(leaving).hang_up(reset=False)
    wait_until(lambda: stored(mock, MARK) == 1)


def test_a_cut_before_stores_nothing(mock: Service, wire: Wire) -> None:
    """The connection is reset without a byte."""
    order(mock, {"kind": "cut_before"})
    with pytest.raises(ConnectionResetError):
        posted(wire).rest()
    assert stored(mock, MARK) == 0


def test_a_cut_before_does_not_wait_for_the_body(mock: Service, wire: Wire) -> None:
    """A client may still be sending it."""
    order(mock, {"kind": "cut_before"})
    wire.send(wire.head("Content-Length: 100"))
    with pytest.raises(ConnectionResetError):
        wire.rest()


def test_a_cut_after_stores_the_event(mock: Service, wire: Wire) -> None:
    """The connection is reset without a byte of the answer; the event is stored by then."""
    order(mock, {"kind": "cut_after"})
    with pytest.raises(ConnectionResetError):
        posted(wire).rest()
    assert stored(mock, MARK) == 1


def test_a_client_that_repeats_after_a_cut_makes_a_duplicate(mock: Service) -> None:
    """Unless its event has an id of its own: then the repeat is the same event."""
    body = event(MARK, client_event_id="one")
    order(mock, {"kind": "cut_after"})
    with Wire(mock) as first:
        first.send(first.post(body))
        with pytest.raises(ConnectionResetError):
            first.rest()
    with Wire(mock) as second:
        second.send(second.post(body))
        answer = second.answer()
    assert [str(row["id"]) for row in mock.events("view_context_ref = %s", MARK)] == [answer.json()["id"]]


def test_half_an_answer_ends_early(mock: Service, wire: Wire) -> None:
    """Head and half of the body that the head announces, then the end of the connection; the event is stored."""
    order(mock, {"kind": "half"})
    head, _, body = posted(wire).rest().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 201 ")
    assert len(body) == size_of(head) // 2
    assert stored(mock, MARK) == 1


def test_half_a_stream_has_no_last_chunk(mock: Service) -> None:
    """An answer without a length breaks off, too."""
    lines = b'{"x": 1}\n' * 3
    order(mock, {"kind": "half"})
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        httpx.post(
            f"{mock.url}{PATH}/batch",
            content=lines,
            headers={**mock.authorization, "Content-Type": "application/x-ndjson"},
        )


def test_half_of_no_answer_is_none() -> None:
    """The service answers nothing to a client that leaves while it sends its body; neither does the mock."""
    faults, sent = Faults(), []
    faults.add([{"kind": "half", "times": 1}])

    async def without_answer(_scope: Scope, _receive: Receive, _send: Send) -> None:
        pass

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(Injection(without_answer, faults)({"type": "http", "method": "POST", "path": PATH}, receive, send))
    assert (sent, faults.left) == ([], [])


def test_a_slow_answer_comes_whole(mock: Service, wire: Wire) -> None:
    """It takes as long as its bytes do, but for the first and the last tenth of a second's."""
    order(mock, {"kind": "slow", "bytes_per_second": 300})
    sent_at = time.monotonic()
    answer = posted(wire).answer()  # all of it, as the contract has it
    assert answer.status_code == 201
    assert time.monotonic() - sent_at >= len(answer.content) / 300 - 0.2


def test_one_byte_a_second_is_the_speed_without_another(mock: Service, wire: Wire) -> None:
    """When the head has come, most of the body has not; the client may give up."""
    order(mock, {"kind": "slow"})
    posted(wire)
    received = b""
    while b"\r\n\r\n" not in received:
        received += wire._socket.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    assert len(body) < size_of(head) // 2


def size_of(head: bytes) -> int:
    """The Content-Length of a response."""
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
