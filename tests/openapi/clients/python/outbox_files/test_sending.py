"""What each answer means for each item, and when the next request is made."""

import gzip
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openapi.clients.python.outbox_files import kept_items, sender
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import add, balance, connected, event, send, state
from tests.waiting import wait_until

Reply = tuple[int, dict[str, str], bytes]


def reply(status: int, body: Any, **fields: str) -> Callable[..., Reply]:
    """An answer in JSON to every request."""
    return lambda *_: (
        status,
        {name.replace("_", "-"): text for name, text in fields.items()},
        json.dumps(body).encode(),
    )


def numbers(hub: FakeHub) -> list[int]:
    """The numbers of the items that are stored."""
    return sorted(item["number"] for item in hub.accepted["events"])


def test_15_each_item_goes_by_its_own_result(hub: FakeHub, path: Path) -> None:
    """Created and duplicate are sent, `retry` stays, the others are refused and kept with their bodies."""
    results = [
        {"index": 3, "status": "rejected", "error": "it is bad", "help": "mend it", "code": "bad", "pointer": "/a"},
        {"index": 0, "status": "created"},
        {"index": 1, "status": "duplicate"},
        {"index": 2, "status": "rejected", "retry": True},
        {"index": 4, "status": "rejected", "problem": {"type": "urn:x/y", "title": "t", "status": 409, "detail": "d"}},
    ]
    hub.answer = reply(422, {"results": results})
    with connected(hub.url, path, background=False) as outbox:
        keys = add(outbox, *(event(number) for number in range(5)))
        send(outbox)
        refused = list(outbox.refused())
        assert [(each.key, each.item["number"]) for each in refused] == [(keys[3], 3), (keys[4], 4)]
        first, second = (each.reason for each in refused)
        assert (first.status, first.code, first.error, first.help, first.pointer) == (
            422,
            "bad",
            "it is bad",
            "mend it",
            "/a",
        )
        assert (second.status, second.code, second.error) == (409, "y", "d")
        counts = outbox.counts()
        assert (counts.sent, counts.pending, counts.refused) == (2, 1, 2)
        hub.answer = lambda *_: None
        assert outbox.replay([keys[4]]) == 1
        assert outbox.flush(20)
        assert numbers(hub) == [2, 4]
        assert balance(outbox) == 0


def test_15_an_item_that_is_put_off_does_not_delay_others(
    hub: FakeHub, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The background thread sends what is added while another item waits for an hour."""
    monkeypatch.setattr(kept_items, "IDLE", 1000.0)
    hub.answer = reply(200, {"results": [{"index": 0, "status": "rejected", "retry": True}]}, Retry_After="3600")
    with connected(hub.url, path) as outbox:
        add(outbox, event(0))
        wait_until(lambda: state(path).get("owner") is None and len(hub.requests) == 1)
        hub.answer = lambda *_: None
        time.sleep(0.1)  # the thread sleeps until the first item is due
        add(outbox, event(1))
        wait_until(lambda: numbers(hub) == [1], seconds=20)
        outbox.close(0)


@pytest.mark.parametrize("status", [400, 403, 413, 415, 422])
def test_16_a_poison_item_is_found_by_halves(hub: FakeHub, path: Path, status: int) -> None:
    """A proxy refuses each request with it in words of its own: the others are stored, and it is refused alone."""

    def firewall(_method: str, _target: str, body: bytes) -> Reply | None:
        return (status, {"Content-Type": "text/html"}, b"<h1>no</h1>") if b"poison" in body else None

    hub.answer = firewall
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, *(event(number, text="poison" if number == 41 else "") for number in range(100)))
        assert outbox.flush(20)
        assert numbers(hub) == [number for number in range(100) if number != 41]
        (refused,) = outbox.refused()
        assert (refused.item["number"], refused.reason.code) == (41, f"http_{status}")
        assert len(hub.requests) < 30


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_16_credentials_that_are_refused_touch_no_item(hub: FakeHub, path: Path, status: int) -> None:
    """The service says so itself: one request in a minute, and everything is still kept; a new program asks at once."""
    hub.fail("status", times=None, status=status)
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(1), event(2))
        send(outbox)
        send(outbox)
        assert outbox.counts().pending == 2
        assert len(hub.requests) == 1
        assert state(path)["last_error"].startswith(f"{status} ")
        outbox.close(0)
    with connected(hub.url, path, background=False) as outbox:  # a program that starts anew may have other credentials
        send(outbox)
        assert len(hub.requests) == 2
        hub.reset()
        outbox.close(0)


def test_16_a_firewall_that_refuses_everything_refuses_no_item(hub: FakeHub, path: Path) -> None:
    """Its 403 is not the service's, but no request has passed it: it is an outage."""
    hub.fail("html", times=None, status=403)
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(1), event(2))
        send(outbox)
        send(outbox)
        counts = outbox.counts()
        assert (counts.pending, counts.refused) == (2, 0)
        outbox.close(0)


OK = b'{"results": [{"index": 0, "status": "created"}]}'
STRANGE: dict[str, Reply] = {
    "empty": (200, {}, b""),
    "no results": (200, {}, b"{}"),
    "null": (200, {}, b"null"),
    "a list": (200, {}, b"[1]"),
    "results that are no list": (200, {}, b'{"results": "many"}'),
    "results that are no objects": (200, {}, b'{"results": [1, null, "created"]}'),
    "an index of another item": (200, {}, b'{"results": [{"index": 7, "status": "created"}]}'),
    "an index that is no number": (200, {}, b'{"results": [{"index": true, "status": "created"}]}'),
    "a status that is no text": (200, {}, b'{"results": [{"index": 0, "status": 1}]}'),
    "204": (204, {"Content-Length": "0"}, b""),
    "cut off JSON": (200, {}, OK[:20]),
    "gzip that is none": (200, {"Content-Encoding": "gzip"}, OK),
    "gzip that is cut off": (200, {"Content-Encoding": "gzip"}, gzip.compress(OK)[:-9]),
    "a coding that is unknown": (200, {"Content-Encoding": "br"}, OK),
    "half of the bytes": (200, {"Content-Length": "1000", "Connection": "close"}, OK),
    "half of a surrogate pair": (503, {}, rb'{"error": "\ud800", "help": ""}'),
    "a date that is too far": (503, {"Retry-After": f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT"}, b"{}"),
    "a clock that is too far": (503, {"Date": f"Mon, 01 Jan 2026 00:00:00 +{'9' * 30}"}, b"{}"),
    "nested": (200, {}, b"[" * 100_000),
}
STRANGE |= {
    f"HTML with {status}": (status, {"Content-Type": "text/html"}, b"<html><h1>a proxy</h1></html>")
    for status in (200, 201, 301, 302, 307, 401, 403, 404, 405, 407, 408, 409, 410, 421, 425, 429, 431, 451)
}
STRANGE |= {
    f"HTML with {status}": (status, {"Content-Type": "text/html"}, b"<html></html>")
    for status in (500, 501, 502, 503, 504, 507, 511, 520, 599)
}


@pytest.mark.parametrize("name", STRANGE)
def test_17_an_answer_that_is_not_ours_is_an_outage(
    hub: FakeHub, path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The item is still kept, nothing is raised, and a pause is noted."""
    hub.answer = lambda *_: STRANGE[name]
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(0))
        send(outbox)
        counts = outbox.counts()
        assert (counts.pending, counts.refused) == (1, 0)
        assert counts.last_error
        assert not [record for record in caplog.records if record.exc_info]
        hub.answer = lambda *_: None
        outbox._turns.failed("", 0, 0.0)
        outbox._sender._held_until = 0.0
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE items SET not_before = 0")
        connection.close()
        assert outbox.flush(20)


def test_17_items_without_a_result_are_sent_again(hub: FakeHub, path: Path) -> None:
    """An answer with too few results settles those that it has."""
    hub.answer = reply(200, {"results": [{"index": 1, "status": "created"}]})
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(0), event(1), event(2))
        send(outbox)
        assert (outbox.counts().sent, outbox.counts().pending) == (1, 2)
        hub.answer = lambda *_: None
        assert outbox.flush(20)
    assert numbers(hub) == [0, 2]


def test_18_new_values_and_members_never_raise(hub: FakeHub, path: Path) -> None:
    """A status that this client does not know has settled the item, unless it says otherwise."""
    results = [
        {"index": 0, "status": "queued_for_review", "new": {"deep": [1]}},
        {"index": 1, "status": "postponed", "retry": True},
        {"index": 2, "status": "vetoed", "retry": False, "problem": "a text", "error": ["a list"], "help": 7},
    ]
    hub.answer = reply(207, {"results": results, "new": None})
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(0), event(1), event(2))
        send(outbox)
        counts = outbox.counts()
        assert (counts.sent, counts.pending, counts.refused) == (1, 1, 1)
        assert [each.item["number"] for each in outbox.refused()] == [2]
        hub.answer = lambda *_: None
        assert outbox.flush(20)


def test_14_retry_after_is_a_floor_for_all_processes(hub: FakeHub, path: Path) -> None:
    """With jitter on top; another outbox of the file, and one that starts later, wait as well."""
    hub.fail("status", status=429, retry_after="600")
    with connected(hub.url, path, background=False) as outbox, connected(hub.url, path, background=False) as other:
        add(outbox, event(0))
        send(outbox)
        assert 595 < state(path)["pause_until"] - time.time() <= 750
        send(other)
        send(outbox)
        assert len(hub.requests) == 1
        other.close(0)
        outbox.close(0)


def test_14_a_backlog_drains_no_faster_than_the_service_allows(hub: FakeHub, path: Path) -> None:
    """After a full request it waits until the bucket has tokens for the next one, whichever process sends."""
    usual = hub.usual

    def limited(method: str, target: str, body: bytes) -> Reply:
        status, fields, text = usual(method, target, body)
        return (
            status,
            {**fields, "RateLimit": '"default";r=100;t=30', "RateLimit-Policy": '"default";q=1000;w=60'},
            text,
        )

    hub.answer = limited
    with connected(hub.url, path, background=False) as outbox, connected(hub.url, path, background=False) as other:
        add(outbox, *(event(number) for number in range(1200)))
        send(outbox)
        send(other)
        send(outbox)
        assert numbers(hub) == list(range(500))
        assert 20 < state(path)["pause_until"] - time.time() <= 24  # for 400 of 1000 tokens a minute
        assert outbox.counts().last_error == ""
        other.close(0)
        outbox.close(0)


def test_14_items_that_the_service_cannot_store_now_are_not_sent_all_at_once(hub: FakeHub, path: Path) -> None:
    """A 503 with results is an outage: the rest of the backlog waits, too."""

    def unavailable(_method: str, _target: str, body: bytes) -> Reply:
        results = [{"index": index, "status": "rejected", "retry": True} for index in range(len(json.loads(body)))]
        return 503, {"Retry-After": "300"}, json.dumps({"results": results}).encode()

    hub.answer = unavailable
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, *(event(number) for number in range(1500)))
        send(outbox)
        send(outbox)
        assert len(hub.requests) == 1
        assert outbox.counts().last_error
        outbox.close(0)


def test_14_an_hour_without_a_service_costs_few_requests(hub: FakeHub, path: Path) -> None:
    """The pauses of a sender whose clock jumps over each of them: at the end at most one request a minute."""
    hub.fail("html", times=None, status=502)
    times: list[float] = []
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(0))
        while not times or sum(times) < 3600:
            wait = outbox._sender.step()
            times.append(wait.seconds)
            outbox._turns.rest(0.0)
        assert len(hub.requests) == len(times) < 80
        assert min(times[-10:]) >= 60
        assert max(times) <= 120
        outbox.close(0)


def test_a_backlog_is_not_read_for_each_request(hub: FakeHub, path: Path) -> None:
    """Neither to find what is due, nor to add: 100,000 items cost a request no more than 1,000 do."""
    outbox = connected(hub.url, path, background=False, max_items=100_100)
    steps = []
    for count in (1_000, 99_000):
        with outbox._database.transaction() as connection:
            connection.executemany(
                "INSERT INTO items (kind, key, is_own, body, added_at) VALUES ('events', ?, 0, '{}', 0)",
                ((str(number),) for number in range(count)),
            )
        done: list[int] = []
        connection.set_progress_handler(lambda: done.append(1), 100)  # noqa: B023 - it is set again
        outbox._queue.due(outbox._kinds["events"], sender.MOST)
        outbox._queue.next_due()
        outbox._additions._seen = None
        add(outbox, event(0))
        connection.set_progress_handler(None, 0)
        steps.append(len(done))
    assert steps[1] < 2 * steps[0] < 1000
    outbox.erase(lambda _: True)
    outbox.close()
