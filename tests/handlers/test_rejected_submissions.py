"""Rejected submissions: which ones are kept byte for byte, and what their replay stores."""

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
    """An event of a type that no hub has registered."""
    return EVENT | {"event_type": name} | fields


def raw(hub: Hub) -> list[bytes]:
    """The content of each rejection as bytes, oldest first, as the hub reads it."""
    contents = []
    for item in hub.items(PATH):
        whole = hub.get(f"{PATH}/{item['id']}").json()
        content = base64.b64decode(whole["content_base64"], validate=True)
        assert {name: whole[name] for name in item} == item
        assert whole["content_bytes"] == len(content)
        assert ("content" in whole) == (content.decode(errors="replace").encode() == content)
        assert whole.get("content", content.decode(errors="replace")) == content.decode(errors="replace")
        contents.append(content)
    return contents


def replay(hub: Hub, headers: dict[str, str] | None = None, **body: Any) -> Any:
    """The response to a replay."""
    return hub.post(f"{PATH}/replay", body, headers=headers or {})


def register(hub: Hub, name: str) -> None:
    """Register an event type."""
    hub.manifest([{"name": name, "description": "x"}])


# Kept submissions


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
    ids=["a value", "no JSON", "no UTF-8", "an array", "an event type", "a widget", "U+0000"],
)
@pytest.mark.parametrize("is_gzipped", [False, True], ids=["plain", "gzip"])
def test_an_invalid_submission_is_kept(hub: Hub, body: bytes, code: str, pointer: str | None, is_gzipped: bool) -> None:
    """Byte for byte as before its content coding, with the error in the response and the contract's version."""
    headers = JSON | ({"Content-Encoding": "gzip"} if is_gzipped else {})
    answer = hub.post(EVENTS, content=gzip.compress(body) if is_gzipped else body, headers=headers)
    assert raw(hub) == [body]
    (item,) = hub.items(PATH)
    error = answer.json()
    assert (item["kind"], item["code"], item.get("pointer")) == ("event", code, pointer)
    assert (item["error"], item["help"], item["contract_version"]) == (error["error"], error["help"], "1.1")
    assert "batch_index" not in item
    assert abs(datetime.fromisoformat(item["received_at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_conflict_is_kept(hub: Hub) -> None:
    """With a pointer to the conflicting id."""
    hub.event(client_event_id="c")
    hub.event(client_event_id="c", actor_type="user")
    (item,) = hub.items(PATH)
    assert (item["code"], item["pointer"]) == ("idempotency_conflict", "/client_event_id")


def test_a_batch_refused_as_a_whole_is_kept_as_a_batch(hub: Hub) -> None:
    """It is kept as a batch with its own error, and never replayed; if its key is in use it is not kept."""
    hub.batch([EVENT], Idempotency_Key="k")
    assert hub.batch([EVENT, EVENT], Idempotency_Key="k").status_code == 409
    assert hub.items(PATH) == []
    hub.post(f"{EVENTS}/batch", content=b"{bad", headers=JSON)
    hub.post("/annotations/batch", [ANNOTATION] * 1001)
    items = hub.items(PATH)
    assert [(item["kind"], item["code"]) for item in items] == [
        ("event-batch", "malformed_json"),
        ("annotation-batch", "too_many_items"),
    ]
    assert hub.items(PATH, kind="event-batch") == items[:1]
    assert raw(hub)[0] == b"{bad"
    assert totals_of(replay(hub)) == totals()
    answer = replay(hub, ids=[item["id"] for item in items])
    assert [result["code"] for result in results_of(answer)] == ["batch_not_replayed"] * 2
    assert (answer.status_code, hub.items(PATH)) == (422, items)


def test_an_event_rejected_several_times_is_stored_once(hub: Hub, prefix: str) -> None:
    """An event sent three times under one key: its first rejection is stored, and the others are duplicates."""
    for _ in range(3):
        hub.post(EVENTS, unknown(prefix), headers={"Idempotency-Key": "k"})
    register(hub, prefix)
    answer = replay(hub)
    assert totals_of(answer) == totals(created=1, duplicate=2)
    assert {result["id"] for result in results_of(answer)} == {str(row["id"]) for row in hub.rows()}


def test_an_unread_body_is_not_kept(hub: Hub) -> None:
    """No key, another media type, a body too large, no body, an invalid header: the service read no submission."""
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
    """Each rejected item as in the array or line, with its index; items that are stored are not kept."""
    items = [*ITEMS[:3], json.dumps(EVENT), *ITEMS[3:]]
    content = (" [ " + " ,\n".join(items) + "\n]\n" if form == "array" else "\n".join(items)).encode()
    headers = {"Content-Type": "application/json" if form == "array" else "application/x-ndjson"}
    if is_gzipped:
        content, headers = gzip.compress(content), headers | {"Content-Encoding": "gzip"}
    answer = hub.post(f"{EVENTS}/batch", content=content, headers=headers)
    assert totals_of(answer) == totals(created=1, rejected=7)
    assert raw(hub) == [item.encode() for item in ITEMS]
    rejected = [result for result in results_of(answer) if result["status"] == "rejected"]
    rejections = [(item["batch_index"], item["error"], item.get("pointer")) for item in hub.items(PATH)]
    assert rejections == [(result["index"], result["error"], result.get("pointer")) for result in rejected]


def test_invalid_lines_are_kept(hub: Hub) -> None:
    """Byte for byte, unless they are too long."""
    hub.lines(b"{bad\n\xff\xfe\n" + b"x" * 65537 + b"\n" + b"y" * 65536)
    assert raw(hub) == [b"{bad", b"\xff\xfe", b"y" * 65536]


def test_lists_are_filtered_by_kind_and_code(hub: Hub) -> None:
    """And by the time of receipt."""
    hub.event(event_type="nope")
    hub.post(EVENTS, {})
    hub.post("/annotations", {})
    items = [(item["kind"], item["code"]) for item in hub.items(PATH)]
    assert items == [("event", "event_type_not_registered"), ("event", "invalid_body"), ("annotation", "invalid_body")]
    assert len(hub.items(PATH, kind="annotation")) == 1
    assert len(hub.items(PATH, code="invalid_body")) == 2
    assert len(hub.items(PATH, kind="event", code="invalid_body")) == 1
    assert hub.items(PATH, code="x") == []
    assert hub.items(PATH, received_since=(datetime.now(UTC) + timedelta(minutes=1)).isoformat()) == []
    assert len(hub.items(PATH, limit=1)) == 3


def test_the_number_of_kept_submissions_is_limited(
    start_service: Callable[..., AbstractContextManager[Service]], new_hub: Callable[..., Hub]
) -> None:
    """The newest, up to the operator's limit and an eighth more."""
    with start_service(IR_REJECTIONS_COUNT="16") as service:
        hub = new_hub(service)
        for number in range(40):
            hub.event(event_type=f"nope{number}")
        errors = [item["error"] for item in hub.items(PATH)]
        assert 16 <= len(errors) <= 18
        assert errors == [f"event_type 'nope{number}' not registered" for number in range(40 - len(errors), 40)]


# Replay


def test_rejections_are_kept_if_trimming_fails(
    start_service: Callable[..., AbstractContextManager[Service]],
    new_hub: Callable[..., Hub],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next rejection trims the surplus."""

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


def test_a_replayed_submission_is_stored_once(hub: Hub, prefix: str) -> None:
    """However often it is replayed; the list then names the id of the stored row."""
    hub.event(event_type=prefix, view_context_ref="alone")
    hub.batch([unknown(prefix, view_context_ref="in a batch"), EVENT])
    hub.lines(json.dumps(unknown(prefix, view_context_ref="a line")))
    rejections = [item["id"] for item in hub.items(PATH)]
    rejected = replay(hub, ids=rejections)
    assert (rejected.status_code, totals_of(rejected)) == (422, totals(rejected=3))
    register(hub, prefix)
    answer = replay(hub, ids=rejections)
    assert (answer.status_code, totals_of(answer)) == (200, totals(created=3))
    assert [result["rejection_id"] for result in results_of(answer)] == rejections
    references = {str(row["id"]): row["view_context_ref"] for row in hub.rows() if row["event_type"] == prefix}
    assert [references[result["id"]] for result in results_of(answer)] == ["alone", "in a batch", "a line"]
    second = replay(hub, ids=rejections)
    assert (second.status_code, totals_of(second)) == (200, totals(duplicate=3))
    assert [result["id"] for result in results_of(second)] == [result["id"] for result in results_of(answer)]
    assert results_of(replay(hub)) == []
    items = hub.items(PATH)
    assert [item["replayed_as"] for item in items] == [result["id"] for result in results_of(answer)]
    assert all(item["replayed_at"] for item in items)
    assert len(hub.rows()) == 4


def test_a_replay_of_a_stored_event_is_a_duplicate(hub: Hub, prefix: str) -> None:
    """By the client's own id; the result has the id of the stored row."""
    hub.event(event_type=prefix, client_event_id="c")
    register(hub, prefix)
    stored = hub.event(event_type=prefix, client_event_id="c").json()["id"]
    (result,) = results_of(replay(hub))
    assert (result["status"], result["id"]) == ("duplicate", stored)
    assert len(hub.rows()) == 1


def test_a_filter_and_a_limit_choose_the_oldest(hub: Hub, prefix: str) -> None:
    """By kind, by code, up to the limit; other rejections stay unchanged."""
    for number in range(3):
        hub.event(event_type=prefix, view_context_ref=str(number))
    hub.post(EVENTS, {})
    hub.post("/annotations", ANNOTATION | {"widget_id": str(uuid4())})
    register(hub, prefix)
    (result,) = results_of(replay(hub, code="event_type_not_registered", limit=1))
    assert [str(row["id"]) for row in hub.rows() if row["view_context_ref"] == "0"] == [result["id"]]
    assert totals_of(replay(hub, kind="annotation")) == totals(rejected=1)
    assert totals_of(replay(hub, code="event_type_not_registered", kind="annotation")) == totals()
    assert totals_of(replay(hub, code="event_type_not_registered")) == totals(created=2)
    assert totals_of(replay(hub, ids=[])) == totals()
    assert len(hub.items(PATH)) == 5


def test_events_and_annotations_are_replayed_together(hub: Hub, prefix: str, widget: str) -> None:
    """The results are numbered oldest first, whatever their kinds."""
    hub.post("/annotations", ANNOTATION | {"widget_id": widget})
    hub.event(event_type=prefix)
    hub.post("/annotations", {})
    hub.manifest([{"name": prefix, "description": "x"}], [{"id": widget, "name": "x"}])
    answer = replay(hub)
    assert [result["index"] for result in results_of(answer)] == [0, 1, 2]
    assert [result["rejection_id"] for result in results_of(answer)] == [item["id"] for item in hub.items(PATH)]
    assert [result["status"] for result in results_of(answer)] == ["created", "created", "rejected"]
    assert (len(hub.rows()), len(hub.rows("annotations"))) == (1, 1)


def test_a_dry_run_stores_nothing(hub: Hub, prefix: str) -> None:
    """A header names the dry run; the same rejections can be replayed afterwards."""
    hub.event(event_type=prefix)
    hub.post(EVENTS, {})
    register(hub, prefix)
    before = hub.counts()
    dry = replay(hub, headers=DRY_RUN)
    assert (dry.headers["preference-applied"], totals_of(dry)) == ("dry-run", totals(created=1, rejected=1))
    assert hub.counts() == before
    assert not any("replayed_at" in item for item in hub.items(PATH))
    real = replay(hub)
    assert totals_of(real) == totals(created=1, rejected=1)
    assert "preference-applied" not in real.headers


def test_a_submission_rejected_again_stays_unchanged(hub: Hub) -> None:
    """The replay adds no other rejection."""
    hub.post(EVENTS, {})
    hub.post(EVENTS, content=b"{bad", headers=JSON)
    before = hub.items(PATH)
    answer = replay(hub)
    assert (answer.status_code, totals_of(answer)) == (422, totals(rejected=2))
    assert hub.items(PATH) == before


@pytest.mark.parametrize(
    "body", [{"ids": ["x"]}, {"ids": "x"}, {"kind": "x"}, {"limit": 0}, {"limit": 1001}, {"code": ""}, {"x": 1}, []]
)
def test_an_invalid_replay_is_refused(hub: Hub, body: Any) -> None:
    """422, and nothing is replayed or kept."""
    assert hub.post(f"{PATH}/replay", body).status_code == 422
    assert hub.rows("rejected_submissions") == []
