"""`POST /api/v1/interaction-events`: the stored row, and the errors."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from psycopg.sql import SQL

from tests.contract_client import ContractClient
from tests.examples import EVENT, PATH
from tests.postgresql import statement
from tests.service import Service


def test_a_stored_event_gets_the_response_of_the_seed(client: ContractClient, service: Service) -> None:
    """201 with the id of the new row and the sent fields, and the row has no other values."""
    response = client.post(PATH, json=EVENT)
    assert response.status_code == 201
    answered = response.json()
    identifier = answered.pop("id")
    assert answered == EVENT
    (row,) = service.events("id = %s", identifier)
    assert UUID(identifier).version == 7
    assert row["event_type"] == "clicked"
    assert (row["metadata"], row["actor_id"], row["additional_fields"]) == (None, None, None)
    assert row["contract_version"] == service.version


def test_an_unregistered_event_type_gets_the_error_of_the_seed(client: ContractClient) -> None:
    """422 with exactly these words."""
    response = client.post(PATH, json=EVENT | {"event_type": "pipeline_started"})
    assert response.status_code == 422
    assert response.json() == {
        "error": "event_type 'pipeline_started' not registered",
        "help": "Register this event type via the Type Registry admin UI or hub capability manifest before submitting.",
    }


def test_a_request_without_a_key_gets_the_error_of_the_seed(client: ContractClient) -> None:
    """401 with exactly this body, and a challenge (RFC 6750 section 3) without an error code."""
    del client.headers["Authorization"]
    response = client.post(PATH, json=EVENT)
    assert response.status_code == 401
    assert response.content == json.dumps({"error": "Authorization: Bearer required"}, separators=(",", ":")).encode()
    assert response.headers["www-authenticate"] == 'Bearer realm="interaction-reporting"'


@pytest.mark.parametrize("metadata", [{"n": 2**100, "deep": {"list": [1, 0.1, None, True, "é😀"]}}, {}])
def test_metadata_is_stored_unchanged(client: ContractClient, service: Service, metadata: dict[str, object]) -> None:
    """Every digit of a number and every character of a text is stored."""
    identifier = client.post(PATH, json=EVENT | {"metadata": metadata}).json()["id"]
    (row,) = service.events("id = %s", identifier)
    assert row["metadata"] == metadata


def test_every_field_is_kept(client: ContractClient, service: Service) -> None:
    """Each optional field reaches its column, and the instant is kept to the microsecond, in UTC."""
    event = EVENT | {
        "occurred_at": "2026-03-31T14:00:00.1234567+02:00",
        "actor_id": "0D4F6F0E-9A5E-4C43-8F0E-3A1C5B7D9E22",
        "actor_type": "external_adapter",
        "view_context_ref": "/pipelines/42?tab=\N{SNOWMAN}",
        "metadata": {"button": "approve"},
    }
    response = client.post(PATH, json=event)
    assert response.json()["occurred_at"] == "2026-03-31T12:00:00.123456Z"
    (row,) = service.events("id = %s", response.json()["id"])
    assert row["occurred_at"] == datetime(2026, 3, 31, 12, 0, 0, 123456, UTC)
    assert row["actor_id"] == UUID("0d4f6f0e-9a5e-4c43-8f0e-3a1c5b7d9e22")
    assert (row["actor_type"], row["view_context_ref"]) == ("external_adapter", "/pipelines/42?tab=\N{SNOWMAN}")
    assert row["metadata"] == {"button": "approve"}
    assert str(row["widget_id"]) == EVENT["widget_id"]


def test_an_unknown_widget_gets_422_with_help(client: ContractClient) -> None:
    """422 names the widget and the remedy."""
    response = client.post(PATH, json=EVENT | {"widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99"})
    assert response.status_code == 422
    assert response.json()["error"] == "widget_id '5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99' not registered"
    assert "register this widget" in response.json()["help"]


def test_one_error_names_all_unregistered_names(client: ContractClient) -> None:
    """An unregistered type on an unknown widget: one response names both, with both remedies."""
    response = client.post(PATH, json=EVENT | {"event_type": "x", "widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99"})
    problem = response.json()
    assert problem["error"].startswith("event_type 'x' not registered; widget_id '5b0e3c9a")
    assert "Register this event type" in problem["help"]
    assert "register this widget" in problem["help"]


def refusal_within_a_second(client: ContractClient, event: dict[str, Any]) -> str:
    """The error of the refusal of `event`, which must begin within a second."""
    deadline = time.monotonic() + 1
    while (response := client.post(PATH, json=event)).status_code == 201:
        assert time.monotonic() < deadline, "it is still accepted"
    error: str = response.json()["error"]
    return error


def test_a_deprecated_type_and_a_retired_widget_count_as_unregistered(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """Only active entries count, at most a second after a change of status."""
    with start_service() as service, service.client() as client:
        assert client.post(PATH, json=EVENT).status_code == 201
        statement(
            service.database_url,
            SQL("UPDATE event_type_registry SET status = 'deprecated' WHERE name = 'clicked'"),
        )
        assert refusal_within_a_second(client, EVENT) == "event_type 'clicked' not registered"
        statement(service.database_url, SQL("UPDATE widgets SET status = 'retired'"))
        assert "widget_id" in refusal_within_a_second(client, EVENT | {"event_type": "viewed"})


def test_one_error_names_all_invalid_fields(client: ContractClient) -> None:
    """One 422 names every invalid field and its remedy, for an unknown field the nearest known one."""
    response = client.post(PATH, json={"widget_id": 7, "event_type": "", "ocurred_at": "now", "actor_type": "robot"})
    assert response.status_code == 422
    assert set(response.json()["error"].split("; ")) == {
        "widget_id must be a string",
        "event_type is empty",
        "occurred_at is required",
        "unknown field 'ocurred_at'",
        "actor_type is not one of the allowed values",
    }
    assert "Rename ocurred_at to occurred_at." in response.json()["help"]
    assert "one of user, agent, automation, external_adapter" in response.json()["help"]


@pytest.mark.parametrize("event_type", ["a'b", "\N{SNOWMAN}" * 200, "{name}", "%s; DROP TABLE hubs"])
def test_the_error_repeats_the_event_type_unchanged(client: ContractClient, event_type: str) -> None:
    """The error text of the seed holds for any name that the contract admits."""
    response = client.post(PATH, json=EVENT | {"event_type": event_type})
    assert response.json()["error"] == f"event_type '{event_type}' not registered"
