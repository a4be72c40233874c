"""The accounts of a service: what it counts by minute, type and hub, without a call to write them."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from db import hub_totals, hubs, latencies, rejected_submissions, type_usage, usage_minutes
from db.engine import Database
from tests.examples import EVENT
from tests.service import Service
from tests.waiting import wait_until

EVENTS = "/api/v1/interaction-events"


def test_a_service_keeps_its_accounts(start_service: Callable[..., AbstractContextManager[Service]]) -> None:
    """Of each outcome, of requests that are throttled, whatever they ask for, and of their durations."""
    with start_service(IR_RATE_LIMIT="1", IR_RATE_BURST="4") as service:
        with service.database.begin() as connection:
            hub, key = hubs.create(connection, "busy")
        with httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {key}"}) as client:
            assert client.post(EVENTS, json=EVENT).status_code == 201
            assert client.post(EVENTS, json=EVENT | {"event_type": "made.up"}).status_code == 422
            assert client.post(f"{EVENTS}/batch", json=[EVENT] * 4).status_code == 429
            while client.get("/api/v1/usage").status_code != 429:
                pass
            client.get("/api/v1/nothing")
            client.get("/health/live")
        wait_until(lambda: minutes(service.database)["request", "throttled"] == 2)
        wait_until(lambda: minutes(service.database)["event", "rejected"] == 1)
        counts = minutes(service.database)
        assert (counts["event", "created"], counts["event", "throttled"]) == (1, 4)
        assert_other_accounts(service.database, hub.id)


def minutes(database: Database) -> Counter[tuple[str, str]]:
    """The counts of the last hour by kind and outcome."""
    return Counter({(row.kind, row.outcome): row.count for row in read(database, usage_minutes.minutes, "day")})


def read(database: Database, function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` reads of the last hour."""
    now = datetime.now(UTC)
    with database.begin() as connection:
        return function(connection, now - timedelta(hours=1), now + timedelta(hours=1), *arguments)


def assert_other_accounts(database: Database, hub_id: UUID) -> None:
    """Types, hubs, names and durations of the test above."""
    now = datetime.now(UTC)
    wait_until(lambda: sum(read(database, latencies.latency, 1).values()) >= 5)
    with database.begin() as connection:
        usage = type_usage.of_types(connection, ["clicked", "made.up"], now - timedelta(hours=2))
        assert [usage[name].created for name in ("clicked", "made.up")] == [1, 0]
        assert now - timedelta(minutes=1) < hub_totals.last_seen(connection, [hub_id])[hub_id]
        names = rejected_submissions.unregistered(connection)
        assert [(name.event_type, name.hub_id, name.count) for name in names] == [("made.up", hub_id, 1)]
