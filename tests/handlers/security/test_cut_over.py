"""Cut-over: the 403 names the next path, and requests are counted by version."""

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from db import hubs, version_usage
from db.registry import Caller
from handlers.paths import LISTED_VERSION
from handlers.security.cut_over import CutOver
from openapi.problems import Problem
from tests.examples import EVENT, PATH
from tests.handlers.conftest import BASE, Hub
from tests.service import CONTRACTS, Service
from tests.tokens import bearer, client_of
from tests.waiting import wait_until

V2 = "/api/v2/interaction-events"
ROWS = "SELECT major, sum(count)::integer FROM hub_requests WHERE hub_id = %s GROUP BY major"


def cut_over(hub: Hub) -> None:
    """Cut `hub` over, and wait until its key is refused."""
    change(hub, partial(hubs.cut_over, why=None))
    wait_until(lambda: hub.get("/usage").status_code == 403)


def change(hub: Hub, changed: Any) -> None:
    """Change the row of `hub`."""
    with hub.service.database.begin() as connection:
        changed(connection, name=hub.name)


def token(hub: Hub) -> dict[str, str]:
    """The header with an access token of a new client of `hub`."""
    return bearer(client_of(hub.service, hub.name).token())


def key_of(hub: Hub) -> dict[str, str]:
    """The header with the key of `hub`."""
    return {"Authorization": hub.client.headers["Authorization"]}


def counted(hub: Hub) -> dict[int, int]:
    """The number of counted requests of `hub`, by major version."""
    with psycopg.connect(hub.service.database_url) as connection:
        return dict(connection.execute(ROWS, [hub.id]).fetchall())


def test_a_hub_that_is_cut_over_gets_403_with_its_new_path(hub: Hub) -> None:
    """Every operation of version 1 returns its 403; access tokens of the hub are still accepted."""
    authorization = token(hub)
    cut_over(hub)
    for answer in (hub.event(), hub.batch([EVENT]), hub.get("/interaction-events"), hub.manifest()):
        assert answer.status_code == 403
        assert answer.json().keys() == {"error", "help"}
        assert answer.json()["error"] == "this hub has moved to access tokens: its API key is refused"
        assert "Send requests to /api/v2 with an access token" in answer.json()["help"]
        assert f"{hub.service.url}/.well-known/oauth-authorization-server" in answer.json()["help"]
        assert "www-authenticate" not in answer.headers
    assert httpx.post(hub.service.url + V2, json=EVENT, headers=authorization).status_code == 201
    change(hub, hubs.restore_key)
    wait_until(lambda: hub.get("/usage").status_code == 200)
    assert hub.event().status_code == 201


def test_a_refused_request_is_not_kept_or_counted_as_submitted(hub: Hub) -> None:
    """Neither the event nor its rejection; the request itself is counted."""
    cut_over(hub)
    wait_until(lambda: counted(hub) != {})
    count = counted(hub)[1]
    assert [hub.event().status_code, hub.batch([EVENT, {}]).status_code] == [403, 403]
    assert hub.lines(json.dumps(EVENT)).status_code == 403
    wait_until(lambda: counted(hub)[1] >= count + 3)
    assert set(hub.counts().values()) == {0}
    change(hub, hubs.restore_key)
    wait_until(lambda: hub.get("/usage").status_code == 200)
    assert hub.usage()["received"] == 0


def test_a_late_body_is_refused_if_its_hub_was_cut_over(hub: Hub) -> None:
    """The hub is checked again when the body has arrived: no event is stored or counted, but one request is counted."""
    content = json.dumps(EVENT).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {key_of(hub)['Authorization']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", hub.service.port), timeout=10) as sender:
        sender.sendall(head.encode() + content[:1])
        wait_until(lambda: counted(hub) == {1: 1})
        change(hub, partial(hubs.cut_over, why=None))
        wait_until(lambda: hub.get("/usage").status_code == 403)
        sender.sendall(content[1:])
        assert sender.makefile("rb").readline().startswith(b"HTTP/1.1 403 ")
    assert set(hub.counts().values()) == {0}
    change(hub, hubs.restore_key)
    wait_until(lambda: hub.get("/usage").status_code == 200)
    assert hub.usage()["received"] == 0


def test_each_authenticated_request_is_counted_once(hub: Hub) -> None:
    """By its major version, whatever its outcome; requests without valid credentials are not counted."""
    authorization = token(hub)
    assert [hub.event().status_code, hub.post("/interaction-events", {}).status_code] == [201, 422]
    assert hub.get(f"/interaction-events/{EVENT['widget_id']}").status_code == 404
    for headers in (authorization, authorization, {}, {"Authorization": "Bearer x"}):
        httpx.post(hub.service.url + V2, json=EVENT, headers=headers)
    assert httpx.post(hub.service.url + PATH, json=EVENT, headers=authorization).status_code == 401
    wait_until(lambda: counted(hub) == {1: 3, 2: 2})
    with hub.service.database.begin() as connection:
        assert {major for hub_id, major in version_usage.last_seen(connection) if hub_id == hub.id} == {1, 2}


def test_a_cut_over_under_load_does_not_affect_other_hubs(newest: Service, new_hub: Any) -> None:
    """Every request of other hubs succeeds; each response to the hub is a 201 or a 403."""
    moving, *others = [new_hub(newest) for _ in range(3)]
    ended = time.monotonic() + 60

    def report(authorization: dict[str, str], path: str = PATH) -> Counter[int]:
        answers: Counter[int] = Counter()
        with httpx.Client(base_url=newest.url, headers=authorization) as client:
            while time.monotonic() < ended:
                answers[client.post(path, json=EVENT).status_code] += 1
        return answers

    with ThreadPoolExecutor(4) as threads:
        stayed = [threads.submit(report, key_of(hub)) for hub in others]
        on_v2 = threads.submit(report, token(moving), V2)
        moved = threads.submit(report, key_of(moving))
        for _ in range(3):
            cut_over(moving)
            change(moving, hubs.restore_key)
            wait_until(lambda: moving.get("/usage").status_code == 200)
        ended = time.monotonic()
    assert [future.result().keys() for future in (*stayed, on_v2)] == [{201}, {201}, {201}]
    assert moved.result().keys() == {201, 403}
    assert len(moving.rows()) == moved.result()[201] + on_v2.result()[201]


@pytest.mark.parametrize("version", ["1.1"])
def test_a_deprecated_version_names_its_successor(start_service: Any, version: str) -> None:
    """Its responses link to the path of version 2, which is also served."""
    with start_service() as service, service.client() as client:
        change_contract = "UPDATE interaction_reporting_contracts SET status = 'deprecated', sunset_at = '2999-01-01'"
        with psycopg.connect(service.database_url, autocommit=True) as connection:
            connection.execute(f"{change_contract} WHERE contract_version = '{version}'".encode())
        wait_until(lambda: "sunset" in client.get(f"{BASE}/usage").headers)
        answer = client.get(f"{BASE}/usage")
    assert answer.headers["link"] == '</api/v2>; rel="successor-version"'
    assert answer.headers["deprecation"].startswith("@")


def test_without_a_version_for_access_tokens_the_list_of_versions_is_named() -> None:
    """The key is refused all the same, because the operator cut the hub over."""
    window = CutOver("https://host/metadata")
    caller = Caller(UUID(int=1), "hub", is_cut_over=True)
    for served, successor in (([CONTRACTS["1.1"], CONTRACTS["2.0"]], "/api/v2"), ([CONTRACTS["1.1"]], LISTED_VERSION)):
        window.served(served)
        with pytest.raises(Problem) as raised:
            window.check_key(caller)
        assert str(raised.value.help).startswith(f"Send requests to {successor} with an access token")
    window.check_key(replace(caller, is_cut_over=False))
