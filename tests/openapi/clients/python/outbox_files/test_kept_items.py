"""What is kept: each item under its own id, with its time, for as long as allowed, seen and erased."""

import json
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from openapi.clients.python.errors import InvalidItem
from openapi.clients.python.outbox_files import item_queue, kept_items, turns
from openapi.clients.python.outbox_files.items import Refused
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import add, balance, connected, event, send, state


def test_19_an_item_has_one_id_from_its_addition_to_the_end(hub: FakeHub, path: Path) -> None:
    """However often it is sent, by whichever outbox: the service sees one id, and stores it once."""
    hub.fail("cut_after", times=2)
    with connected(hub.url, path, background=False) as outbox:
        key = outbox.keep(event(1), "events")
        send(outbox)
        outbox.close(0)
    with connected(hub.url, path) as outbox:
        assert outbox.flush(20)
    assert hub.received == {key: 3}
    assert [item["client_event_id"] for item in hub.accepted["events"]] == [key]


def test_19_an_own_id_is_kept(hub: FakeHub, path: Path) -> None:
    """The same item again is the same; with other content it is an error that names the field, and nothing changes."""
    with connected(hub.url, path, background=False) as outbox:
        own = {"client_event_id": "a", "occurred_at": "2026-01-01T00:00:00Z"}
        assert outbox.keep(own, "events") == outbox.keep(own, "events") == "a"
        with pytest.raises(InvalidItem) as error:
            outbox.keep({**own, "number": 2}, "events")
        assert error.value.pointer == "/client_event_id"
        with pytest.raises(InvalidItem) as error:
            add(outbox, event(3), {**own, "number": 2})
        assert error.value.pointer == "/1/client_event_id"
        assert outbox.counts().added == outbox.counts().pending == 1
        assert outbox.flush(20)
    assert hub.accepted["events"] == [own]


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"a": "x" * 65_537}, ""),
        ({"a": [1, {"b": float("nan")}]}, "/a/1/b"),
        ({"a": float("-inf")}, "/a"),
        ({"a/b": {"~": "\ud800"}}, "/a~1b/~0"),
        ({"a": {"\udfff": 1}}, "/a/\udfff"),
        ({"a": "b\x00"}, "/a"),
        ({"a": {"\x00": 1}}, "/a/\x00"),
        ({"a": "\\u0000", "b": {1, 2}}, "/b"),
        ({"a": b"bytes"}, "/a"),
        ({"client_event_id": ""}, "/client_event_id"),
        ({"client_event_id": 7}, "/client_event_id"),
        ([1], ""),
    ],
)
def test_what_the_service_cannot_read_is_an_error_at_once(hub: FakeHub, path: Path, item: Any, pointer: str) -> None:
    """It names the field; nothing is kept, nor any item that was to be added with it."""
    with connected(hub.url, path, background=False) as outbox:
        with pytest.raises(InvalidItem) as error:
            outbox.keep(item, "events")
        assert error.value.pointer == pointer
        with pytest.raises(InvalidItem) as error:
            outbox.keep_all([event(1), item], "events")
        assert error.value.pointer == f"/1{pointer}"
        assert outbox.counts().added == 0


def test_an_item_of_as_many_bytes_as_allowed_is_kept(hub: FakeHub, path: Path) -> None:
    """65,536 with its id and its time, and not one more."""
    fixed = {"client_event_id": "a", "occurred_at": "2026-01-01T00:00:00Z", "text": ""}
    room = 65_536 - len(json.dumps(fixed, separators=(",", ":")))
    with connected(hub.url, path, background=False) as outbox:
        outbox.keep({**fixed, "text": "x" * room}, "events")
        with pytest.raises(InvalidItem, match="65537 bytes"):
            outbox.keep({**fixed, "client_event_id": "b", "text": "x" * (room + 1)}, "events")
        assert outbox.flush(20)


def nested(depth: int) -> dict[str, Any]:
    """An item whose value is in that many arrays."""
    value: Any = "\\u0000"
    for _ in range(depth):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize("depth", [200, 600, 900, 2_000, 20_000])
def test_an_item_is_nested_as_deeply_as_allowed_or_an_error(hub: FakeHub, path: Path, depth: int) -> None:
    """Never another exception, whatever text it holds; nor for an item that contains itself."""
    with connected(hub.url, path, background=False) as outbox:
        with suppress(InvalidItem) if depth > 200 else nullcontext():
            outbox.keep(nested(depth), "events")
        circle: dict[str, Any] = {}
        circle["circle"] = circle
        with pytest.raises(InvalidItem):
            outbox.keep(circle, "events")
        outbox.erase(lambda _: True)


def test_13_a_backlog_is_seen(hub: FakeHub, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its depth, the age of its oldest item, and what went wrong last; a logger tells it, too."""
    hub.fail("html", times=None, status=502)
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(1), event(2))
        send(outbox)
        counts = outbox.counts()
        assert (counts.added, counts.pending, counts.sent) == (2, 2, 0)
        assert counts.oldest_age is not None
        assert 0 <= counts.oldest_age < 60
        assert "502" in counts.last_error
        assert "nothing can be sent" in caplog.text
        hub.reset()
        assert outbox.flush(20)
        counts = outbox.counts()
        assert (counts.pending, counts.sent, counts.oldest_age, counts.last_error) == (0, 2, None, "")


HOOKS: dict[str, Callable[[list[kept_items.KeptItems]], object]] = {
    "raise": lambda outboxes: outboxes[1],
    "counts": lambda outboxes: outboxes[0].counts(),
    "add": lambda outboxes: add(outboxes[0], event(7)),
    "replay": lambda outboxes: outboxes[0].replay([]),
    "flush": lambda outboxes: add(outboxes[0], event(7)) and outboxes[0].flush(0.05),
    "erase": lambda outboxes: outboxes[0].erase(lambda _: False),
    "close": lambda outboxes: outboxes[0].close(0.05),
}


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("hook", HOOKS)
def test_13_a_hook_may_fail_and_use_the_outbox(hub: FakeHub, path: Path, hook: str, background: bool) -> None:
    """It is called once for each item that is refused; what it does stops nothing."""
    hub.refuse = lambda item: "it is bad" if item["number"] == 0 else None
    outboxes: list[kept_items.KeptItems] = []
    told: list[Refused] = []

    def on_refused(refused: Refused) -> None:
        told.append(refused)
        HOOKS[hook](outboxes)

    outboxes.append(connected(hub.url, path, background=background, on_refused=on_refused))
    key = outboxes[0].keep(event(0), "events")
    assert outboxes[0].flush(20)
    assert outboxes[0].close(20)
    assert [(each.key, each.item["number"], each.reason.error) for each in told] == [(key, 0, "it is bad")]
    assert balance(outboxes[0]) == 0
    assert [item["number"] for item in hub.accepted["events"]] == ([7] if hook in {"add", "flush"} else [])


def test_20_items_end_with_their_age(hub: FakeHub, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Sent or not, refused ones, too; it is counted and told."""
    hub.refuse = lambda _: "it is bad"
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(0))
        assert outbox.flush(20)
    hub.fail("status", times=None)
    with connected(hub.url, path, background=False, max_age=0.05) as outbox:
        add(outbox, event(1))
        time.sleep(0.06)
        assert outbox.flush(20)
        counts = outbox.counts()
        assert (counts.pending, counts.refused, counts.expired) == (0, 0, 2)
        assert balance(outbox) == 0
    assert "1 items were not sent" in caplog.text


def test_20_what_is_erased_leaves_no_byte(hub: FakeHub, path: Path) -> None:
    """Of items that wait and of refused ones, in no file; the others stay."""
    hub.refuse = lambda _: "it is bad"
    outbox = connected(hub.url, path, background=False)
    add(outbox, event(0, name="Ada-Lovelace"), event(1, name="Grace-Hopper"))
    assert outbox.flush(20)
    add(outbox, {"client_event_id": "of-Ada-Lovelace", "name": "Ada-Lovelace" + "x" * 9000}, event(3))
    add(outbox, *(event(number, name="Ada-Lovelace", text="x" * number) for number in range(4, 300)))
    assert outbox.erase(lambda item: item.get("name", "").startswith("Ada-Lovelace")) == 298
    outbox.counts()
    for file in path.parent.iterdir():
        assert b"Ada-Lovelace" not in file.read_bytes(), file
    counts = outbox.counts()
    assert (counts.erased, counts.pending, counts.refused) == (298, 1, 1)
    hub.refuse = lambda _: None
    assert outbox.replay() == 1
    assert outbox.close(20)
    assert balance(outbox) == 0


def test_20_an_item_that_is_erased_while_it_is_sent_is_not_counted_twice(hub: FakeHub, path: Path) -> None:
    """Whatever the answer is."""
    with connected(hub.url, path, background=False) as outbox:
        hub.refuse = lambda _: str(outbox.erase(lambda item: item["number"] < 3) and "")
        add(outbox, event(1), event(2))
        assert outbox.flush(20)
        counts = outbox.counts()
        assert (counts.added, counts.erased, counts.sent) == (2, 2, 0)


def test_21_an_item_has_the_time_of_its_addition(hub: FakeHub, path: Path) -> None:
    """A time of its own is never changed."""
    hub.fail("status")
    with connected(hub.url, path, background=False) as outbox:
        before = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 60))
        add(outbox, event(1), event(2, occurred_at="2020-02-30"))
        send(outbox)
        assert outbox.flush(20)
    first, second = hub.accepted["events"]
    assert before <= first["occurred_at"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    assert second["occurred_at"] == "2020-02-30"


class Clock:
    """The module `time` with a clock that can be set."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def time(self) -> float:
        """The time by this clock."""
        return time.time() + self.ahead

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def test_21_a_clock_that_is_set_back_holds_up_nothing(
    hub: FakeHub, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a lease, nor a pause, nor an item that was put off, of the time when it was a day ahead."""
    clock = Clock()
    for module in (turns, item_queue, kept_items):
        monkeypatch.setattr(module, "time", clock)
    clock.ahead = 86_400
    results = b'{"results": [{"index": 0, "status": "rejected", "retry": true}]}'
    hub.answer = lambda *_: (200, {"Retry-After": "3000"}, results)
    other = connected(hub.url, path, background=False)
    add(other, event(1))
    send(other)
    hub.fail("status", times=2, retry_after="3000")
    add(other, event(2))
    send(other)
    assert state(path)["pause_until"] > time.time() + 86_400
    assert "owner" in state(path)
    clock.ahead = 0.0
    with connected(hub.url, path, background=False) as outbox:
        send(outbox)
        assert len(hub.requests) == 3
        hub.reset()
        hub.answer = lambda *_: None
        clock.ahead = -86_400
        assert outbox.flush(20)
    other.close()


def test_21_a_clock_that_differs_from_the_services_is_told(
    hub: FakeHub, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, by the header Date; no time of an item is changed."""
    when = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 7200))
    usual = hub.usual
    hub.answer = lambda method, path, body: (usual(method, path, body)[0], {"Date": when}, usual(method, path, body)[2])
    with connected(hub.url, path, background=False) as outbox:
        for number in range(2):
            add(outbox, event(number, occurred_at="2026-01-01T00:00:00Z"))
            assert outbox.flush(20)
        skew = outbox.counts().clock_skew
    assert skew is not None
    assert 7100 < skew < 7300
    assert [item["occurred_at"] for item in hub.accepted["events"]] == ["2026-01-01T00:00:00Z"] * 2
    records = [record for record in caplog.records if "clock" in record.getMessage()]
    assert [record.levelno for record in records] == [logging.WARNING]
