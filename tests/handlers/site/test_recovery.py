"""What clients learn of a restore of the database: the epoch in each response, and what to send again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from psycopg import sql

from openapi.standards import date_times
from tests.contract_client import unused
from tests.examples import EVENT, PATH
from tests.handlers.lists.conftest import EVENTS
from tests.handlers.site.conftest import database_away
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until

LISTED = f"/api/v1{EVENTS}"
REWIND = (
    sql.SQL("DELETE FROM interaction_events WHERE position > (SELECT min(position) + 4 FROM interaction_events)"),
    sql.SQL("SELECT setval('positions', (SELECT max(position) FROM interaction_events))"),
    sql.SQL("UPDATE timelines SET system_identifier = system_identifier + 1"),
)
"""Leave what a restore from a dump of another server leaves that was taken after five events."""


def recovery_of(service: Service) -> dict[str, Any]:
    """What the service says of its recovery to any client."""
    recovery: dict[str, Any] = httpx.get(f"{service.url}/recovery", verify=unused()).json()
    return recovery


def restore(service: Service) -> dict[str, Any]:
    """Restore the database to five events; returns the recovery, once the service announces it."""
    before = recovery_of(service)["epoch"]
    statement(service.database_url, *REWIND)
    wait_until(lambda: recovery_of(service)["epoch"] > before)
    return recovery_of(service)


def test_a_fresh_database_was_never_restored(lonely_service: Service) -> None:
    """Epoch 1, without times; a client may keep what it has sent for a day."""
    with lonely_service.client() as client:
        assert client.post(PATH, json=EVENT).headers["data-epoch"] == "1"
        assert recovery_of(lonely_service) == {
            "epoch": 1,
            "detected_at": None,
            "restored_to": None,
            "send_again_from": None,
            "keep_hours": 24,
        }
        with database_away(lonely_service):
            assert recovery_of(lonely_service)["epoch"] == 1
            assert client.post(PATH, json=EVENT).headers["data-epoch"] == "1"


def test_a_follower_of_a_running_service_misses_nothing(start_service: Callable[..., Any]) -> None:
    """Five of ten events are lost; the five after the restore all come after the follower's cursor."""
    with start_service() as service, service.client() as client:
        for _ in range(10):
            client.post(PATH, json=EVENT)
        cursor = client.get(LISTED).json()["next_cursor"]
        restore(service)
        new = [client.post(PATH, json=EVENT).json()["id"] for _ in range(5)]
        assert [item["id"] for item in client.get(LISTED, params={"cursor": cursor}).json()["items"]] == new
        assert len(client.get(LISTED).json()["items"]) == 10


def test_clients_learn_what_to_send_again(start_service: Callable[..., Any]) -> None:
    """What they have sent since an hour before the newest event that survived."""
    with start_service(IR_RECOVERY_HOURS="48") as service, service.client() as client:
        for _ in range(10):
            client.post(PATH, json=EVENT)
        recovery = restore(service)
        newest = max(event["received_at"] for event in service.events())
    assert date_times.parse(recovery["restored_to"]) == newest
    assert date_times.parse(recovery["send_again_from"]) == newest - timedelta(hours=1)
    assert date_times.parse(recovery["detected_at"]) > newest
    assert recovery["keep_hours"] == 48


def test_each_answer_of_the_api_has_the_epoch(start_service: Callable[..., Any]) -> None:
    """Of both versions, and of errors, too; and it changes within a second."""
    with start_service() as service, httpx.Client(base_url=service.url, headers=service.authorization) as client:
        for _ in range(6):
            assert client.post(PATH, json=EVENT).status_code == 201
        epoch = restore(service)["epoch"]
        responses = [
            client.post(PATH, json=EVENT),
            client.post(PATH, json={}),
            client.get(LISTED),
            client.get(f"{LISTED}/export", params={"format": "csv"}),
            client.get("/api/v1/nothing"),
            client.get("/api/v2/usage", headers={"Authorization": "Bearer wrong"}),
            client.get("/nothing"),
        ]
    assert [response.status_code for response in responses] == [201, 422, 200, 200, 404, 401, 404]
    assert [response.headers.get_list("data-epoch") for response in responses] == [[str(epoch)]] * 7


@pytest.mark.parametrize("path", ["/recovery/", "/recovery/1"])
def test_there_is_nothing_below(start_service: Callable[..., Any], path: str) -> None:
    """One page only."""
    with start_service() as service, httpx.Client(base_url=service.url) as client:
        assert client.get(path).status_code == 404
