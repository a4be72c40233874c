"""Batches, streams and reads that would take more than their share: each is refused, bounded, or served in turns."""

import gzip
import json
import threading
import time

import httpx
import pytest

from handlers import results
from openapi.batch import LINE_BYTES
from tests.conftest import EVENT
from tests.handlers.conftest import BASE, NDJSON, Hub, results_of, totals, totals_of

LARGE: dict[str, list[list[int]]] = {"a": [[]] * 20_000}
REPLAY = "/rejected-submissions/replay"


def test_blank_lines_keep_nobody_waiting(hub: Hub) -> None:
    """While 50 KB of gzip are read as 50 MiB of blank lines the service answers others."""
    blank = gzip.compress(b"\n" * (50 << 20))
    reading = threading.Thread(target=lambda: hub.lines(blank, Content_Encoding="gzip"))
    reading.start()
    answered = 0
    while reading.is_alive():
        assert httpx.get(f"{hub.service.url}/health/live").status_code == 200
        answered += 1
    reading.join()
    assert answered >= 2


def test_a_page_ends_when_it_is_large(hub: Hub) -> None:
    """After a mebibyte of metadata, with what comes next on the next page; an export has all of it."""
    hub.batch([EVENT | {"metadata": LARGE}] * 40)
    first = hub.get("/interaction-events", limit=100).json()
    assert 10 < len(first["items"]) < 24
    assert first["has_more"]
    assert len(hub.items("/interaction-events")) == 40
    assert len(hub.get("/interaction-events/export", format="ndjson").text.splitlines()) == 40


def test_what_is_too_large_alone_is_too_large_in_a_batch(hub: Hub) -> None:
    """And in a replay: what was refused as one body is not stored through another way."""
    large = EVENT | {"metadata": {"a": "x" * LINE_BYTES}}
    answer = hub.batch([large, EVENT])
    assert totals_of(answer) == totals(created=1, rejected=1)
    assert [one.get("code") for one in results_of(answer)] == ["content_too_large", None]
    hub.batch(large)
    replayed = hub.post(REPLAY, {})
    assert {one["code"] for one in results_of(replayed)} == {"content_too_large"}
    assert len(hub.rows()) == 1


@pytest.mark.parametrize("depth", [100, 900, 940, 980, 2000])
def test_an_item_that_is_nested_deep_is_rejected_alone_or_the_body_is(hub: Hub, depth: int) -> None:
    """However deep: never a fault after something was stored."""
    body = b"[" + json.dumps(EVENT).encode() + b"," + b"[" * depth + b"]" * depth + b"]"
    answer = hub.client.post(
        f"{BASE}/interaction-events/batch", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert len(hub.rows()) == (1 if answer.status_code == 422 else 0)


def test_names_that_are_not_registered_are_looked_up_together(hub: Hub) -> None:
    """A thousand of them take one look, not a thousand."""
    began = time.monotonic()
    answer = hub.batch([EVENT | {"event_type": f"unknown {number}"} for number in range(1000)])
    assert totals_of(answer) == totals(rejected=1000)
    assert time.monotonic() - began < 4


def test_the_results_of_a_stream_are_bounded(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows is not read, which the last line says; what came before is stored."""
    monkeypatch.setattr(results, "MOST_BYTES", 50_000)
    answer = hub.client.post(
        f"{BASE}/interaction-events/batch", content=(json.dumps(EVENT) + "\n") * 3000, headers=NDJSON
    )
    *_, last = map(json.loads, answer.text.splitlines())
    assert answer.status_code == 413
    assert last["error"] == "the results of the stream have more than 50000 bytes"
    assert last["totals"]["created"] < 3000
    assert len(hub.rows()) >= last["totals"]["created"] > 0


def test_prefer_may_be_sent_in_parts(hub: Hub) -> None:
    """As any list (RFC 9110 section 5.3)."""
    answer = hub.client.post(
        f"{BASE}/interaction-events", json=EVENT, headers=[("Prefer", "respond-async"), ("Prefer", "dry-run")]
    )
    assert answer.status_code == 200
    assert hub.rows() == []


def test_a_batch_that_was_refused_as_a_whole_claims_no_key(hub: Hub) -> None:
    """What is sent instead may have it."""
    assert hub.batch([{}], Idempotency_Key="k").status_code == 422
    assert totals_of(hub.batch([EVENT], Idempotency_Key="k")) == totals(created=1)


def test_a_replay_and_the_sender_s_own_retry_store_once(hub: Hub, prefix: str) -> None:
    """Under the key of the request that was rejected, alone and in a batch."""
    event = EVENT | {"event_type": prefix}
    key = {"Idempotency-Key": "r"}
    assert hub.post("/interaction-events", event, headers=key).status_code == 422
    assert hub.batch([EVENT, event], Idempotency_Key="b").status_code == 422
    hub.manifest([{"name": prefix, "description": "x"}])
    assert totals_of(hub.post(REPLAY, {})) == totals(created=2)
    again = hub.post("/interaction-events", event, headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert hub.batch([EVENT, event], Idempotency_Key="b").headers["idempotent-replayed"] == "true"
    assert len(hub.rows()) == 3
