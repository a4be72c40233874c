"""What was not accepted: which of it is kept, byte for byte, and what replaying it stores."""

import base64
import gzip
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from db import rejected_submissions
from db.errors import Unavailable
from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, DRY_RUN, JSON, Hub, results_of, totals, totals_of
from tests.service import Service

PATH = "/rejected-submissions"
EVENTS = "/interaction-events"


def unknown(name: str, **fields: Any) -> dict[str, Any]:
    """An event whose type nobody has registered."""
    return EVENT | {"event_type": name} | fields


def raw(hub: Hub) -> list[bytes]:
    """The bytes of each rejection, oldest first, as the hub reads them."""
    found = []
    for item in hub.items(PATH):
        whole = hub.get(f"{PATH}/{item['id']}").json()
        content = base64.b64decode(whole["content_base64"], validate=True)
        assert {name: whole[name] for name in item} == item
        assert whole["content_bytes"] == len(content)
        assert ("content" in whole) == (content.decode(errors="replace").encode() == content)
        assert whole.get("content", content.decode(errors="replace")) == content.decode(errors="replace")
        found.append(content)
    return found


def replay(hub: Hub, headers: dict[str, str] | None = None, **asked: Any) -> Any:
    """The answer to a replay."""
    return hub.post(f"{PATH}/replay", asked, headers=headers or {})


def register(hub: Hub, name: str) -> None:
    """Register an event type."""
    hub.manifest([{"name": name, "description": "x"}])


# What is kept


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (json.dumps(EVENT | {"actor_type": "x"}, indent=1).encode(), "invalid_body", "/actor_type"),
        (b"{bad \xff\xfe", "malformed_json", None),
        (b"\xe2\x82", "malformed_json", None),
        (b"[]", "invalid_body", ""),
        (json.dumps(unknown("nope")).encode(), "event_type_not_registered", "/event_type"),
        (json.dumps(EVENT | {"widget_id": str(uuid4())}).encode(), "widget_not_registered", "/widget_id"),
        (json.dumps(EVENT | {"metadata": {"a": "\0"}}).encode(), "unstorable_value", "/metadata/a"),
    ],
)
@pytest.mark.parametrize("is_gzipped", [False, True], ids=["plain", "gzip"])
def test_what_was_read_and_at_fault_is_kept(
    hub: Hub, body: bytes, code: str, pointer: str | None, is_gzipped: bool
) -> None:
    """Byte for byte as it was before its coding, with what was told and for whom it is written."""
    headers = JSON | ({"Content-Encoding": "gzip"} if is_gzipped else {})
    answer = hub.post(EVENTS, content=gzip.compress(body) if is_gzipped else body, headers=headers)
    assert raw(hub) == [body]
    (item,) = hub.items(PATH)
    told = answer.json()
    assert (item["kind"], item["code"], item.get("pointer")) == ("event", code, pointer)
    assert (item["error"], item["help"], item["contract_version"]) == (told["error"], told["help"], "1.1")
    assert "batch_index" not in item
    assert abs(datetime.fromisoformat(item["received_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_conflict_is_kept(hub: Hub) -> None:
    """With what it conflicts by."""
    hub.event(client_event_id="c")
    hub.event(client_event_id="c", actor_type="user")
    (item,) = hub.items(PATH)
    assert (item["code"], item["pointer"]) == ("idempotency_conflict", "/client_event_id")


def test_a_batch_that_was_refused_as_a_whole_is_no_event(hub: Hub) -> None:
    """It is kept as what it is, told by its own error, and never replayed; with a key that is taken it is not kept."""
    hub.batch([EVENT], Idempotency_Key="k")
    assert hub.batch([EVENT, EVENT], Idempotency_Key="k").status_code == 409
    assert hub.items(PATH) == []
    hub.post(f"{EVENTS}/batch", content=b"{bad", headers=JSON)
    hub.post("/annotations/batch", [ANNOTATION] * 1001)
    found = hub.items(PATH)
    assert [(item["kind"], item["code"]) for item in found] == [
        ("event-batch", "malformed_json"),
        ("annotation-batch", "too_many_items"),
    ]
    assert hub.items(PATH, kind="event-batch") == found[:1]
    assert raw(hub)[0] == b"{bad"
    assert totals_of(replay(hub)) == totals()
    answer = replay(hub, ids=[item["id"] for item in found])
    assert [one["code"] for one in results_of(answer)] == ["batch_not_replayed"] * 2
    assert (answer.status_code, hub.items(PATH)) == (422, found)


def test_what_was_rejected_again_and_again_is_stored_once(hub: Hub, prefix: str) -> None:
    """One event that its sender had tried three times under its key: the first replay stores it, the others know it."""
    for _ in range(3):
        hub.post(EVENTS, unknown(prefix), headers={"Idempotency-Key": "k"})
    register(hub, prefix)
    answer = replay(hub)
    assert totals_of(answer) == totals(created=1, duplicate=2)
    assert {one["id"] for one in results_of(answer)} == {str(row["id"]) for row in hub.rows()}


def test_what_was_not_read_is_not_kept(hub: Hub) -> None:
    """No key, another media type, a body too large, none, a bad header: nothing of it is there to be kept."""
    hub.post(EVENTS, content=b"x" * 70_000, headers=JSON)
    hub.post(EVENTS, content=b"x", headers={"Content-Type": "text/plain"})
    hub.post(EVENTS, content=b"", headers=JSON)
    hub.post(EVENTS, {}, headers={"Idempotency-Key": ""})
    hub.post(EVENTS, {}, headers={"Authorization": "Bearer irk_x"})
    assert hub.rows("rejected_submissions") == []


ITEMS = [
    '{"widget_id":5 , "a":"\\u00e9 [{,"}',
    '{ "b" :[1,[2,"]"],{"c":"}"}] }',
    "5",
    ' "x" '.strip(),
    "{}",
    json.dumps(unknown("nope", metadata={"é\\": [1.50, 1e2]}), ensure_ascii=False),
    "null",
]


@pytest.mark.parametrize("is_gzipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", ["array", "lines"])
def test_items_are_kept_byte_for_byte(hub: Hub, form: str, is_gzipped: bool) -> None:
    """Each rejected item as it stood in the array or line, with its index; what is stored beside them is not."""
    items = [*ITEMS[:3], json.dumps(EVENT), *ITEMS[3:]]
    content = (" [ " + " ,\n".join(items) + "\n]\n" if form == "array" else "\n".join(items)).encode()
    headers = {"Content-Type": "application/json" if form == "array" else "application/x-ndjson"}
    if is_gzipped:
        content, headers = gzip.compress(content), headers | {"Content-Encoding": "gzip"}
    answer = hub.post(f"{EVENTS}/batch", content=content, headers=headers)
    assert totals_of(answer) == totals(created=1, rejected=7)
    assert raw(hub) == [item.encode() for item in ITEMS]
    rejected = [one for one in results_of(answer) if one["status"] == "rejected"]
    kept = [(item["batch_index"], item["error"], item.get("pointer")) for item in hub.items(PATH)]
    assert kept == [(one["index"], one["error"], one.get("pointer")) for one in rejected]


def test_lines_that_are_no_json_are_kept(hub: Hub) -> None:
    """Byte for byte, if they are not too long."""
    hub.lines(b"{bad\n\xff\xfe\n" + b"x" * 65537 + b"\n" + b"y" * 65536)
    assert raw(hub) == [b"{bad", b"\xff\xfe", b"y" * 65536]


def test_lists_are_by_kind_and_code(hub: Hub) -> None:
    """And by when it was received."""
    hub.event(event_type="nope")
    hub.post(EVENTS, {})
    hub.post("/annotations", {})
    found = [(item["kind"], item["code"]) for item in hub.items(PATH)]
    assert found == [("event", "event_type_not_registered"), ("event", "invalid_body"), ("annotation", "invalid_body")]
    assert len(hub.items(PATH, kind="annotation")) == 1
    assert len(hub.items(PATH, code="invalid_body")) == 2
    assert len(hub.items(PATH, kind="event", code="invalid_body")) == 1
    assert hub.items(PATH, code="x") == []
    assert hub.items(PATH, received_since=(datetime.now(UTC) + timedelta(minutes=1)).isoformat()) == []
    assert len(hub.items(PATH, limit=1)) == 3


def test_no_more_is_kept_than_the_operator_wants(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub]
) -> None:
    """The newest, up to the bound and an eighth of it."""
    with start_service(IR_REJECTIONS_COUNT="16") as service:
        hub = new_hub(service)
        for number in range(40):
            hub.event(event_type=f"nope{number}")
        kept = [item["error"] for item in hub.items(PATH)]
        assert 16 <= len(kept) <= 18
        assert kept == [f"event_type 'nope{number}' not registered" for number in range(40 - len(kept), 40)]


# Replay


def test_what_cannot_be_trimmed_is_kept(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is too much then goes with the next one."""

    def trim(*_: Any) -> None:
        raise Unavailable("away")

    with start_service(IR_REJECTIONS_COUNT="1") as service:
        hub = new_hub(service)
        with monkeypatch.context() as patch:
            patch.setattr(rejected_submissions, "trim", trim)
            assert [hub.post(EVENTS, {}).status_code for _ in range(2)] == [422, 422]
        assert len(hub.items(PATH)) == 2
        hub.post(EVENTS, {})
        assert len(hub.items(PATH)) == 1


def test_what_is_accepted_by_now_is_stored_once(hub: Hub, prefix: str) -> None:
    """However often it is replayed, and listed with the id under which it is stored."""
    hub.event(event_type=prefix, view_context_ref="alone")
    hub.batch([unknown(prefix, view_context_ref="in a batch"), EVENT])
    hub.lines(json.dumps(unknown(prefix, view_context_ref="a line")))
    rejections = [item["id"] for item in hub.items(PATH)]
    refused = replay(hub, ids=rejections)
    assert (refused.status_code, totals_of(refused)) == (422, totals(rejected=3))
    register(hub, prefix)
    answer = replay(hub, ids=rejections)
    assert (answer.status_code, totals_of(answer)) == (200, totals(created=3))
    assert [one["rejection_id"] for one in results_of(answer)] == rejections
    stored = {str(row["id"]): row["view_context_ref"] for row in hub.rows() if row["event_type"] == prefix}
    assert [stored[one["id"]] for one in results_of(answer)] == ["alone", "in a batch", "a line"]
    again = replay(hub, ids=rejections)
    assert (again.status_code, totals_of(again)) == (200, totals(duplicate=3))
    assert [one["id"] for one in results_of(again)] == [one["id"] for one in results_of(answer)]
    assert results_of(replay(hub)) == []
    items = hub.items(PATH)
    assert [item["replayed_as"] for item in items] == [one["id"] for one in results_of(answer)]
    assert all(item["replayed_at"] for item in items)
    assert len(hub.rows()) == 4


def test_what_was_stored_meanwhile_is_a_duplicate(hub: Hub, prefix: str) -> None:
    """By its own id, with the id of what is stored."""
    hub.event(event_type=prefix, client_event_id="c")
    register(hub, prefix)
    stored = hub.event(event_type=prefix, client_event_id="c").json()["id"]
    (told,) = results_of(replay(hub))
    assert (told["status"], told["id"]) == ("duplicate", stored)
    assert len(hub.rows()) == 1


def test_a_filter_and_a_limit_choose_the_oldest(hub: Hub, prefix: str) -> None:
    """By kind, by code, at most so many; what does not match stays as it is."""
    for number in range(3):
        hub.event(event_type=prefix, view_context_ref=str(number))
    hub.post(EVENTS, {})
    hub.post("/annotations", ANNOTATION | {"widget_id": str(uuid4())})
    register(hub, prefix)
    (told,) = results_of(replay(hub, code="event_type_not_registered", limit=1))
    assert [str(row["id"]) for row in hub.rows() if row["view_context_ref"] == "0"] == [told["id"]]
    assert totals_of(replay(hub, kind="annotation")) == totals(rejected=1)
    assert totals_of(replay(hub, code="event_type_not_registered", kind="annotation")) == totals()
    assert totals_of(replay(hub, code="event_type_not_registered")) == totals(created=2)
    assert totals_of(replay(hub, ids=[])) == totals()
    assert len(hub.items(PATH)) == 5


def test_events_and_annotations_are_replayed_together(hub: Hub, prefix: str, widget: str) -> None:
    """Each result has an index of its own, oldest first, whatever the kinds are."""
    hub.post("/annotations", ANNOTATION | {"widget_id": widget})
    hub.event(event_type=prefix)
    hub.post("/annotations", {})
    hub.manifest([{"name": prefix, "description": "x"}], [{"id": widget, "name": "x"}])
    answer = replay(hub)
    assert [one["index"] for one in results_of(answer)] == [0, 1, 2]
    assert [one["rejection_id"] for one in results_of(answer)] == [item["id"] for item in hub.items(PATH)]
    assert [one["status"] for one in results_of(answer)] == ["created", "created", "rejected"]
    assert (len(hub.rows()), len(hub.rows("annotations"))) == (1, 1)


def test_a_dry_run_stores_nothing(hub: Hub, prefix: str) -> None:
    """And says that it was one; the same can be replayed afterwards."""
    hub.event(event_type=prefix)
    hub.post(EVENTS, {})
    register(hub, prefix)
    before = hub.counts()
    tried = replay(hub, headers=DRY_RUN)
    assert (tried.headers["preference-applied"], totals_of(tried)) == ("dry-run", totals(created=1, rejected=1))
    assert hub.counts() == before
    assert not any("replayed_at" in item for item in hub.items(PATH))
    done = replay(hub)
    assert totals_of(done) == totals(created=1, rejected=1)
    assert "preference-applied" not in done.headers


def test_what_is_rejected_again_stays_as_it_is(hub: Hub) -> None:
    """No other rejection is kept of it."""
    hub.post(EVENTS, {})
    hub.post(EVENTS, content=b"{bad", headers=JSON)
    before = hub.items(PATH)
    answer = replay(hub)
    assert (answer.status_code, totals_of(answer)) == (422, totals(rejected=2))
    assert hub.items(PATH) == before


@pytest.mark.parametrize(
    "asked", [{"ids": ["x"]}, {"ids": "x"}, {"kind": "x"}, {"limit": 0}, {"limit": 1001}, {"code": ""}, {"x": 1}, []]
)
def test_what_cannot_be_asked_for_is_refused(hub: Hub, asked: Any) -> None:
    """422, and nothing is replayed or kept."""
    assert hub.post(f"{PATH}/replay", asked).status_code == 422
    assert hub.rows("rejected_submissions") == []
