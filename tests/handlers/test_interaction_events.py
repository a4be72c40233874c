"""`POST /api/v1/interaction-events`: what is stored, and what is said when something is not."""

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


def test_a_stored_event_is_answered_as_the_seed_says(client: ContractClient, service: Service) -> None:
    """201 with the id of the new row and what was sent, and the row is there with nothing else."""
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


def test_an_unregistered_event_type_is_answered_in_the_words_of_the_seed(client: ContractClient) -> None:
    """422 with exactly these words."""
    response = client.post(PATH, json=EVENT | {"event_type": "pipeline_started"})
    assert response.status_code == 422
    assert response.json() == {
        "error": "event_type 'pipeline_started' not registered",
        "help": "Register this event type via the Type Registry admin UI or hub capability manifest before submitting.",
    }


def test_a_request_without_a_key_is_answered_as_the_seed_says(client: ContractClient) -> None:
    """401 with exactly this body, and a challenge (RFC 6750 section 3) without an error code."""
    del client.headers["Authorization"]
    response = client.post(PATH, json=EVENT)
    assert response.status_code == 401
    assert response.content == json.dumps({"error": "Authorization: Bearer required"}, separators=(",", ":")).encode()
    assert response.headers["www-authenticate"] == 'Bearer realm="interaction-reporting"'


@pytest.mark.parametrize("metadata", [{"n": 2**100, "deep": {"list": [1, 0.1, None, True, "é😀"]}}, {}])
def test_metadata_comes_back_as_sent(client: ContractClient, service: Service, metadata: dict[str, object]) -> None:
    """Numbers keep every digit, text every character."""
    identifier = client.post(PATH, json=EVENT | {"metadata": metadata}).json()["id"]
    (row,) = service.events("id = %s", identifier)
    assert row["metadata"] == metadata


def test_every_field_is_kept(client: ContractClient, service: Service) -> None:
    """Each optional field reaches its column, and the instant is kept to the microsecond, in UTC."""
    sent = EVENT | {
        "occurred_at": "2026-03-31T14:00:00.1234567+02:00",
        "actor_id": "0D4F6F0E-9A5E-4C43-8F0E-3A1C5B7D9E22",
        "actor_type": "external_adapter",
        "view_context_ref": "/pipelines/42?tab=\N{SNOWMAN}",
        "metadata": {"button": "approve"},
    }
    response = client.post(PATH, json=sent)
    assert response.json()["occurred_at"] == "2026-03-31T12:00:00.123456Z"
    (row,) = service.events("id = %s", response.json()["id"])
    assert row["occurred_at"] == datetime(2026, 3, 31, 12, 0, 0, 123456, UTC)
    assert row["actor_id"] == UUID("0d4f6f0e-9a5e-4c43-8f0e-3a1c5b7d9e22")
    assert (row["actor_type"], row["view_context_ref"]) == ("external_adapter", "/pipelines/42?tab=\N{SNOWMAN}")
    assert row["metadata"] == {"button": "approve"}
    assert str(row["widget_id"]) == EVENT["widget_id"]


def test_an_unknown_widget_is_told_with_help(client: ContractClient) -> None:
    """422 names the widget and says what to do."""
    response = client.post(PATH, json=EVENT | {"widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99"})
    assert response.status_code == 422
    assert response.json()["error"] == "widget_id '5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99' not registered"
    assert "register this widget" in response.json()["help"]


def test_whatever_is_not_registered_is_told_at_once(client: ContractClient) -> None:
    """An unregistered type on an unknown widget: one answer names both, with the help for both."""
    response = client.post(PATH, json=EVENT | {"event_type": "x", "widget_id": "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e99"})
    told = response.json()
    assert told["error"].startswith("event_type 'x' not registered; widget_id '5b0e3c9a")
    assert "Register this event type" in told["help"]
    assert "register this widget" in told["help"]


def refusal_within_a_second(client: ContractClient, event: dict[str, Any]) -> str:
    """The error with which `event` is refused."""
    deadline = time.monotonic() + 1
    while (response := client.post(PATH, json=event)).status_code == 201:
        assert time.monotonic() < deadline, "it is still accepted"
    error: str = response.json()["error"]
    return error


def test_a_deprecated_type_and_a_retired_widget_are_as_good_as_unregistered(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """Only active entries count, from a second at most after they are no longer active."""
    with start_service() as service, service.client() as client:
        assert client.post(PATH, json=EVENT).status_code == 201
        statement(
            service.database_url,
            SQL("UPDATE event_type_registry SET status = 'deprecated' WHERE name = 'clicked'"),
        )
        assert refusal_within_a_second(client, EVENT) == "event_type 'clicked' not registered"
        statement(service.database_url, SQL("UPDATE widgets SET status = 'retired'"))
        assert "widget_id" in refusal_within_a_second(client, EVENT | {"event_type": "viewed"})


def test_all_wrong_fields_are_told_at_once(client: ContractClient) -> None:
    """One 422 names every field at fault and what to do about it, an unknown field with the nearest known one."""
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
def test_an_event_type_is_repeated_as_it_was_sent(client: ContractClient, event_type: str) -> None:
    """The words of the seed hold for any name that the contract admits."""
    response = client.post(PATH, json=EVENT | {"event_type": event_type})
    assert response.json()["error"] == f"event_type '{event_type}' not registered"
