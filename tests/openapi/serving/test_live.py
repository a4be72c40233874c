"""Applications run side by side, and can be replaced while they serve."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.operations import OPERATIONS
from openapi.contract import Contract, published
from openapi.serving.access_log import AccessLog
from openapi.serving.app import build
from openapi.serving.endpoint import Dependencies
from openapi.serving.live import Live, Part, gone
from openapi.serving.request_state import REQUEST, RequestState
from tests.examples import EVENT, PATH

KEY = {"Authorization": "Bearer irk_key"}


def of_version(version: str, base_path: str) -> Contract:
    """The first contract as `version`, served at `base_path`."""
    document = published()[0].copy()
    document["info"]["version"] = version
    document["servers"] = [{"url": base_path}]
    return Contract.read(json.dumps(document))


async def unexpected(*_messages: Any) -> Any:
    """Fail if anything is received or sent."""
    raise AssertionError("nothing is received or sent")


def client(live: Live) -> httpx.AsyncClient:
    """A client of a service with `live`."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(AccessLog(live)), base_url="http://127.0.0.1", headers=KEY)


def test_a_pending_request_stays_with_its_application() -> None:
    """The old contract finishes a request that began before the replacement; the new one serves the next."""

    async def responses() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        started, may_end = asyncio.Event(), asyncio.Event()

        async def wait_and_refuse(_key: str, _resources: Any) -> None:
            started.set()
            await may_end.wait()

        live = Live()
        live.serve([Part("/api/v1", build(of_version("1.0", "/api/v1"), Dependencies(OPERATIONS, wait_and_refuse)))])
        async with client(live) as sender:
            pending = asyncio.create_task(sender.post(PATH, json=EVENT))
            await started.wait()
            live.serve(
                [Part("/api/v2", build(of_version("2.0", "/api/v2"), Dependencies(OPERATIONS, wait_and_refuse)))]
            )
            gone = await sender.post(PATH, json=EVENT)
            assert not pending.done()
            may_end.set()
            return await pending, gone, await sender.post(PATH.replace("v1", "v2"), json=EVENT)

    pending, gone, new = asyncio.run(responses())
    assert (pending.status_code, gone.status_code, new.status_code) == (401, 404, 401)


def test_no_request_is_lost_while_applications_are_replaced() -> None:
    """The application that was there when a request began answers it."""

    async def serve() -> list[tuple[int, int]]:
        live = Live()
        statuses = []

        def numbered(number: int) -> ASGIApp:
            async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
                await asyncio.sleep(0.001)
                await send({"type": "http.response.start", "status": 200 + number})

            return app

        async def ask(number: int) -> None:
            async def send(message: Message) -> None:
                statuses.append((200 + number, message["status"]))

            await live({"type": "http", "path": "/api/v1/", "state": {REQUEST: RequestState()}}, unexpected, send)

        requests = []
        for number in range(20):
            live.serve([Part("/api/v1", numbered(number))])
            requests += [asyncio.create_task(ask(number)) for _ in range(3)]
            await asyncio.sleep(0)  # each of the three begins
        await asyncio.gather(*requests)
        return statuses

    statuses = asyncio.run(serve())
    assert len(statuses) == 60
    assert all(expected == status for expected, status in statuses)


def named(name: str, names: list[str]) -> ASGIApp:
    """An application that records its `name` at each request."""

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        names.append(name)

    return app


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/interaction-events", "v1"),
        ("/api/v1/", "v1"),
        ("/api/v1", "v1"),
        ("/api/v10/usage", "v10"),
        ("/api/v1/v2/usage", "nested"),
        ("/api/v1/v2", "nested"),
        ("/elsewhere", "root"),
        ("/", "root"),
    ],
)
def test_the_part_with_the_longest_base_path_serves_a_path(path: str, name: str) -> None:
    """Base paths match whole segments, and a nested part serves its own paths."""
    names: list[str] = []
    live = Live()
    paths = {"": "root", "/api/v1": "v1", "/api/v10": "v10", "/api/v1/v2": "nested"}
    live.serve(Part(path, named(name, names)) for path, name in paths.items())
    asyncio.run(live({"type": "http", "path": path, "state": {REQUEST: RequestState()}}, unexpected, unexpected))
    assert names == [name]


def test_a_path_of_no_part_is_not_found() -> None:
    """404 in the shape of every other refusal, also before any part is served."""

    async def responses() -> list[httpx.Response]:
        live = Live()
        async with client(live) as sender:
            first = await sender.get("/api/v1")
            live.serve([Part("/api/v1", named("v1", []))])
            return [first, *[await sender.get(path) for path in ("/api/v2", "/api/v", "/")]]

    for response in asyncio.run(responses()):
        assert response.status_code == 404
        assert response.json().keys() == {"error", "help"}


def test_a_path_of_no_part_is_compared_with_those_of_all() -> None:
    """And with the paths beside them."""

    async def helps() -> list[str]:
        live = Live(["/contracts"])
        parts = [Part(path, named(path, []), paths=[f"{path}/things"]) for path in ("/api/v1", "/api/v2")]
        async with client(live) as sender:
            before = await sender.get("/v1/things")
            live.serve(parts)
            after = [await sender.get(path) for path in ("/v1/things", "//api/v2/things", "/contracts/")]
        return [response.json()["help"].partition("?")[0] for response in (before, *after)]

    before, *after = asyncio.run(helps())
    assert before.startswith("Check the path")
    assert after == [f"Did you mean {path}" for path in ("/api/v1/things", "/api/v2/things", "/contracts")]


def test_each_response_of_a_part_has_its_announcement() -> None:
    """Responses of its handlers, of its router, and to faults; but not responses of other parts."""

    async def accept(_key: str, _resources: Any) -> None:
        raise ZeroDivisionError

    announced = [(b"deprecation", b"@0"), (b"link", b"</api/v2>")]
    contract = of_version("1.0", "/api/v1")

    async def responses() -> list[httpx.Response]:
        live = Live()
        live.serve(
            [
                Part("/api/v1", build(contract, Dependencies(OPERATIONS, accept)), announced),
                Part("/api/v2", build(of_version("2.0", "/api/v2"), Dependencies(OPERATIONS, accept))),
            ]
        )
        async with client(live) as sender:
            posted = [await sender.post(path, json=EVENT) for path in (PATH, f"{PATH}/x", "/api/v1", "/api/v2/x")]
            return [*posted, await sender.get(PATH), await sender.post(PATH, headers={"Authorization": ""})]

    *announcing, other, wrong_method, unauthorized = asyncio.run(responses())
    for response in (*announcing, wrong_method, unauthorized):
        assert (response.headers["deprecation"], response.headers["link"]) == ("@0", "</api/v2>")
    assert [response.status_code for response in (*announcing, wrong_method, unauthorized)] == [500, 404, 404, 405, 401]
    assert "deprecation" not in other.headers


def test_a_retired_version_is_gone() -> None:
    """410 for every request, with the successor in the help and as a link."""

    async def responses() -> list[httpx.Response]:
        live = Live()
        live.serve([Part("/api/v1", gone("1", "/api/v2", [(b"link", b"</api/v2>")]))])
        async with client(live) as sender:
            return [await sender.request(method, path) for method, path in (("POST", PATH), ("GET", "/api/v1"))]

    for response in asyncio.run(responses()):
        assert (response.status_code, response.headers["link"]) == (410, "</api/v2>")
        assert response.json() == {"error": "version 1 of this API is retired", "help": "Use /api/v2 instead."}


def test_a_request_is_passed_on_unchanged() -> None:
    """The application receives the same scope, receive and send."""
    passed: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.extend((scope, receive, send))

    live = Live()
    live.serve([Part("/api/v1", app)])
    scope = {"type": "http", "path": "/api/v1/usage", "state": {REQUEST: RequestState()}}
    asyncio.run(live(scope, unexpected, unexpected))
    assert passed[0] is scope
    assert passed[1:] == [unexpected, unexpected]
