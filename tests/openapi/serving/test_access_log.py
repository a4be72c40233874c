"""One X-Request-Id and one log line for every request, and a response to every unexpected fault."""

import asyncio
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.hubs import Hub
from handlers.operations import OPERATIONS
from openapi.contract import published
from openapi.serving.access_log import AccessLog, request_id
from openapi.serving.app import build
from openapi.serving.endpoint import Dependencies
from openapi.serving.request_state import RequestState, request_state
from tests import promises
from tests.examples import EVENT, PATH

CONTRACT = published()[0]
HUB = Hub(UUID(int=1), "hub", datetime(2026, 3, 31, tzinfo=UTC), None, None, None)
LOGGER = "openapi.serving.access_log"
KEY = {"Authorization": "Bearer irk_key"}


async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer 204 as an application that knows its caller."""
    request_state(scope).caller = HUB
    await send({"type": "http.response.start", "status": 204, "headers": [(b"x-own", b"1")]})
    await send({"type": "http.response.body", "body": b""})


def ask(app: ASGIApp, headers: Any = None, method: str = "POST", url: str = PATH, **options: Any) -> httpx.Response:
    """The response of `app` within the access log."""

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(AccessLog(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, url, headers=headers, **options)

    return asyncio.run(request())


def test_every_response_has_what_is_announced() -> None:
    """Also one to an unexpected fault, and what was announced after the start."""

    async def fault(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ValueError

    async def request(app: ASGIApp) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.get("/")

    announced: list[tuple[bytes, bytes]] = []
    apps = [AccessLog(app, announced=announced) for app in (answer, fault)]
    announced.append((b"data-epoch", b"3"))
    assert [asyncio.run(request(app)).headers["data-epoch"] for app in apps] == ["3", "3"]


def logged(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The records of the access log, with their extra fields."""
    return [vars(record) for record in caplog.records if record.name == LOGGER]


@pytest.fixture(autouse=True)
def from_info_on(caplog: pytest.LogCaptureFixture) -> None:
    """Set the log level to info, the level of requests."""
    caplog.set_level(logging.INFO, LOGGER)


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param("a", id="one character"),
        pytest.param("azAZ09._-", id="each kind of character"),
        pytest.param("x" * 128, id="the longest"),
    ],
)
def test_the_request_id_of_a_client_is_used(identifier: str, caplog: pytest.LogCaptureFixture) -> None:
    """A well-formed X-Request-Id stands once in the response, and in the log."""
    response = ask(answer, {"X-Request-Id": identifier})
    assert response.headers.get_list("x-request-id") == [identifier]
    assert response.headers["x-own"] == "1"
    assert [line["request_id"] for line in logged(caplog)] == [identifier]


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([("X-Request-Id", "")], id="empty"),
        pytest.param([("X-Request-Id", "x" * 129)], id="too long"),
        pytest.param([("X-Request-Id", "a b")], id="a space"),
        pytest.param([("X-Request-Id", "a/b")], id="a slash"),
        pytest.param([("X-Request-Id", "a\n")], id="a line break after it"),
        pytest.param([(b"X-Request-Id", "é".encode())], id="no ASCII"),
        pytest.param([("X-Request-Id", "a"), ("X-Request-Id", "a")], id="two"),
    ],
)
def test_any_other_request_id_is_replaced(headers: list[tuple[Any, Any]], caplog: pytest.LogCaptureFixture) -> None:
    """A request without a well-formed X-Request-Id, or with two, gets a new UUID version 7."""
    (identifier,) = ask(answer, headers).headers.get_list("x-request-id")
    assert UUID(identifier).version == 7
    assert str(UUID(identifier)) == identifier
    assert [line["request_id"] for line in logged(caplog)] == [identifier]


def test_each_request_has_an_id_of_its_own() -> None:
    """New identifiers differ, even at the same moment."""
    scope = {"type": "http", "headers": []}
    assert len({request_id(scope) for _ in range(1000)}) == 1000


def test_a_request_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The line has the hub, the request, the status of the response, and the duration."""
    ask(answer)
    (line,) = logged(caplog)
    assert line["levelname"] == "INFO"
    assert line["message"] == "request"
    assert (line["hub"], line["method"], line["path"], line["status"]) == (str(HUB.id), "POST", PATH, 204)
    assert 0 <= line["duration_ms"] < 10_000


def test_the_log_line_of_a_refusal_has_its_problem(caplog: pytest.LogCaptureFixture) -> None:
    """It also has the reason and the client's address, so that an operator can answer questions about it."""

    async def refuse(_key: str, _resources: Any) -> None:
        pass

    ask(build(CONTRACT, Dependencies(OPERATIONS, refuse)), {"Authorization": "Bearer irk_unknown"}, json=EVENT)
    ask(build(CONTRACT, Dependencies(OPERATIONS, refuse)), url="/nowhere")
    refused, lost = logged(caplog)
    assert (refused["problem"], refused["client"]) == ("unauthorized", "127.0.0.1")
    assert refused["reason"] == "the key is unknown or was replaced, or its hub is disabled"
    assert (lost["problem"], lost["reason"]) == ("not_found", None)


def test_neither_key_nor_body_nor_query_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """No line of any logger has a secret or any content of a request."""
    caplog.set_level(logging.DEBUG)

    async def accept(_key: str, _resources: Any) -> Hub:
        return HUB

    async def refuse(_key: str, _resources: Any) -> None:
        pass

    for authenticate in (accept, refuse):  # without resources the handler of the accepted request fails
        ask(
            build(CONTRACT, Dependencies(OPERATIONS, authenticate)),
            {"Authorization": "Bearer secret-key", "Cookie": "secret-cookie"},
            url=f"{PATH}?key=secret-query",
            json=EVENT | {"metadata": {"secret-name": "secret-value"}},
        )
    lines = logged(caplog)
    assert [record["status"] for record in lines if record["message"] == "request"] == [500, 401]
    records = [record for record in caplog.records if record.name not in ("httpx", "asyncio")]
    assert "secret" not in json.dumps([vars(record) for record in records], default=repr)
    assert "secret" not in "".join(record.exc_text or "" for record in records)


def test_a_long_path_is_cut_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The log line has the first 200 characters of the path."""
    ask(answer, url="/" + "x" * 300)
    assert [line["path"] for line in logged(caplog)] == ["/" + "x" * 199]


def test_an_unexpected_fault_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """500 in the shape of the contract, and its traceback in the log by the same X-Request-Id."""

    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("unforeseen")

    response = ask(fail, {"X-Request-Id": "mine"})
    assert response.status_code == 500
    assert response.headers["x-request-id"] == "mine"
    promises.check(response, CONTRACT)
    fault, request = logged(caplog)
    assert (fault["levelname"], fault["message"], fault["request_id"]) == ("ERROR", "unexpected fault", "mine")
    assert "unforeseen" in fault["exc_text"]
    assert (request["message"], request["status"], request["hub"]) == ("request", 500, None)


def run(app: ASGIApp) -> list[Message]:
    """The messages that `app` sends within the access log, while nothing is received."""
    sent = []

    async def receive() -> Message:
        raise AssertionError("nothing is received")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": PATH, "headers": []}
    asyncio.run(AccessLog(app)(scope, receive, send))
    return sent


def test_a_fault_after_the_start_of_the_response_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """No second response is sent within the first one."""

    async def fail_late(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 201, "headers": []})
        raise RuntimeError("unforeseen")

    assert [message["type"] for message in run(fail_late)] == ["http.response.start"]
    assert [(line["message"], line.get("status")) for line in logged(caplog)] == [
        ("unexpected fault", None),
        ("request", 201),
    ]


def test_a_disconnected_client_is_logged_as_such(caplog: pytest.LogCaptureFixture) -> None:
    """A disconnect gets no response and is not a fault."""

    async def disconnected(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ClientDisconnect

    assert run(disconnected) == []
    (line,) = logged(caplog)
    assert (line["levelname"], line["message"], line["status"]) == ("INFO", "client disconnected", None)


def test_a_request_that_the_server_cuts_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """At the end of a drain: 503, unless the response has begun."""

    async def endless(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise asyncio.CancelledError("the drain took too long")

    response = ask(endless)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["error"] == "the service stops before this request has ended"
    (line,) = logged(caplog)
    assert (line["request_id"], line["status"]) == (response.headers["x-request-id"], 503)
    assert (line["problem"], line["reason"]) == ("stopping", "the drain took too long")


@pytest.mark.parametrize(
    ("headers", "path", "operation", "method", "status"),
    [
        pytest.param(KEY, PATH, "reportInteractionEvent", "POST", 401, id="an operation"),
        pytest.param(KEY, PATH, None, "PUT", 405, id="another method"),
        pytest.param(KEY, "/nowhere", None, "POST", 404, id="another path"),
        pytest.param({}, PATH, "reportInteractionEvent", "POST", 401, id="no key"),
    ],
)
def test_the_counter_receives_each_request_that_ended(
    headers: dict[str, str], path: str, operation: str | None, method: str, status: int
) -> None:
    """Once, with its operation and the version of its contract, or None, and its duration in seconds."""
    calls: list[tuple[RequestState, str, float]] = []

    async def refuse(_key: str, _resources: Any) -> None:
        pass

    layer = AccessLog(build(CONTRACT, Dependencies(OPERATIONS, refuse)), lambda *arguments: calls.append(arguments))

    async def request() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(layer), base_url="http://127.0.0.1") as client:
            await client.request(method, path, headers=headers)

    asyncio.run(request())
    ((state, counted_method, seconds),) = calls
    assert (state.operation, counted_method, state.status) == (operation, method, status)
    assert state.version == (operation and CONTRACT.version)
    assert 0 < seconds < 10


def test_the_counter_receives_requests_without_a_response() -> None:
    """Status 0 after a disconnect, and 500 after a fault."""
    statuses = []

    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise next(faults)

    async def send(_message: Message) -> None:
        pass

    faults = iter([ClientDisconnect(), RuntimeError("unforeseen")])
    layer = AccessLog(fail, lambda state, _method, _seconds: statuses.append(state.status))
    for _ in range(2):
        unused: Callable[..., Any] = print
        asyncio.run(layer({"type": "http", "method": "POST", "path": PATH, "headers": []}, unused, send))
    assert statuses == [0, 500]


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_other_protocols_than_http_pass_through(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Without a log line or an identifier; their faults are for the server."""

    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("unforeseen")

    unused: Callable[..., Any] = print
    with pytest.raises(RuntimeError, match="unforeseen"):
        asyncio.run(AccessLog(fail)({"type": kind}, unused, unused))
    assert logged(caplog) == []
