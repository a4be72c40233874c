"""Rate limits: the requests that a hub may send, the header fields that report them, and a true Retry-After."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from psycopg.sql import SQL

from openapi.serving.rate_limits import Quota, RateLimits, RatePolicy
from scripts.service.parts import REPLICA
from tests.examples import EVENT, OLDEST
from tests.handlers.conftest import BASE, JSON, Hub, results_of, totals, totals_of
from tests.postgresql import statement
from tests.service import Service, running
from tests.waiting import wait_until

EVENTS = "/interaction-events"


@pytest.fixture
def limited(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub]
) -> Iterator[Hub]:
    """A hub that may send 5 items a second after a burst of 10."""
    with start_service(IR_RATE_LIMIT="5", IR_RATE_BURST="10") as service:
        yield new_hub(service)


def left(response: httpx.Response) -> int:
    """The tokens that remain according to the response."""
    match = re.fullmatch(r'"default";r=(\d+);t=(\d+)', response.headers["ratelimit"])
    assert match, response.headers["ratelimit"]
    return int(match[1])


def limit(hub: Hub, rate: int | None) -> None:
    """Set the hub's own rate, or with None the default."""
    change = SQL("UPDATE hubs SET rate_limit = {} WHERE id = {}").format(rate, hub.id)
    statement(hub.service.database_url, change)


def test_replicas_share_the_rate_of_a_hub(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With two living replicas each grants half; when one ends, the other soon grants everything again."""
    limits = {"IR_RATE_LIMIT": "5", "IR_RATE_BURST": "10"}

    with start_service(**limits) as service:
        hub = new_hub(service)
        assert hub.event().headers["ratelimit-policy"] == '"default";q=10;w=2'
        monkeypatch.setenv(REPLICA, str(uuid4()))
        with start_service(**limits):
            wait_until(lambda: hub.event().headers["ratelimit-policy"] == '"default";q=5;w=3')
        wait_until(lambda: hub.event().headers["ratelimit-policy"] == '"default";q=10;w=2')


def test_a_request_beyond_the_burst_gets_429_with_a_true_retry_after(limited: Hub) -> None:
    """Ten requests at once; after Retry-After the next one is stored, and refused ones are not."""
    answers = [limited.event() for _ in range(10)]
    assert {answer.status_code for answer in answers} == {201}
    answers = [limited.event() for _ in range(5)]
    throttled = [answer for answer in answers if answer.status_code != 201]
    assert {answer.status_code for answer in throttled} == {429}
    assert throttled[-1].headers["retry-after"] == "1"
    assert (
        throttled[-1].json()["error"] == "this hub may send 5 items per second after a burst of 10, and has sent more"
    )
    assert throttled[-1].headers["ratelimit-policy"] == '"default";q=10;w=2'
    time.sleep(int(throttled[-1].headers["retry-after"]))
    assert limited.event().status_code == 201
    assert len(limited.rows()) == 16 - len(throttled)


def test_a_batch_costs_its_items(limited: Hub) -> None:
    """An empty batch costs one token; one with too few tokens left is not stored until Retry-After has passed."""
    answer = limited.batch([EVENT] * 7)
    assert (answer.status_code, left(answer)) == (200, 3)
    response = limited.batch([EVENT] * 7)
    assert response.status_code == 429
    seconds = int(response.headers["retry-after"])
    assert seconds in (1, 2)
    time.sleep(seconds)
    assert limited.batch([EVENT] * 7).status_code == 200
    assert len(limited.rows()) == 14
    limit(limited, None)
    time.sleep(2)
    tokens = left(limited.get("/widgets"))
    assert tokens - left(limited.batch([])) == 1


@pytest.mark.parametrize("count", [11, 12, 50])
def test_a_batch_larger_than_the_burst_is_refused_for_good(limited: Hub, count: int) -> None:
    """422 with the size and the limit, because a client with a 429 would retry for ever."""
    answer = limited.batch([EVENT] * count)
    assert answer.status_code == 422
    assert answer.json()["error"] == f"the batch has {count} items; the limit is 10"
    assert limited.rows() == []


def test_a_batch_of_the_whole_burst_is_stored(limited: Hub) -> None:
    """Once the bucket is full."""
    assert limited.batch([EVENT] * 10).status_code == 200
    assert len(limited.rows()) == 10


def costs_of(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The tokens that the hub takes from now on, in order."""
    costs: list[int] = []
    take, take_later = RateLimits.take, RateLimits.take_later

    def counted(limits: RateLimits, hub_id: UUID, cost: int, policy: RatePolicy) -> Quota:
        quota = take(limits, hub_id, cost, policy)
        costs.append(cost if quota.is_granted and hub_id == hub.id else 0)
        return quota

    def counted_later(limits: RateLimits, hub_id: UUID, cost: int, policy: RatePolicy) -> float:
        costs.append(cost if hub_id == hub.id else 0)
        return take_later(limits, hub_id, cost, policy)

    monkeypatch.setattr(RateLimits, "take", counted)
    monkeypatch.setattr(RateLimits, "take_later", counted_later)
    return costs


@pytest.mark.parametrize("count", [0, 1, 4, 12])
def test_each_line_costs_a_token(limited: Hub, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """The token of the request pays for the first line."""
    costs = costs_of(limited, monkeypatch)
    assert totals_of(limited.lines((json.dumps(EVENT) + "\n") * count)) == totals(created=count)
    assert sum(costs) == max(1, count)


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_each_replayed_rejection_costs_a_token(
    limited: Hub, monkeypatch: pytest.MonkeyPatch, prefix: str, count: int
) -> None:
    """The token of the request pays for the first one."""
    limited.batch([EVENT | {"event_type": prefix}] * count)
    costs = costs_of(limited, monkeypatch)
    answer = limited.post("/rejected-submissions/replay", {})
    assert (answer.status_code, totals_of(answer)) == (422 if count else 200, totals(rejected=count))
    assert sum(costs) == max(1, count)


def test_a_filter_replays_at_most_the_burst(limited: Hub, prefix: str) -> None:
    """A later replay takes the rest; too many ids are refused, and none is left out."""
    limited.lines((json.dumps(EVENT | {"event_type": prefix}) + "\n") * 12)
    ids = [str(row["id"]) for row in limited.rows("rejected_submissions")]
    time.sleep(2.5)  # until the bucket is full
    assert len(results_of(limited.post("/rejected-submissions/replay", {}))) == 10
    time.sleep(2.5)
    assert limited.post("/rejected-submissions/replay", {"ids": ids}).status_code == 422


def test_a_replay_without_enough_tokens_replays_nothing(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub], prefix: str
) -> None:
    """429; a later attempt with enough tokens replays them."""
    with start_service(IR_RATE_LIMIT="1", IR_RATE_BURST="10") as service:
        hub = new_hub(service)
        hub.batch([EVENT | {"event_type": prefix}] * 8)
        hub.manifest([{"name": prefix, "description": "x"}])
        response = hub.post("/rejected-submissions/replay", {})
        assert response.status_code == 429
        assert hub.rows() == []
        assert not any(row["replayed_at"] for row in hub.rows("rejected_submissions"))
        limit(hub, 1000)
        wait_until(lambda: hub.post("/rejected-submissions/replay", {}).status_code == 200)
        assert len(hub.rows()) == 8


def test_a_stream_is_slowed_down(limited: Hub) -> None:
    """20 lines take as long as the bucket needs for their tokens, and all of them are stored."""
    started = time.monotonic()
    answer = limited.lines((json.dumps(EVENT) + "\n") * 20)
    assert 1.5 <= time.monotonic() - started <= 6
    assert (answer.status_code, totals_of(answer)) == (200, totals(created=20))
    assert len(limited.rows()) == len(results_of(answer)) == 20


def test_every_response_to_a_hub_has_the_remaining_tokens(limited: Hub) -> None:
    """For every operation and status; a client without a valid key gets no such field."""
    limit(limited, 1000)
    wait_until(lambda: "q=10000" in limited.get("/widgets").headers["ratelimit-policy"])
    requests: list[tuple[str, str, dict[str, Any], int]] = [
        ("POST", EVENTS, {"json": EVENT}, 201),
        ("POST", EVENTS, {"json": EVENT, "headers": {"Prefer": "dry-run"}}, 200),
        ("POST", EVENTS, {"content": b"{", "headers": JSON}, 400),
        ("POST", EVENTS, {"json": {}}, 422),
        ("POST", EVENTS, {"json": EVENT, "headers": {"Idempotency-Key": ""}}, 422),
        ("POST", EVENTS, {"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", EVENTS, {"content": b"x" * 70_000, "headers": JSON}, 413),
        ("POST", f"{EVENTS}/batch", {"json": [EVENT]}, 200),
        ("POST", f"{EVENTS}/batch", {"json": [5]}, 422),
        ("POST", f"{EVENTS}/batch", {"content": b"5", "headers": {"Content-Type": "application/x-ndjson"}}, 422),
        ("GET", EVENTS, {}, 200),
        ("GET", f"{EVENTS}?limit=x", {}, 422),
        ("GET", f"{EVENTS}/export?format=csv", {}, 200),
        ("GET", f"{EVENTS}/x", {}, 404),
        ("GET", "/hub-capability-manifest", {}, 404),
        ("GET", "/usage", {}, 200),
        ("POST", "/rejected-submissions/replay", {"json": {}}, 422),
    ]
    for method, path, options, status in requests:
        answer = limited.client.request(method, BASE + path, **options)
        assert answer.status_code == status, (method, path, answer.text)
        assert answer.headers["ratelimit-policy"] == '"default";q=10000;w=10'
        assert 0 < left(answer) <= 10_000  # the bucket refills while a request takes its time
    stranger = limited.client.get(f"{BASE}/usage", headers={"Authorization": "Bearer irk_x"})
    assert (stranger.status_code, "ratelimit" in stranger.headers) == (401, False)


def test_an_operator_changes_a_rate_within_a_second(limited: Hub, new_hub: Callable[..., Hub]) -> None:
    """For one hub only, and back again."""
    other = new_hub(limited.service)
    for rate, policy in ((8, "q=80;w=10"), (None, "q=10;w=2")):
        limit(limited, rate)
        started = time.monotonic()
        wait_until(lambda policy=policy: policy in limited.get("/widgets").headers["ratelimit-policy"])  # type: ignore[misc]
        assert time.monotonic() - started < 1
    assert "q=10;w=2" in other.get("/widgets").headers["ratelimit-policy"]


def test_a_hub_takes_no_tokens_of_another(limited: Hub, new_hub: Callable[..., Hub]) -> None:
    """Each hub has a bucket of its own."""
    other = new_hub(limited.service)
    limited.batch([EVENT] * 10)
    assert limited.event().status_code == 429
    assert other.event().status_code == 201


def test_the_oldest_contract_has_no_limit(database_url: str) -> None:
    """As it promised: every event is stored, and no response has a field about limits."""
    with running(database_url, OLDEST, IR_RATE_LIMIT="1", IR_RATE_BURST="1") as service, service.client() as client:
        answers = [client.post(BASE + EVENTS, json=EVENT) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {201}
    assert not any(name.startswith(("ratelimit", "retry")) for answer in answers for name in answer.headers)
