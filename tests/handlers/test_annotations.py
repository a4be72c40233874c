"""Annotations: their stored fields, the rows that they refer to, and refusals."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.examples import EVENT
from tests.handlers.conftest import ANNOTATION, DRY_RUN, Hub, results_of, totals, totals_of

PATH = "/annotations"


def test_every_field_is_kept_and_read_back(hub: Hub) -> None:
    """Each optional field reaches its column, and is read in the hub's own list and by its id."""
    event_id = hub.event().json()["id"]
    annotation = {
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
    answer = hub.post(PATH, annotation)
    assert answer.status_code == 201
    identifier = answer.json()["id"]
    assert answer.json() == {"id": identifier, "widget_id": EVENT["widget_id"], "category": "confusion"}
    assert UUID(identifier).version == 7
    (row,) = hub.rows("annotations")
    assert (str(row["id"]), row["metadata"], row["additional_fields"]) == (identifier, annotation["metadata"], None)
    assert row["occurred_at"] == datetime(2026, 3, 31, 12, 0, 0, 250000, UTC)
    read = hub.get(f"{PATH}/{identifier}").json()
    assert abs(datetime.fromisoformat(read.pop("received_at")) - datetime.now(UTC)) < timedelta(minutes=1)
    lower = {name: annotation[name].lower() for name in ("widget_id", "event_id", "actor_id")}
    generated = {"id": identifier, "occurred_at": "2026-03-31T12:00:00.250000Z", "contract_version": "1.1"}
    assert read == annotation | lower | generated
    assert [item["id"] for item in hub.items(PATH)] == [identifier]


def test_an_annotation_without_a_time_gets_the_current_one(hub: Hub) -> None:
    """Sent again later it is still the same annotation."""
    started = datetime.now(UTC)
    first, second = (hub.post(PATH, ANNOTATION | {"client_annotation_id": "a"}) for _ in range(2))
    (row,) = hub.rows("annotations")
    assert started <= row["occurred_at"] <= datetime.now(UTC)
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"


def test_its_widget_and_event_must_exist(hub: Hub) -> None:
    """422 names the widget, the event, or both; nothing is stored, and an id is repeated in its upper case."""
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
def test_an_invalid_field_is_refused(hub: Hub, field: str, value: object) -> None:
    """422 names the field, and nothing is stored."""
    answer = hub.post(PATH, ANNOTATION | {field: value})
    assert answer.status_code == 422
    assert field in answer.json()["error"]
    assert hub.rows("annotations") == []


def test_a_body_may_have_10000_characters(hub: Hub) -> None:
    """Of any plane, and they are read back."""
    body = "\N{SMILING FACE WITH SUNGLASSES}" * 10_000
    identifier = hub.post(PATH, ANNOTATION | {"body": body}).json()["id"]
    assert hub.get(f"{PATH}/{identifier}").json()["body"] == body


def test_each_annotation_of_a_batch_is_judged_separately(hub: Hub) -> None:
    """Annotations on the hub's own events are stored, an invalid one has a pointer, a repeated one is a duplicate."""
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
    assert [result.get("pointer") for result in results_of(answer)] == [None, "/event_id", None, None, "/category"]
    assert {str(row["id"]) for row in hub.rows("annotations")} == {
        result["id"] for result in results_of(answer) if "id" in result
    }


def test_a_dry_run_stores_nothing(hub: Hub) -> None:
    """200 for a valid annotation, alone and in a batch."""
    assert hub.post(PATH, ANNOTATION, headers=DRY_RUN).status_code == 200
    assert hub.batch([ANNOTATION], PATH, Prefer="dry-run").status_code == 200
    assert set(hub.counts().values()) == {0}


def test_an_annotation_may_refer_to_an_event_of_a_batch(hub: Hub) -> None:
    """An annotation may refer at once to an event of a batch, and the list is filtered by that event."""
    (result,) = results_of(hub.batch([EVENT]))
    hub.post(PATH, ANNOTATION)
    identifier = hub.post(PATH, ANNOTATION | {"event_id": result["id"]}).json()["id"]
    assert [item["id"] for item in hub.items(PATH, event_id=result["id"])] == [identifier]
