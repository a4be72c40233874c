"""`sent_at`: the time of sending by the client's clock, stored and read back, and compared by no key."""

import csv
import io
import json
from typing import Any

import pytest

from tests.contract_client import ContractClient
from tests.examples import EVENT, OLDEST, PATH, WIDGET
from tests.handlers.conftest import Hub, results_of
from tests.service import Service

ANNOTATION = {"widget_id": WIDGET, "category": "praise", "body": "Clear."}
NOUNS = {"/interaction-events": EVENT, "/annotations": ANNOTATION}
EACH_NOUN = pytest.mark.parametrize("path", NOUNS)


@EACH_NOUN
def test_it_is_read_back_next_to_received_at(hub: Hub, path: str) -> None:
    """In UTC, in the record, the list and both exports; it changes neither of the other times."""
    item = NOUNS[path] | {"occurred_at": "2026-03-31T12:00:00Z", "sent_at": "2026-03-31T14:00:07.5+0200"}
    identifier = hub.post(path, item).json()["id"]
    record = hub.get(f"{path}/{identifier}").json()
    assert (record["sent_at"], record["occurred_at"]) == ("2026-03-31T12:00:07.500000Z", "2026-03-31T12:00:00Z")
    assert record["received_at"] > "2026-04"
    assert hub.items(path) == [record]
    assert json.loads(hub.get(f"{path}/export", format="ndjson").text) == record
    (row,) = csv.DictReader(io.StringIO(hub.get(f"{path}/export", format="csv").text))
    assert json.loads(row["additional_fields"]) == {"sent_at": "2026-03-31T12:00:07.500000Z"}


@EACH_NOUN
@pytest.mark.parametrize("later", ["2026-03-31T12:09:00Z", None], ids=["another", "none"])
def test_a_repeated_request_may_have_another_one(hub: Hub, path: str, later: str | None) -> None:
    """With the same keys and another `sent_at` the first response is repeated, and the first `sent_at` stays stored."""
    own = "client_event_id" if "events" in path else "client_annotation_id"
    item = NOUNS[path] | {own: "c", "occurred_at": "2026-03-31T12:00:00Z"}
    first = hub.post(path, item | {"sent_at": "2026-03-31T12:00:01Z"}, headers={"Idempotency-Key": "k"})
    second = hub.post(path, item | {"sent_at": later}, headers={"Idempotency-Key": "k"})
    assert (second.status_code, second.json()) == (201, first.json())
    assert [record["sent_at"] for record in hub.items(path)] == ["2026-03-31T12:00:01Z"]


def test_a_repeated_batch_may_have_another_one(hub: Hub) -> None:
    """Under the key of the batch and under the keys of its items."""
    items: list[Any] = [EVENT | {"sent_at": "2026-03-31T12:00:01Z"}, EVENT | {"client_event_id": "c"}]
    again: list[Any] = [EVENT | {"sent_at": "2026-03-31T12:05:00Z"}, EVENT | {"client_event_id": "c", "sent_at": None}]
    first, second = (hub.batch(body, Idempotency_Key="k") for body in (items, again))
    assert (first.status_code, second.status_code) == (200, 200)
    assert results_of(second) == results_of(first)
    assert len(hub.rows()) == 2


def test_an_invalid_one_is_refused(hub: Hub) -> None:
    """422 names the field and its fault."""
    response = hub.event(sent_at="2026-03-31T12:00:00")
    assert (response.status_code, response.json()["error"]) == (
        422,
        "sent_at is not an ISO 8601 timestamp with a time zone",
    )
    assert "sent_at: it has no time zone." in response.json()["help"]


def test_version_1_0_does_not_have_it(client: ContractClient, service: Service) -> None:
    """Its fields are those of the first declaration; a minor version added this one."""
    response = client.post(PATH, json=EVENT | {"sent_at": "2026-03-31T12:00:00Z"})
    assert response.status_code == (422 if service.version == OLDEST else 201)
    assert (response.json().get("error") == "unknown field 'sent_at'") is (service.version == OLDEST)
