"""Batches are read, and the rows of the one before are removed, while the service works: nothing changes by it."""

import json
from pathlib import Path

import pytest

from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.typescript.programs import Programs
from tests.openapi.clients.typescript.test_outbox import OPEN, Answer

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

HELD = {"background": False}
MANY = "const many = (first, end) => Array.from({ length: end - first }, (_, n) => event(first + n));"


def numbers(hub: FakeHub) -> list[int]:
    """Those of the events that the service has, in their order."""
    return [item["n"] for item in hub.accepted["interaction_events"]]


@pytest.mark.parametrize("by", ["this outbox", "another one"])
def test_what_is_erased_is_not_sent_although_it_was_read_ahead(
    by: str, node: Programs, hub: FakeHub, tmp_path: Path
) -> None:
    """The next request is prepared while the service works on one."""
    hub.fail("delay", seconds=1.0)
    code = """
    await outbox.addAll(many(0, 1200));
    const options = { path: given.path, ...given.options };
    const other = given.by === "another one" ? await Outbox.open(client, options) : outbox;
    const flushed = outbox.flush();
    await new Promise((resolve) => setTimeout(resolve, 500));
    show(await other.erase(({ n }) => n >= 600));
    show(await flushed);
    """
    shown = node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD, by=by)
    assert shown == [600, True]
    assert numbers(hub) == list(range(600))


def test_each_item_is_sent_once(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """In full requests: those that are under way are not read ahead, and those that are stored are not read again."""
    code = "await outbox.addAll(many(0, 2100)); show(await outbox.flush());"
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [True]
    assert numbers(hub) == list(range(2100))
    assert set(hub.received.values()) == {1}
    assert len(hub.requests) == 5


def test_requests_that_were_read_ahead_keep_the_order(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """Each item once, in the order of its addition, whatever fails between."""
    hub.fail("status", status=503, retry_after="0")
    hub.fail("cut_after")
    code = "await outbox.addAll(many(0, 2100)); show(await outbox.flush()); show((await outbox.counts()).sent);"
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [True, 2100]
    assert numbers(hub) == list(range(2100))


def test_what_is_stored_is_removed_before_a_wait(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """The service asks for a pause after a full request."""

    def limited(method: str, path: str, body: bytes) -> Answer:
        status, fields, answer = hub.usual(method, path, body)
        return status, {**fields, "RateLimit": '"d";r=0;t=99', "RateLimit-Policy": '"d";q=100;w=1000'}, answer

    hub.answer = limited
    code = """
    await outbox.addAll(many(0, 600));
    outbox.flush({ timeoutMs: 30_000 });
    for (const end = performance.now() + 5000; (await outbox.counts()).pending === 600 && performance.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 20));
    show((await outbox.counts()).pending);
    process.exit();
    """
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [100]


def test_what_is_stored_is_removed_before_an_outbox_is_closed(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """By the request that is under way: the next program does not send it again."""
    hub.fail("delay", seconds=0.8)
    code = "await outbox.addAll(many(0, 600)); show(await outbox.close({ timeoutMs: 600 })); process.exit();"
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [False]
    code = "const { sent, pending } = await outbox.counts(); show([sent, pending]);"
    assert node.run(OPEN + code, url=hub.url, path=str(tmp_path), options=HELD) == [[500, 100]]


@pytest.mark.parametrize("end", ["await outbox.close({ timeoutMs: 0 });", "process.exit();"])
def test_what_is_stored_is_removed_when_no_request_follows(
    end: str, node: Programs, hub: FakeHub, tmp_path: Path
) -> None:
    """A program that stops after a full request leaves nothing to the next one that the service has."""

    def one(method: str, path: str, body: bytes) -> Answer | None:
        return hub.usual(method, path, body) if len(hub.requests) == 1 else (503, {"Retry-After": "9"}, b"")

    hub.answer = one
    code = "await outbox.addAll(many(0, 600)); show(await outbox.flush({ timeoutMs: 1000 }));" + end
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [False]
    code = "const { sent, pending } = await outbox.counts(); show([sent, pending]);"
    assert node.run(OPEN + code, url=hub.url, path=str(tmp_path), options=HELD) == [[500, 100]]


def test_what_is_stored_is_removed_when_the_time_of_a_flush_is_over(
    node: Programs, hub: FakeHub, tmp_path: Path
) -> None:
    """The program may be frozen after it, with a request under way, which then takes until the end."""
    hub.fail("delay", seconds=0.7)
    code = """
    await outbox.addAll(many(0, 600));
    show(await outbox.flush({ timeoutMs: 300 }));
    for (const end = performance.now() + 9000; (await outbox.counts()).pending === 600 && performance.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 20));
    show((await outbox.counts()).pending);
    """
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [False, 100]


def test_no_item_is_sent_twice_by_halves(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """The service takes smaller requests than before: each item is stored by the first one that it takes."""

    def too_large(_method: str, _path: str, body: bytes) -> Answer | None:
        return (413, {}, b"") if len(json.loads(body)) > 250 else None

    hub.answer = too_large
    code = "await outbox.addAll(many(0, 1500)); show(await outbox.flush()); show((await outbox.counts()).sent);"
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [True, 1500]
    assert set(hub.received.values()) == {1}
    assert sorted(numbers(hub)) == list(range(1500))


def test_items_of_each_kind_are_sent_beside_full_requests(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """And each once."""
    code = """
    await outbox.addAll(many(0, 1600));
    await outbox.addAll(Array.from({ length: 1600 }, (_, n) => ({ body: `${n}` })), "annotations");
    show(await outbox.flush()); show((await outbox.counts()).sent);
    """
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=HELD) == [True, 3200]
    assert set(hub.received.values()) == {1}
    assert len(hub.requests) == 8


def test_a_full_request_does_not_wait_for_more(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """The pause in which items gather ends with the last one that a request may have."""
    code = """
    await outbox.add(event(0));
    await new Promise((resolve) => setTimeout(resolve, 50));
    show((await outbox.counts()).sent);
    await outbox.addAll(many(1, 500));
    while ((await outbox.counts()).pending) await new Promise((resolve) => setTimeout(resolve, 10));
    show("sent");
    """
    options = {"lingerMs": 3_600_000}
    assert node.run(OPEN + MANY + code, url=hub.url, path=str(tmp_path), options=options)[-2:] == [0, "sent"]


def test_a_batch_has_no_key_of_its_own(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """Each of its items has one: the service need not keep the answer."""
    node.run(OPEN + "await add(3); show(await outbox.flush());", url=hub.url, path=str(tmp_path), options=HELD)
    (request,) = hub.requests
    assert "idempotency-key" not in request[2]
