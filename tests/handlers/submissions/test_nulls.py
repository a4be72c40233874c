"""Null in an optional field of a request is the same as its absence."""

import json
from typing import Any

import pytest

from openapi.contract import Contract, published
from tests.contract_client import ContractClient
from tests.examples import EVENT, PATH, WIDGET
from tests.handlers.conftest import Hub, entry, results_of
from tests.service import Service

ANNOTATION = {"widget_id": WIDGET, "category": "praise", "body": "Clear."}
PATHS = {"InteractionEvent": "/interaction-events", "Annotation": "/annotations"}
REQUIRED = {"InteractionEvent": EVENT, "Annotation": ANNOTATION}


def optional(contract: Contract, name: str) -> list[str]:
    """The optional fields of a submission."""
    schema = contract.document["components"]["schemas"][name]
    return [field for field in schema["properties"] if field not in schema["required"]]


FIELDS = [(name, field) for name in PATHS for field in optional(published()[1], name)]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_null_is_stored_as_absent(hub: Hub, name: str, field: str) -> None:
    """201, and the record has every other field and not this one."""
    response = hub.post(PATHS[name], REQUIRED[name] | {field: None})
    assert response.status_code == 201
    record = hub.get(f"{PATHS[name]}/{response.json()['id']}").json()
    present = {"id", "occurred_at", "contract_version", "received_at", *REQUIRED[name]}
    assert record.keys() == present


def test_version_1_0_takes_null_for_each_optional_field(client: ContractClient, service: Service) -> None:
    """All at once: the row has no values but those that were sent."""
    event = EVENT | dict.fromkeys(optional(published()[0], "InteractionEvent"))
    response = client.post(PATH, json=event)
    assert response.status_code == 201
    (row,) = service.events("id = %s", response.json()["id"])
    assert (row["actor_id"], row["metadata"], row["additional_fields"]) == (None, None, None)


@pytest.mark.parametrize("field", ["actor_type", "metadata", "sent_at"])
def test_null_is_the_same_content_as_absence(hub: Hub, field: str) -> None:
    """A request with null, repeated without the field under the same key, gets the first response."""
    headers = {"Idempotency-Key": "k"}
    first = hub.post("/interaction-events", EVENT | {field: None, "client_event_id": "c"}, headers=headers)
    second = hub.post("/interaction-events", EVENT | {"client_event_id": "c"}, headers=headers)
    assert (first.status_code, second.status_code, second.json()) == (201, 201, first.json())
    assert len(hub.rows()) == 1


@pytest.mark.parametrize("form", ["array", "lines"])
def test_null_in_a_batch_is_stored_as_absent(hub: Hub, form: str) -> None:
    """In each form of a batch."""
    items: list[Any] = [EVENT | {"actor_id": None, "metadata": {"a": None}}]
    response = hub.batch(items) if form == "array" else hub.lines(json.dumps(items[0]))
    assert [result["status"] for result in results_of(response)] == ["created"]
    (row,) = hub.rows()
    assert (row["actor_id"], row["metadata"]) == (None, {"a": None})


def test_null_within_metadata_is_a_value(hub: Hub) -> None:
    """Only null instead of a field of the contract is its absence."""
    identifier = hub.event(metadata={"a": None, "b": [None]}).json()["id"]
    assert hub.get(f"/interaction-events/{identifier}").json()["metadata"] == {"a": None, "b": [None]}


@pytest.mark.parametrize("field", ["widget_id", "event_type", "occurred_at"])
def test_a_required_field_may_not_be_null(hub: Hub, field: str) -> None:
    """422 names it."""
    response = hub.event(**{field: None})
    assert (response.status_code, response.json()["error"]) == (422, f"{field} must be a string")


def test_the_default_of_a_manifest_takes_the_place_of_null(hub: Hub, name: str) -> None:
    """An event type without version has the first one; the stored manifest is that without null."""
    manifest = hub.manifest([entry(name, version=None, metadata_schema=None)])
    assert manifest.status_code == 200
    (event_type,) = manifest.json()["event_types"]
    assert event_type == {"name": name, "description": "What it means.", "version": 1, "status": "active"}
    assert hub.manifest([entry(name)]).json()["revision"] == manifest.json()["revision"]


def test_a_replay_takes_null_for_each_of_its_filters(hub: Hub) -> None:
    """It replays as an empty filter does."""
    hub.event(event_type="pipeline_started")
    filters = dict.fromkeys(("ids", "kind", "code", "limit"))
    answers = [hub.post("/rejected-submissions/replay", body).json() for body in (filters, {})]
    assert [answer["totals"]["rejected"] for answer in answers] == [1, 1]
