"""Annotations: what is stored of them, what they may be about, and what is refused."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, DRY_RUN, Hub, results_of, totals, totals_of

PATH = "/annotations"


def test_every_field_is_kept_and_read_back(hub: Hub) -> None:
    """Each optional field reaches its column, and comes back in the hub's own list and by its id."""
    event_id = hub.event().json()["id"]
    sent = {
        "widget_id": EVENT["widget_id"].upper(),
        "event_id": event_id.upper(),
        "category": "confusion",
        "body": "I could not tell \N{SNOWMAN}",
        "severity": "critical",
        "occurred_at": "2026-03-31T14:00:00.25+02:00",
        "actor_id": "0D4F6F0E-9A5E-4C43-8F0E-3A1C5B7D9E22",
        "actor_type": "agent",
        "view_context_ref": "/pipelines/42",
        "metadata": {"n": 2**100, "x": [0.1, None]},
        "client_annotation_id": "remark-7",
    }
    answer = hub.post(PATH, sent)
    assert answer.status_code == 201
    identifier = answer.json()["id"]
    assert answer.json() == {"id": identifier, "widget_id": EVENT["widget_id"], "category": "confusion"}
    assert UUID(identifier).version == 7
    (row,) = hub.rows("annotations")
    assert (str(row["id"]), row["metadata"], row["additional_fields"]) == (identifier, sent["metadata"], None)
    assert row["occurred_at"] == datetime(2026, 3, 31, 12, 0, 0, 250000, UTC)
    read = hub.get(f"{PATH}/{identifier}").json()
    assert abs(datetime.fromisoformat(read.pop("received_at")) - datetime.now(UTC)) < timedelta(minutes=1)
    lower = {name: sent[name].lower() for name in ("widget_id", "event_id", "actor_id")}
    kept = {"id": identifier, "occurred_at": "2026-03-31T12:00:00.250000Z", "contract_version": "1.1"}
    assert read == sent | lower | kept
    assert [item["id"] for item in hub.items(PATH)] == [identifier]


def test_what_does_not_say_when_it_was_gets_the_time_of_now(hub: Hub) -> None:
    """And sent again later it is the same annotation still."""
    before = datetime.now(UTC)
    first, again = (hub.post(PATH, ANNOTATION | {"client_annotation_id": "a"}) for _ in range(2))
    (row,) = hub.rows("annotations")
    assert before <= row["occurred_at"] <= datetime.now(UTC)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


def test_what_it_is_about_must_be_there(hub: Hub) -> None:
    """422 names the widget, the event, or both; nothing is stored, and an event_id in upper case is repeated so."""
    missing = str(uuid4()).upper()
    widget = hub.post(PATH, ANNOTATION | {"widget_id": missing})
    event = hub.post(PATH, ANNOTATION | {"event_id": missing})
    both = hub.post(PATH, ANNOTATION | {"event_id": missing, "widget_id": missing})
    assert (widget.status_code, event.status_code, both.status_code) == (422, 422, 422)
    assert widget.json()["error"] == f"widget_id '{missing}' not registered"
    assert event.json()["error"] == f"event_id '{missing}' is not an event of this hub"
    assert both.json()["error"] == f"{widget.json()['error']}; {event.json()['error']}"
    assert hub.rows("annotations") == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", "rant"),
        ("category", None),
        ("severity", "fatal"),
        ("body", ""),
        ("body", "x" * 10_001),
        ("body", 5),
        ("body", "\0"),
        ("event_id", "no"),
        ("occurred_at", "yesterday"),
        ("client_annotation_id", ""),
        ("client_event_id", "of an event"),
        ("id", "0d4f6f0e-9a5e-4c43-8f0e-3a1c5b7d9e22"),
    ],
)
def test_a_field_that_cannot_be_is_refused(hub: Hub, field: str, value: object) -> None:
    """422, which names the field, and nothing is stored."""
    answer = hub.post(PATH, ANNOTATION | {field: value})
    assert answer.status_code == 422
    assert field in answer.json()["error"]
    assert hub.rows("annotations") == []


def test_a_body_may_have_10000_characters(hub: Hub) -> None:
    """Of any planes, and they come back."""
    body = "\N{SMILING FACE WITH SUNGLASSES}" * 10_000
    identifier = hub.post(PATH, ANNOTATION | {"body": body}).json()["id"]
    assert hub.get(f"{PATH}/{identifier}").json()["body"] == body


def test_each_of_a_batch_is_judged_alone(hub: Hub) -> None:
    """Those on events of the hub's own are stored; one is told by its pointer, another is a duplicate."""
    event_id = hub.event().json()["id"]
    items = [
        ANNOTATION | {"event_id": event_id},
        ANNOTATION | {"event_id": str(uuid4())},
        ANNOTATION | {"client_annotation_id": "a"},
        ANNOTATION | {"client_annotation_id": "a"},
        ANNOTATION | {"category": "rant"},
    ]
    answer = hub.batch(items, PATH)
    assert answer.status_code == 422
    assert totals_of(answer) == totals(created=2, duplicate=1, rejected=2)
    assert [one.get("pointer") for one in results_of(answer)] == [None, "/event_id", None, None, "/category"]
    assert {str(row["id"]) for row in hub.rows("annotations")} == {
        one["id"] for one in results_of(answer) if "id" in one
    }


def test_a_dry_run_keeps_nothing(hub: Hub) -> None:
    """200 for what would be stored, alone and in a batch."""
    assert hub.post(PATH, ANNOTATION, headers=DRY_RUN).status_code == 200
    assert hub.batch([ANNOTATION], PATH, Prefer="dry-run").status_code == 200
    assert set(hub.counts().values()) == {0}


def test_events_are_found_however_they_were_submitted(hub: Hub) -> None:
    """An annotation may be on an event of a batch at once, and is found by its filter."""
    (told,) = results_of(hub.batch([EVENT]))
    hub.post(PATH, ANNOTATION)
    identifier = hub.post(PATH, ANNOTATION | {"event_id": told["id"]}).json()["id"]
    assert [item["id"] for item in hub.items(PATH, event_id=told["id"])] == [identifier]
