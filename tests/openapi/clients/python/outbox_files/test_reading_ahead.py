"""Batches are read, and the rows of the one before are removed, while the service works: nothing changes by it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from openapi.clients.python.batches import Limits
from openapi.clients.python.operations import Operation
from openapi.clients.python.outbox_files import batch_reader
from openapi.clients.python.outbox_files.items import Kind
from openapi.clients.python.outbox_files.kept_items import KeptItems
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import KIND, add, caller, connected, event, send
from tests.waiting import wait_until

NOTES: Operation[Any] = Operation("note", "POST", "/api/notes/batch")
NOTE = Kind("notes", NOTES, "client_note_id", "", Limits())


def test_20_what_is_erased_is_not_sent_although_it_was_read_ahead(hub: FakeHub, path: Path) -> None:
    """The next request is prepared while the service works on one."""
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, *(event(number) for number in range(1200)))

        def refuse(item: Mapping[str, object]) -> None:
            if item["number"] == 499:  # the last of the first request
                wait_until(lambda: outbox._sender.reader._ahead is not None)
                assert outbox.erase(lambda each: each["number"] >= 600) == 600

        hub.refuse = refuse
        assert outbox.flush(20)
    assert [item["number"] for item in hub.accepted["events"]] == list(range(600))


def test_15_requests_that_were_read_ahead_keep_the_order(hub: FakeHub, path: Path) -> None:
    """Each item once, in the order of its addition, whatever fails between."""
    with connected(hub.url, path, background=False) as outbox:
        for first in range(0, 3000, 1000):
            add(outbox, *(event(number) for number in range(first, first + 1000)))
            hub.fail("cut_after")
            hub.fail("html", status=502)
            assert outbox.flush(20)
        assert outbox.counts().sent == 3000
    assert [item["number"] for item in hub.accepted["events"]] == list(range(3000))


def test_15_what_is_stored_is_removed_when_no_request_follows(hub: FakeHub, path: Path) -> None:
    """A process that stops after a full request leaves nothing to the next one that the service has."""
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, *(event(number) for number in range(600)))
        send(outbox)
        outbox.close(0)
    with connected(hub.url, path, background=False) as outbox:
        assert (outbox.counts().sent, outbox.counts().pending) == (500, 100)
        outbox.close(0)
    assert set(hub.received.values()) == {1}


def test_16_no_item_is_sent_twice_by_halves(hub: FakeHub, path: Path) -> None:
    """The service takes smaller requests than before: each item is stored by the first one that it takes."""

    def too_large(_method: str, _target: str, body: bytes) -> tuple[int, dict[str, str], bytes] | None:
        return (413, {}, b"") if body.count(b"number") > 250 else None

    hub.answer = too_large
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, *(event(number) for number in range(1500)))
        assert outbox.flush(20)
        assert outbox.counts().sent == 1500
    assert set(hub.received.values()) == {1}


def test_18_items_of_each_kind_are_sent(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of one kind are looked for less often if it took time and there were none; never if it holds them up."""
    monkeypatch.setattr(batch_reader, "_LOOK_RATIO", 1e9)
    with (
        FakeHub([KIND, NOTE]) as hub,
        KeptItems(caller(hub.url), [KIND, NOTE], path, background=False) as outbox,
    ):
        add(outbox, event(1))
        assert outbox.flush(20)
        outbox.keep({"text": "a"}, "notes")
        assert outbox.flush(20)
        assert len(hub.accepted["notes"]) == 1
        add(outbox, event(2))
        assert outbox.flush(20)
        assert len(hub.accepted["events"]) == 2
