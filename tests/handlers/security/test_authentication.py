"""Authentication of hubs: the accepted keys, and the body and challenge of a 401."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from psycopg.sql import SQL

from db import keys
from tests.contract_client import ContractClient
from tests.examples import EVENT, PATH
from tests.postgresql import statement
from tests.service import Service
from tests.wire import Wire, event, stored


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_the_scheme_is_matched_without_regard_to_case(client: ContractClient, service: Service, scheme: str) -> None:
    """RFC 9110 section 11.1; more than one space is tolerated."""
    assert client.post(PATH, json=EVENT, headers={"Authorization": scheme + service.key}).status_code == 201


@pytest.mark.parametrize(
    "credentials",
    ["Bearer", "Basic aHViOmtleQ==", "Bearer a b", "Bearer a,b", "irk_abc"],
    ids=["no-key", "basic", "two-keys", "comma", "no-scheme"],
)
def test_a_malformed_header_is_refused(client: ContractClient, credentials: str) -> None:
    """401 with the seed's body, and `invalid_request` in the challenge."""
    response = client.post(PATH, json=EVENT, headers={"Authorization": credentials})
    assert response.status_code == 401
    assert 'error="invalid_request"' in response.headers["www-authenticate"]


@pytest.mark.parametrize("key", [keys.new(), "a" * 16384, "a" * 16385], ids=["new", "long", "too long"])
def test_an_unknown_key_is_refused(client: ContractClient, key: str) -> None:
    """401 with `invalid_token` in the challenge."""
    response = client.post(PATH, json=EVENT, headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_the_digest_of_a_key_is_not_a_key(client: ContractClient, service: Service) -> None:
    """A reader of the table cannot report events with a digest."""
    response = client.post(PATH, json=EVENT, headers={"Authorization": f"Bearer {keys.digest(service.key)}"})
    assert response.status_code == 401


def test_an_event_belongs_to_the_hub_of_the_key(client: ContractClient, service: Service) -> None:
    """The row names the hub that the key belongs to."""
    identifier = client.post(PATH, json=EVENT).json()["id"]
    (row,) = service.events(
        "id = %s AND hub_id = (SELECT id FROM hubs WHERE api_key = %s)", identifier, keys.digest(service.key)
    )
    assert str(row["id"]) == identifier


def test_a_key_revoked_during_a_body_is_refused(
    start_service: Callable[..., AbstractContextManager[Service]],
) -> None:
    """However slowly a client sends its body, the key must still be valid when the event would be stored."""
    with start_service() as service, Wire(service) as wire:
        request = wire.post(event("slow"))
        wire.send(request[:-1])
        assert wire.is_quiet(0.2)
        statement(service.database_url, SQL("UPDATE hubs SET disabled_at = now()"))
        assert wire.is_quiet(1)
        wire.send(request[-1:])
        assert wire.answer().status_code == 401
        assert stored(service, "slow") == 0
