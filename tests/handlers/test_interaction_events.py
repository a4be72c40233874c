"""`POST /api/v1/interaction-events`: what is stored, and what is said when something is not."""

import json
from uuid import UUID

import pytest

from tests.conftest import EVENT, PATH, ContractClient, Service


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
    assert row["contract_version"] == "1.0"


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
