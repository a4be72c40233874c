"""Authentication of clients by their secrets, with a limit on failed attempts."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from db import hubs, oauth_clients
from db.engine import Database
from db.oauth_registry import Client
from db.registry import Registry
from handlers.security.client_authentication import ATTEMPT, OF_CLIENT, ClientAuthentication
from openapi.oauth.client_assertions import ASSERTION_TYPE
from openapi.oauth.token_requests import OAuthError
from openapi.serving.rate_limits import RateLimits

ATTEMPTS = OF_CLIENT.burst // ATTEMPT
WRONG = {"client_id": "unknown", "client_secret": "wrong"}


def outcomes(
    database: Database, directory: Path, *attempts: tuple[str, Mapping[str, str]]
) -> list[Client | tuple[int, str]]:
    """The clients of `attempts`, each an address and a form, or the statuses and codes of their errors."""
    path = directory / "limits"
    RateLimits.create(path)

    async def run() -> list[Client | tuple[int, str]]:
        registry = Registry(database)
        with RateLimits(path, clock=lambda: 10**18) as limits:
            authentication = ClientAuthentication(database, registry, limits, frozenset())
            async with registry.following():
                return [await outcome(authentication, *attempt) for attempt in attempts]

    return asyncio.run(run())


async def outcome(
    authentication: ClientAuthentication, address: str, form: Mapping[str, str]
) -> Client | tuple[int, str]:
    """The client of one attempt, or the status and code of its error."""
    try:
        return await authentication.client({"type": "http", "headers": [], "client": (address, 1)}, form)
    except OAuthError as error:
        return error.status, error.code


def test_a_client_authenticates_only_with_its_secret(database: Database, tmp_path: Path) -> None:
    """Refused: another secret, no secret, and any secret once the hub is disabled."""
    with database.begin() as connection:
        names = [f"hub {uuid4()}" for _ in range(2)]
        for name in names:
            hubs.create(connection, name)
        issued = [oauth_clients.issue(connection, name, ["events:write"]) for name in names]
        hubs.disable(connection, names[1])
    (client, secret), (disabled, its_secret) = issued
    forms = [
        {"client_id": client.client_id, "client_secret": secret or ""},
        {"client_id": client.client_id, "client_secret": its_secret or ""},
        {"client_id": client.client_id},
        {"client_id": disabled.client_id, "client_secret": its_secret or ""},
    ]
    first, *others = outcomes(database, tmp_path, *[("192.0.2.1", form) for form in forms])
    assert isinstance(first, Client)
    assert first.client_id == client.client_id
    assert others == [(401, "invalid_client")] * 3


def test_a_malformed_assertion_is_refused(database: Database, tmp_path: Path) -> None:
    """Like the credentials of an unknown client."""
    form = {"client_assertion": "a.b.c", "client_assertion_type": ASSERTION_TYPE}
    assert outcomes(database, tmp_path, ("192.0.2.1", form)) == [(401, "invalid_client")]


@pytest.mark.parametrize(
    ("address", "neighbour", "stranger"),
    [("192.0.2.1", "192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"), ("a", "a", "b")],
    ids=["IPv4", "IPv6", "no address"],
)
def test_failed_attempts_are_limited(
    database: Database, tmp_path: Path, address: str, neighbour: str, stranger: str
) -> None:
    """For one client from one address (a /64 in IPv6); other addresses of the client are not limited."""
    attempts = [(address, WRONG)] * ATTEMPTS + [(neighbour, WRONG), (stranger, WRONG)]
    *failed, limited, elsewhere = outcomes(database, tmp_path, *attempts)
    assert failed == [(401, "invalid_client")] * ATTEMPTS
    assert limited == (429, "temporarily_unavailable")
    assert elsewhere == (401, "invalid_client")
