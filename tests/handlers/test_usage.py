"""Usage: its counts agree with those of the hub itself."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from psycopg.sql import SQL

from handlers import usage
from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, BASE, DRY_RUN, JSON, NDJSON, Hub, totals_of
from tests.postgresql import statement
from tests.service import Service
from tests.waiting import wait_until
from tests.wire import Wire

EVENTS = "/interaction-events"
ITEMS: list[Any] = [
    EVENT,
    EVENT | {"event_type": "nope"},
    {},
    5,
    *[EVENT | {"client_event_id": f"c{n}"} for n in range(9)],
]
ITEMS += [EVENT | {"client_event_id": f"c{n}", "actor_type": "user"} for n in range(3)]


def counted(response: httpx.Response, is_replayed: bool = False) -> Counter[str]:
    """The outcomes that a client counts in the response to a batch, or to one event."""
    if "results" in response.text or "totals" in response.text:
        outcomes = Counter(totals_of(response))
        del outcomes["received"]
        if is_replayed:
            outcomes["duplicate"] += outcomes.pop("created")
        return outcomes
    if response.status_code == 201:
        return Counter(["duplicate" if "idempotent-replayed" in response.headers else "created"])
    return Counter(["throttled" if response.status_code == 429 else "rejected"])


def test_usage_agrees_with_the_counts_of_the_hub(hub: Hub) -> None:
    """For random requests: received is the sum, outcomes are those of the responses, created is the number of rows."""
    choose = random.Random(7)  # noqa: S311 (the same each time)
    own: Counter[str] = Counter()
    for _ in range(150):
        items = choose.choices(ITEMS, k=choose.randrange(4))
        match choose.randrange(6):
            case 0:
                own += counted(hub.post(EVENTS, choose.choice(ITEMS)))
            case 1:
                own += counted(hub.post(EVENTS, EVENT, headers={"Idempotency-Key": f"k{choose.randrange(9)}"}))
            case 2:
                own += counted(hub.batch(items))
            case 3:
                own += counted(hub.lines("\n".join(map(json.dumps, items))))
            case 4:
                hub.post(EVENTS, choose.choice(ITEMS), headers=DRY_RUN)
                hub.batch(items, Prefer="dry-run")
            case 5:
                own += counted(hub.post(EVENTS, content=b"{bad", headers=JSON))
    usage = hub.usage()
    assert usage == {"received": own.total(), "throttled": 0, **own}
    assert usage["created"] == len(hub.rows()) > 9
    assert min(usage[name] for name in ("created", "duplicate", "rejected")) > 9


def test_a_replay_and_a_repeated_batch_are_counted(hub: Hub, prefix: str) -> None:
    """Items stored before are duplicates; a replay counts each item as created, or as rejected again."""
    first = hub.batch([EVENT, EVENT | {"event_type": prefix}], Idempotency_Key="k")
    second = hub.batch([EVENT, EVENT | {"event_type": prefix}], Idempotency_Key="k")
    own = counted(first) + counted(second, is_replayed=True)
    hub.manifest([{"name": prefix, "description": "x"}])
    own += counted(hub.post("/rejected-submissions/replay", {"limit": 1}))
    hub.post("/rejected-submissions/replay", {}, headers=DRY_RUN)
    assert own == {"created": 2, "duplicate": 1, "rejected": 2}
    assert hub.usage() == {"received": 5, "throttled": 0, **own}
    assert len(hub.rows()) == 2


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        (DRY_RUN, {200, 400, 422}),
        ({"Idempotency-Key": ""}, {422}),
        ({"Idempotency-Key": "x" * 256}, {422}),
        (DRY_RUN | {"Idempotency-Key": ""}, {422}),
    ],
    ids=["dry run", "no key", "long key", "both"],
)
def test_a_request_that_submits_nothing_is_not_counted(hub: Hub, headers: dict[str, str], statuses: set[int]) -> None:
    """A dry run, and a request with invalid parameters, alone and as a batch; no rejection of it is kept."""
    received_statuses = set()
    for path, thing in ((EVENTS, EVENT), ("/annotations", ANNOTATION)):
        for body in [json.dumps(item) for item in (thing, thing | {"widget_id": str(uuid4())}, {})] + ["{bad"]:
            received_statuses |= {
                hub.post(path, content=body, headers=JSON | headers).status_code,
                hub.post(f"{path}/batch", content=f"[{body}]", headers=JSON | headers).status_code,
                hub.post(f"{path}/batch", content=body, headers=NDJSON | headers).status_code,
            }
    assert received_statuses == statuses
    assert hub.usage()["received"] == 0
    assert set(hub.counts().values()) == {0}
    hub.event()
    assert hub.usage()["received"] == 1


def test_a_body_with_a_revoked_key_is_not_counted(hub: Hub) -> None:
    """The sender of a body is unknown if its key was revoked before the end of the body."""
    database_url, key = hub.service.database_url, hub.client.headers["authorization"].removeprefix("Bearer ")
    disabled_at = SQL("UPDATE hubs SET disabled_at = {} WHERE id = {}")
    with Wire(replace(hub.service, key=key)) as wire:
        request = wire.post(b"{bad")
        wire.send(request[:-1])
        assert wire.is_quiet(0.2)
        statement(database_url, disabled_at.format(SQL("now()"), hub.id))
        wait_until(lambda: hub.get("/widgets").status_code == 401)
        wire.send(request[-1:])
        assert wire.answer().status_code == 401
    statement(database_url, disabled_at.format(None, hub.id))
    assert hub.usage()["received"] == 0


def test_reasons_explain_each_outcome(hub: Hub) -> None:
    """By kind: the type or category of stored items, and the error code of rejected ones; their sum is received."""
    hub.batch([EVENT, EVENT, EVENT | {"event_type": "viewed"}, EVENT | {"event_type": "nope"}, {}])
    hub.post("/annotations", ANNOTATION)
    hub.post("/annotations", {})
    items = hub.get("/usage").json()["items"]
    assert [item["kind"] for item in items] == ["annotation", "event"]
    counts = {
        item["kind"]: {(reason["outcome"], reason["reason"]): reason["count"] for reason in item["reasons"]}
        for item in items
    }
    assert counts == {
        "annotation": {("created", "praise"): 1, ("rejected", "invalid_body"): 1},
        "event": {
            ("created", "clicked"): 2,
            ("created", "viewed"): 1,
            ("rejected", "event_type_not_registered"): 1,
            ("rejected", "invalid_body"): 1,
        },
    }
    assert [item["received"] for item in items] == [2, 5]


def test_since_and_until_select_hours(hub: Hub) -> None:
    """The hours that begin at or after since, and before until."""
    started = datetime.now(UTC)
    hub.event()
    hub.get("/usage")
    (row,) = hub.rows("usage")
    hour = row["hour"]
    assert started.replace(minute=0, second=0, microsecond=0) <= hour <= datetime.now(UTC)

    def hours_between(since: datetime, until: datetime) -> list[str]:
        period = {"since": since.isoformat(), "until": until.isoformat()}
        return [item["hour"] for item in hub.get("/usage", **period).json()["items"]]

    second = timedelta(seconds=1)
    assert hours_between(hour, hour + second) == [f"{hour:%Y-%m-%dT%H:%M:%SZ}"]
    assert hours_between(hour + second, hour + timedelta(hours=1)) == []
    assert hours_between(hour - second, hour) == []
    assert len(hours_between(hour - timedelta(days=30), hour + timedelta(days=1))) == 1


def test_without_until_the_period_ends_now_or_after_31_days(hub: Hub) -> None:
    """`since` alone is always valid: of a period that begins in the future there is nothing yet."""
    hub.event()
    hub.get("/usage")
    now = datetime.now(UTC)
    received = [
        sum(item["received"] for item in hub.get("/usage", since=(now - age).isoformat()).json()["items"])
        for age in (timedelta(hours=1), timedelta(days=30), timedelta(days=31, hours=2), timedelta(days=9000))
    ]
    assert received == [1, 1, 0, 0]
    assert hub.get("/usage", since="9999-12-31T23:59:59Z").json() == {"items": []}


@pytest.mark.parametrize(
    "query",
    [
        "since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:01Z",
        "since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z",
        "since=now",
        "from=2026-01-01T00:00:00Z",
        "until=",
    ],
)
def test_invalid_hours_are_refused(hub: Hub, query: str) -> None:
    """422 for more than 31 days, a reversed period, and unknown names."""
    assert hub.client.get(f"{BASE}/usage?{query}").status_code == 422


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00Z", "0001-01-02T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_ends_of_time_cause_no_internal_error(hub: Hub, until: str) -> None:
    """200 or 422, and no internal error."""
    assert hub.get("/usage", until=until).status_code in (200, 422)


def test_the_number_of_counts_is_limited(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """More counts are refused, with a remedy."""
    monkeypatch.setattr(usage, "MOST_COUNTS", 2)
    for event_type in ("clicked", "viewed"):
        hub.event(event_type=event_type)
    assert hub.get("/usage").status_code == 200
    hub.event(event_type="focused")
    answer = hub.get("/usage")
    assert (answer.status_code, answer.json()["help"]) == (422, "Ask for fewer hours at once.")


def test_throttled_items_are_counted(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub]
) -> None:
    """Every item of a refused batch; no item of a dry run, though it is refused too."""
    with start_service(IR_RATE_LIMIT="1", IR_RATE_BURST="10") as service:
        hub = new_hub(service)
        own = counted(hub.batch([EVENT] * 8))
        throttled = hub.batch([EVENT] * 7)
        assert throttled.status_code == 429
        hub.batch([EVENT] * 7, Prefer="dry-run")
        while hub.post(EVENTS, EVENT, headers=DRY_RUN).status_code != 429:
            pass
        own["throttled"] += 7
        time.sleep(2)
        assert hub.usage() == {"received": 15, **own}
    assert own == {"created": 8, "throttled": 7, "duplicate": 0, "rejected": 0}
