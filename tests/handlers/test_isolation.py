"""Two hubs: no operation lets one hub see or change the rows of the other."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import httpx
import pytest

from tests.examples import EVENT, NEWEST
from tests.handlers.conftest import ANNOTATION, TABLES, Hub, results_of, totals, totals_of
from tests.service import CONTRACTS, Service

EVENTS, ANNOTATIONS, REJECTIONS = "/interaction-events", "/annotations", "/rejected-submissions"
SECRET = "private-to-a"


@dataclass
class Owner:
    """A hub with a row of each kind, and what identifies the rows; each of its own texts contains `SECRET`."""

    hub: Hub
    event: str
    annotation: str
    rejection: str
    cursors: dict[str, str]
    event_type: str

    @property
    def marks(self) -> list[str]:
        """The texts that another hub must never see."""
        return [SECRET, self.event, self.annotation, self.rejection, str(self.hub.id)]


@pytest.fixture
def a(newest: Service, new_hub: Callable[..., Hub], prefix: str) -> Owner:
    """A hub with an event, an annotation, a rejection of each kind, usage and a manifest."""
    hub = new_hub(newest)
    secret = {"view_context_ref": SECRET, "metadata": {SECRET: SECRET}, "actor_id": str(uuid4())}
    own = {"client_event_id": f"{SECRET}-event", **secret}
    headers = {"Idempotency-Key": "k"}
    event = hub.post(EVENTS, EVENT | own, headers=headers).json()["id"]
    remark = ANNOTATION | secret | {"body": SECRET, "client_annotation_id": f"{SECRET}-remark", "event_id": event}
    annotation = hub.post(ANNOTATIONS, remark).json()["id"]
    hub.event(event_type=SECRET + prefix)
    hub.post(ANNOTATIONS, remark | {"widget_id": str(uuid4())})
    event_type = {"name": prefix, "description": "Shared."}
    hub.manifest([event_type], [{"id": str(uuid4()), "name": "Shared."}])
    (rejection, _) = [item["id"] for item in hub.items(REJECTIONS)]
    cursors = {path: hub.get(path, limit=1).json()["next_cursor"] for path in (EVENTS, ANNOTATIONS, REJECTIONS)}
    return Owner(hub, event, annotation, rejection, cursors, prefix)


@pytest.fixture
def b(newest: Service, new_hub: Callable[..., Hub]) -> Hub:
    """A hub without rows."""
    return new_hub(newest)


Try = Callable[[Owner, Hub], None]
TRIES: dict[str, Try] = {}


def of(operation: str) -> Callable[[Try], Try]:
    """Register the function as the attempt at `operation`."""

    def mark(function: Try) -> Try:
        TRIES[operation] = function
        return function

    return mark


def checked(a: Owner, response: httpx.Response, status: int) -> httpx.Response:
    """Return `response`, after checking that it has `status` and contains no mark of `a`."""
    assert response.status_code == status, response.text
    everything = response.text + str(response.headers)
    assert [mark for mark in a.marks if mark in everything] == []
    return response


def reads_nothing(a: Owner, b: Hub, path: str, **filters: str) -> None:
    """No page, cursor or filter of a list returns an item."""
    for parameters in ({}, {"limit": "1"}, filters, *[{name: value} for name, value in filters.items()]):
        page = checked(a, b.get(path, **parameters), 200).json()
        assert (page["items"], page["has_more"]) == ([], False)
    for cursor in a.cursors.values():
        assert checked(a, b.get(path, cursor=cursor), 200).json()["items"] == []


def exports_nothing(a: Owner, b: Hub, path: str, row: str, **filters: str) -> None:
    """No file has a row, with a filter or without; after the `row` of the other hub as after none that exists."""
    there, nowhere = (b.get(f"{path}/export", format="csv", after=identifier) for identifier in (row, str(uuid4())))
    assert checked(a, there, 404).json() == checked(a, nowhere, 404).json()
    for parameters in ({}, filters):
        assert checked(a, b.get(f"{path}/export", format="ndjson", **parameters), 200).content == b""
        text = checked(a, b.get(f"{path}/export", format="csv", **parameters), 200).text
        header, end = text.splitlines()
        assert (header.partition(",")[0], end) == ("id", "")


@of("reportInteractionEvent")
def creates_an_event(a: Owner, b: Hub) -> None:
    """The other hub's keys are free here, and an event under them is this hub's own."""
    mine = EVENT | {"client_event_id": f"{SECRET}-event", "actor_type": "agent"}
    answer = b.post(EVENTS, mine, headers={"Idempotency-Key": "k"})
    assert checked(a, answer, 201).json()["id"] != a.event
    assert "idempotent-replayed" not in answer.headers
    second = b.post(EVENTS, mine, headers={"Idempotency-Key": "k"})
    assert (second.status_code, second.json()) == (201, answer.json())
    assert [str(row["id"]) for row in b.rows()] == [answer.json()["id"]]


@of("reportInteractionEvents")
def creates_events(a: Owner, b: Hub) -> None:
    """The other hub's keys are free for a batch too, sent as an array or as lines."""
    mine = EVENT | {"client_event_id": f"{SECRET}-event"}
    for answer in (b.batch([mine], Idempotency_Key="k"), b.lines(json.dumps(EVENT), Idempotency_Key="l")):
        (result,) = results_of(checked(a, answer, 200))
        assert result["status"] == "created"
    assert len(b.rows()) == 2


@of("listInteractionEvents")
def lists_events(a: Owner, b: Hub) -> None:
    """With any filter, and by the other hub's cursors."""
    reads_nothing(a, b, EVENTS, widget_id=EVENT["widget_id"], event_type="clicked", occurred_from=EVENT["occurred_at"])


@of("exportInteractionEvents")
def exports_events(a: Owner, b: Hub) -> None:
    """With any filter."""
    exports_nothing(a, b, EVENTS, a.event, widget_id=EVENT["widget_id"], received_since="2000-01-01T00:00:00Z")


@of("getInteractionEvent")
def reads_an_event(a: Owner, b: Hub) -> None:
    """The same response as for an event that does not exist."""
    there, nowhere = b.get(f"{EVENTS}/{a.event}"), b.get(f"{EVENTS}/{uuid4()}")
    assert checked(a, there, 404).json() == checked(a, nowhere, 404).json()


@of("reportAnnotation")
def creates_an_annotation(a: Owner, b: Hub) -> None:
    """An event of the other hub gets the error of an event that does not exist; the other hub's keys are free."""
    foreign = b.post(ANNOTATIONS, ANNOTATION | {"event_id": a.event})
    nowhere = str(uuid4())
    unknown = b.post(ANNOTATIONS, ANNOTATION | {"event_id": nowhere})
    assert (foreign.status_code, unknown.status_code) == (422, 422)
    assert foreign.json()["error"].replace(a.event, nowhere) == unknown.json()["error"]
    mine = ANNOTATION | {"client_annotation_id": f"{SECRET}-remark"}
    assert checked(a, b.post(ANNOTATIONS, mine, headers={"Idempotency-Key": "k"}), 201).json()["id"] != a.annotation
    assert len(b.rows("annotations")) == 1


@of("reportAnnotations")
def creates_annotations(a: Owner, b: Hub) -> None:
    """The same in a batch: the other hub's event is rejected, and its keys are free."""
    items = [ANNOTATION | {"event_id": a.event}, ANNOTATION | {"client_annotation_id": f"{SECRET}-remark"}]
    answer = b.batch(items, ANNOTATIONS, Idempotency_Key="k")
    assert [result["status"] for result in results_of(answer)] == ["rejected", "created"]
    assert results_of(answer)[1]["id"] != a.annotation


@of("listAnnotations")
def lists_annotations(a: Owner, b: Hub) -> None:
    """With any filter, also by an event of the other hub, and by its cursors."""
    reads_nothing(a, b, ANNOTATIONS, widget_id=EVENT["widget_id"], event_id=a.event, category="praise")


@of("exportAnnotations")
def exports_annotations(a: Owner, b: Hub) -> None:
    """With any filter."""
    exports_nothing(a, b, ANNOTATIONS, a.annotation, event_id=a.event)


@of("getAnnotation")
def reads_an_annotation(a: Owner, b: Hub) -> None:
    """The same response as for an annotation that does not exist."""
    there, nowhere = b.get(f"{ANNOTATIONS}/{a.annotation}"), b.get(f"{ANNOTATIONS}/{uuid4()}")
    assert checked(a, there, 404).json() == checked(a, nowhere, 404).json()


@of("listEventTypes")
def lists_event_types(a: Owner, b: Hub) -> None:
    """Hubs share the registry of event types, but it does not name the hub that registered one."""
    items = checked(a, b.get("/event-types", limit=1000), 200).json()["items"]
    assert [item["registered_by"] for item in items if item["name"] == a.event_type] == ["another hub"]
    assert a.hub.name not in json.dumps(items)


@of("listWidgets")
def lists_widgets(a: Owner, b: Hub) -> None:
    """Hubs share the registry of widgets, but it names no hub."""
    assert a.hub.name not in checked(a, b.get("/widgets", limit=1000), 200).text


@of("getHubCapabilityManifest")
def reads_a_manifest(a: Owner, b: Hub) -> None:
    """404, for every revision."""
    checked(a, b.get("/hub-capability-manifest"), 404)
    checked(a, b.get("/hub-capability-manifest", revision=1), 404)


@of("putHubCapabilityManifest")
def puts_a_manifest(a: Owner, b: Hub) -> None:
    """It changes and ends no entry of the other hub; it becomes this hub's own first revision."""
    assert checked(a, b.manifest(), 200).json()["revision"] == 1
    checked(a, b.manifest([{"name": a.event_type, "description": "Mine."}]), 409)
    assert a.hub.get("/hub-capability-manifest").json()["event_types"][0]["status"] == "active"


@of("listRejectedSubmissions")
def lists_rejections(a: Owner, b: Hub) -> None:
    """With any filter, and by the other hub's cursors."""
    reads_nothing(a, b, REJECTIONS, kind="event", code="event_type_not_registered")


@of("getRejectedSubmission")
def reads_a_rejection(a: Owner, b: Hub) -> None:
    """The same response as for a rejection that does not exist."""
    there, nowhere = b.get(f"{REJECTIONS}/{a.rejection}"), b.get(f"{REJECTIONS}/{uuid4()}")
    assert checked(a, there, 404).json() == checked(a, nowhere, 404).json()


@of("replayRejectedSubmissions")
def replays_rejections(a: Owner, b: Hub) -> None:
    """Nothing is replayed by ids, by a filter or without one, even if it would be accepted now."""
    b.manifest([{"name": a.hub.items(REJECTIONS)[0]["error"].split("'")[1].lower(), "description": "x"}])
    named = b.post(
        f"{REJECTIONS}/replay", {"ids": [a.rejection]}
    )  # not checked for marks: it repeats the id of the request
    assert [result["code"] for result in named.json()["results"]] == ["rejection_not_found"]
    for body in ({"kind": "event"}, {}):
        assert totals_of(checked(a, b.post(f"{REJECTIONS}/replay", body), 200)) == totals()
    assert not any("replayed_at" in item for item in a.hub.items(REJECTIONS))


@of("getUsage")
def reads_usage(a: Owner, b: Hub) -> None:
    """It has no items."""
    assert a.hub.usage()["received"] == 4
    assert checked(a, b.get("/usage"), 200).json() == {"items": []}


def test_every_operation_is_tried() -> None:
    """An operation that is added to the contract has to be tried here too."""
    assert TRIES.keys() == {operation.operation_id for operation in CONTRACTS[NEWEST].operations}


@pytest.mark.parametrize("operation", TRIES)
def test_a_hub_sees_and_changes_nothing_of_another(a: Owner, b: Hub, operation: str) -> None:
    """The attempt at each operation leaves the other hub's rows, and what that hub reads, unchanged."""
    before = {table: a.hub.rows(table) for table in TABLES}
    read = [a.hub.get(f"{EVENTS}/{a.event}").json(), a.hub.get(f"{ANNOTATIONS}/{a.annotation}").json()]
    TRIES[operation](a, b)
    assert {table: a.hub.rows(table) for table in TABLES} == before
    assert [a.hub.get(f"{EVENTS}/{a.event}").json(), a.hub.get(f"{ANNOTATIONS}/{a.annotation}").json()] == read


def test_the_owner_sees_its_own_rows(a: Owner) -> None:
    """The same requests return the owner's rows, so none of them fails for another reason."""
    hub = a.hub
    assert [item["id"] for item in hub.items(EVENTS, widget_id=EVENT["widget_id"], event_type="clicked")] == [a.event]
    assert [item["id"] for item in hub.items(ANNOTATIONS, event_id=a.event, category="praise")] == [a.annotation]
    assert [item["id"] for item in hub.items(REJECTIONS, kind="event")] == [a.rejection]
    for path in (EVENTS, ANNOTATIONS):
        for form in ("ndjson", "csv"):
            assert SECRET in hub.get(f"{path}/export", format=form).text
    assert hub.get(f"{REJECTIONS}/{a.rejection}").status_code == 200
    assert hub.get("/hub-capability-manifest").status_code == 200
    assert totals_of(hub.post(f"{REJECTIONS}/replay", {"ids": [a.rejection]})) == totals(rejected=1)
