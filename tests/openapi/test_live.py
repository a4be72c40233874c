"""An application is replaced while it serves."""

import asyncio
import json
from typing import Any

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from openapi.access_log import AccessLog
from openapi.app import build
from openapi.contract import Contract, published
from openapi.endpoint import Surroundings
from openapi.live import Live
from tests.conftest import EVENT, PATH

KEY = {"Authorization": "Bearer irk_key"}


def of_version(version: str, base_path: str) -> Contract:
    """The first contract as `version`, served at `base_path`."""
    document = next(published()).copy()
    document["info"]["version"] = version
    document["servers"] = [{"url": base_path}]
    return Contract.read(json.dumps(document))


async def unexpected(*_messages: Any) -> Any:
    """The end of a connection on which nothing is received or sent."""
    raise AssertionError("nothing is received or sent")


def client(live: Live) -> httpx.AsyncClient:
    """A client of the service that `live` is a part of."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(AccessLog(live)), base_url="http://127.0.0.1", headers=KEY)


def test_a_request_under_way_stays_with_its_application() -> None:
    """A request that began before a replacement is finished by the old contract, the next one meets the new."""

    async def replaced() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def wait_and_refuse(_key: str, _resources: Any) -> None:
            begun.set()
            await may_end.wait()

        live = Live()
        live.application = build(of_version("1.0", "/api/v1"), Surroundings(wait_and_refuse))
        async with client(live) as sender:
            under_way = asyncio.create_task(sender.post(PATH, json=EVENT))
            await begun.wait()
            live.application = build(of_version("2.0", "/api/v2"), Surroundings(wait_and_refuse))
            gone = await sender.post(PATH, json=EVENT)
            assert not under_way.done()
            may_end.set()
            return await under_way, gone, await sender.post(PATH.replace("v1", "v2"), json=EVENT)

    under_way, gone, new = asyncio.run(replaced())
    assert (under_way.status_code, gone.status_code, new.status_code) == (401, 404, 401)


def test_no_request_is_lost_while_applications_are_replaced() -> None:
    """Each of many requests is answered, by the application that was there when it began."""

    async def answered() -> list[tuple[int, int]]:
        live = Live()
        found = []

        def numbered(number: int) -> ASGIApp:
            async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
                await asyncio.sleep(0.001)
                await send({"type": "http.response.start", "status": 200 + number})

            return app

        async def ask(number: int) -> None:
            async def send(message: Message) -> None:
                found.append((200 + number, message["status"]))

            await live({"type": "http"}, unexpected, send)

        requests = []
        for number in range(20):
            live.application = numbered(number)
            requests += [asyncio.create_task(ask(number)) for _ in range(3)]
            await asyncio.sleep(0)  # each of the three begins
        await asyncio.gather(*requests)
        return found

    found = asyncio.run(answered())
    assert len(found) == 60
    assert all(expected == status for expected, status in found)


def test_everything_of_a_request_is_passed_on() -> None:
    """The application is given the scope, and both ends of the connection, as they are."""
    passed: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        passed.extend((scope, receive, send))

    live = Live()
    live.application = app
    scope = {"type": "lifespan"}
    asyncio.run(live(scope, unexpected, unexpected))
    assert passed[0] is scope
    assert passed[1:] == [unexpected, unexpected]
