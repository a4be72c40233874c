"""The outbox on files: each item is stored once, or refused with its reason, whatever happens to the service."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.typescript.programs import Programs

pytestmark = pytest.mark.costly  # programs of Node.js, which neither coverage nor another Python sees

OPEN = """
const logger = { info() {}, warn() {}, error() {} };
const client = new Client(given.url, { apiKey: "k", timeoutMs: given.timeoutMs ?? 20000, logger });
const told = [];
const onRefused = ({ kind, item, reason }) => told.push([kind, item.n, reason.error]);
const outbox = await Outbox.open(client, { path: given.path, lingerMs: 0, onRefused, ...given.options });
const event = (n) => ({ widget_id: "w", event_type: "clicked", occurred_at: "2026-03-31T12:00:00Z", n });
const add = async (count) => { for (let n = 0; n < count; n++) await outbox.add(event(n)); };
"""
Answer = tuple[int, dict[str, str], bytes]


def counts(**given: Any) -> dict[str, Any]:
    """The counts of an outbox without the values that differ."""
    return {"added": 0, "sent": 0, "refused": 0, "pending": 0, "expired": 0, "erased": 0, "lastError": "", **given}


def without_times(shown: dict[str, Any]) -> dict[str, Any]:
    """The counts that a program shows, without those that differ."""
    return {name: value for name, value in shown.items() if name not in {"oldestAgeMs", "clockSkew"}}


def test_items_of_both_kinds_are_sent(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """With keys and times that are made at `add`; the files are for their owner alone."""
    code = """
    const key = await outbox.add({ widget_id: "w", event_type: "clicked" });
    await outbox.addAll([{ body: "b", client_annotation_id: "own" }], "annotations");
    show([key, await outbox.flush(), await outbox.counts()]);
    """
    ((key, is_done, counted),) = node.run(OPEN + code, url=hub.url, path=str(tmp_path / "outbox"))
    assert is_done
    assert without_times(counted) == counts(added=2, sent=2)
    (event,) = hub.accepted["interaction_events"]
    assert event["client_event_id"] == key
    assert event["occurred_at"].endswith("Z")
    assert hub.accepted["annotations"][0]["client_annotation_id"] == "own"
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "outbox").iterdir()}
    assert modes == {0o600}


FAULTS: dict[str, dict[str, Any]] = {
    "html": {"status": 502},
    "cut_before": {},
    "cut_after": {},
    "half": {},
    "status": {"status": 503, "retry_after": "0"},
    "slow": {"seconds": 0.05},
    "delay": {"seconds": 0.6},
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_loses_and_doubles_nothing(kind: Any, node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """The items are sent again until their results arrive."""
    hub.fail(kind, times=2, **FAULTS[kind])
    code = "await add(20); show([await outbox.flush(), await outbox.counts()]);"
    ((is_done, counted),) = node.run(OPEN + code, url=hub.url, path=str(tmp_path), timeoutMs=500)
    assert is_done
    assert without_times(counted) == counts(added=20, sent=20)
    assert sorted(item["n"] for item in hub.accepted["interaction_events"]) == list(range(20))
    assert len(hub.requests) >= 3


def test_items_are_sent_while_a_program_only_adds(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """A loop of nothing but `add` leaves the sender its turns."""
    code = """
    for (let n = 0; (await outbox.counts()).sent === 0 && n < 20000; n += 100) await add(100);
    show([(await outbox.counts()).sent > 0, await outbox.close()]);
    """
    assert node.run(OPEN + code, url=hub.url, path=str(tmp_path)) == [[True, True]]


@pytest.mark.parametrize("status", [400, 413, 415, 422, 403])
def test_an_item_that_spoils_its_request_is_found(status: int, node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """By halves: the others are stored, and it is refused alone, by a page of a proxy, too."""

    def refuse(method: str, path: str, body: bytes) -> Answer | None:
        poisoned = any(item["n"] == 13 for item in json.loads(body))
        return (status, {"Content-Type": "text/html"}, b"<html>") if poisoned and method and path else None

    hub.answer = refuse
    code = "await add(20); const isDone = await outbox.flush();"
    code += "show([isDone, (await outbox.refused()).map(({ item, reason }) => [item.n, reason])]);"
    ((is_done, refused),) = node.run(OPEN + code, url=hub.url, path=str(tmp_path))
    assert is_done
    reason = {"status": status, "code": f"http_{status}", "error": "", "help": "", "pointer": ""}
    assert refused == [[13, reason]]
    assert sorted(item["n"] for item in hub.accepted["interaction_events"]) == [n for n in range(20) if n != 13]


def test_a_refused_item_is_kept_replayed_and_erased(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """`onRefused` is called; a replay may be refused again; nothing of an erased item stays in a file."""
    hub.refuse = lambda item: f"no {item['n']}" if item["n"] < 3 else None
    code = """
    await add(5); await outbox.flush();
    show([(await outbox.refused()).map(({ item, reason }) => [item.n, reason.error]), told]);
    const [{ key }] = await outbox.refused();
    show([await outbox.replay([key]), await outbox.flush(), await outbox.counts()]);
    show([await outbox.erase((item) => item.n === 1), await outbox.counts()]);
    await outbox.close();
    """
    (refused, told), (replayed, is_done, counted), (erased, left) = node.run(
        OPEN + code, url=hub.url, path=str(tmp_path)
    )
    assert refused == [[0, "no 0"], [1, "no 1"], [2, "no 2"]]
    assert told == [["interactionEvents", *each] for each in refused]
    assert (replayed, is_done) == (1, True)
    assert without_times(counted) == counts(added=5, sent=2, refused=3)
    assert erased == 1
    assert without_times(left) == counts(added=5, sent=2, refused=2, erased=1)
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert '"n":2' in text
    assert '"n":1' not in text
    again = "show(await outbox.counts()); show(await outbox.replay()); show(await outbox.flush());"
    hub.refuse = lambda item: item.get("never")
    assert without_times(node.run(OPEN + again, url=hub.url, path=str(tmp_path))[0]) == without_times(left)
    assert len(hub.accepted["interaction_events"]) == 4


@pytest.mark.parametrize("status", [301, 401, 403, 404, 410])
def test_a_service_that_refuses_all_is_left_alone(status: int, node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """Nothing is touched, one request is made, and the counts have the reason."""
    hub.fail("status", times=None, status=status)
    code = "await add(3); show([await outbox.flush({ timeoutMs: 2000 }), await outbox.counts()]);"
    options = {"background": False}
    ((is_done, counted),) = node.run(OPEN + code, url=hub.url, path=str(tmp_path), options=options)
    assert not is_done
    assert counted["pending"] == 3
    assert str(status) in counted["lastError"]
    assert len(hub.requests) == 1


def test_an_item_that_may_pass_is_put_off(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """The others are settled by the same answer; one without a result is sent again, too."""
    results = [
        {"index": 0, "status": "created"},
        {"index": 1, "status": "rejected", "retry": True, "error": "later"},
        {"index": 3, "status": "a new one"},
    ]
    first: list[bytes] = []

    def partly(method: str, path: str, body: bytes) -> Answer | None:
        first.append(body)
        is_first = len(first) == 1 and method and path
        return (200, {}, json.dumps({"results": results}).encode()) if is_first else None

    hub.answer = partly
    code = "await outbox.addAll([0, 1, 2, 3].map(event)); show([await outbox.flush(), await outbox.counts()]);"
    ((is_done, counted),) = node.run(OPEN + code, url=hub.url, path=str(tmp_path), options={"background": False})
    assert is_done
    assert without_times(counted) == counts(added=4, sent=4)
    assert sorted(item["n"] for item in hub.accepted["interaction_events"]) == [1, 2]


def test_what_cannot_be_kept_is_said_at_once(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """An item that is no JSON, or too large; another one under a key that waits; one too many; a closed outbox."""
    hub.fail("status", times=None)
    code = """
    const all = async (...items) => (await caught(outbox.addAll(items)))?.message;
    show(await all(event(0), { n: NaN }));
    show(await all({ text: "a".repeat(70000) }));
    const own = { ...event(1), client_event_id: "own" };
    show([await outbox.add(own), await outbox.add(own), await all({ ...own, n: 2 })]);
    show(await all({ client_event_id: "" }));
    show((await caught(outbox.addAll([1, 2, 3, 4, 5].map(event)))).name);
    show(await outbox.counts());
    await outbox.close({ timeoutMs: 0 });
    show((await caught(outbox.add(event(1)))).message);
    """
    options = {"maxItems": 5, "background": False}
    invalid, large, own, empty, full, counted, closed = node.run(
        OPEN + code, url=hub.url, path=str(tmp_path), options=options
    )
    assert invalid == "/1/n: NaN is no number of JSON"
    assert large.startswith("/0: it has 70")
    assert own == ["own", "own", 'the item: an item with the key "own" waits already, with other content']
    assert empty == "/0/client_event_id: it is no text, or empty"
    assert full == "OutboxFull"
    assert (counted["added"], counted["pending"]) == (1, 1)
    assert closed == "the outbox is closed"


def test_what_is_too_old_is_deleted(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """And counted."""
    hub.fail("status", times=None)
    code = "await add(2); await new Promise((resolve) => setTimeout(resolve, 50));"
    code += "show(await outbox.flush()); show(await outbox.counts());"
    options = {"maxAgeMs": 20, "background": False}
    is_done, counted = node.run(OPEN + code, url=hub.url, path=str(tmp_path), options=options)
    assert is_done
    assert without_times(counted) == counts(added=2, expired=2)


def test_a_batch_waits_for_the_rate_of_the_service(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """By the RateLimit fields: a backlog is sent as fast as the service says, and no faster."""

    def limited(method: str, path: str, body: bytes) -> Answer:
        status, fields, answer = hub.usual(method, path, body)
        return status, {**fields, "RateLimit": '"d";r=0;t=9', "RateLimit-Policy": '"d";q=100;w=100'}, answer

    hub.answer = limited
    code = "await outbox.addAll(Array.from({ length: 600 }, (_, n) => event(n)));"
    code += "show(await outbox.flush({ timeoutMs: 3000 })); show((await outbox.counts()).pending);"
    options = {"background": False}
    assert node.run(OPEN + code, url=hub.url, path=str(tmp_path), options=options) == [False, 100]


def test_an_outbox_does_not_keep_its_process_awake(node: Programs, hub: FakeHub, tmp_path: Path) -> None:
    """Without an answer the program ends soon; the next one sends what it left, without an item of its own."""
    hub.fail("html", times=None, status=502)
    node.run(OPEN + "await add(3); show('added');", url=hub.url, path=str(tmp_path))
    assert hub.accepted["interaction_events"] == []
    hub.reset()
    code = "const hurry = setInterval(() => {}, 10);"
    code += "while ((await outbox.counts()).pending) await new Promise((r) => setTimeout(r, 10)); clearInterval(hurry);"
    node.run(OPEN + code, url=hub.url, path=str(tmp_path))
    assert sorted(item["n"] for item in hub.accepted["interaction_events"]) == [0, 1, 2]
