"""Authentication of clients by their secrets, with a limit on failed attempts."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from db import hubs, oauth_clients
from db.engine import Database
from db.oauth_registry import Client
from db.registry import Registry
from handlers.security.client_authentication import ClientAuthentication
from handlers.security.failed_attempts import ATTEMPT, OF_ADDRESS, OF_NAME, FailedAttempts
from openapi.oauth.client_assertions import ASSERTION_TYPE
from openapi.oauth.token_requests import OAuthError
from openapi.serving.rate_limits import RateLimits

ATTEMPTS = OF_NAME.burst // ATTEMPT
WRONG = {"client_id": "unknown", "client_secret": "wrong"}
AUDIENCE = "https://api.example"


def outcomes(
    database: Database,
    directory: Path,
    *attempts: tuple[str, Mapping[str, str]],
    admit: Callable[[Client], None] = lambda _: None,
) -> list[Client | tuple[int, str]]:
    """The clients of `attempts`, each an address and a form, or the statuses and codes of their errors."""
    path = directory / "limits"
    RateLimits.create(path)

    async def run() -> list[Client | tuple[int, str]]:
        registry = Registry(database)
        with RateLimits(path, clock=lambda: 10**18) as limits:
            authentication = ClientAuthentication(database, registry, FailedAttempts(limits), frozenset({AUDIENCE}))
            async with registry.following():
                return [await outcome(authentication, *attempt, admit) for attempt in attempts]

    return asyncio.run(run())


async def outcome(
    authentication: ClientAuthentication, address: str, form: Mapping[str, str], admit: Callable[[Client], None]
) -> Client | tuple[int, str]:
    """The client of one attempt, or the status and code of its error."""
    try:
        scope = {"type": "http", "headers": [], "client": (address, 1)}
        return await authentication.client(scope, form, admit)
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
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
        ("a", "a", "b"),
    ],
    ids=["IPv4", "IPv4 in IPv6", "IPv6", "no address"],
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


def test_a_right_secret_is_accepted_whatever_was_guessed(database: Database, tmp_path: Path) -> None:
    """For the same client and for others, from the address of all the guesses; the guesses stay limited."""
    with database.begin() as connection:
        hubs.create(connection, name := f"hub {uuid4()}")
        client, secret = oauth_clients.issue(connection, name, ["events:write"])
    right = {"client_id": client.client_id, "client_secret": secret or ""}
    stale = {"client_id": client.client_id, "client_secret": "irs_of_yesterday"}
    guesses = [{"client_id": str(number), "client_secret": "x"} for number in range(OF_ADDRESS.burst // ATTEMPT)]
    forms = [*[stale] * ATTEMPTS, *guesses, stale, right, stale, right]
    *_, first, second, third, fourth = outcomes(database, tmp_path, *[("192.0.2.1", form) for form in forms])
    assert (first, third) == ((429, "temporarily_unavailable"),) * 2
    assert isinstance(second, Client)
    assert isinstance(fourth, Client)


@pytest.mark.parametrize("claims", [{}, {"exp": 1}, {"aud": "https://other.example"}, {"jti": None}])
def test_only_what_does_not_prove_the_key_counts(database: Database, tmp_path: Path, claims: dict[str, Any]) -> None:
    """A repeated assertion, or one that was made wrongly, is refused without an end, and a right one is accepted.

    Those that are refused take nothing from the rate of the hub.
    """
    key = ECKey.generate_key("P-256", {"kid": "1"})
    with database.begin() as connection:
        hubs.create(connection, name := f"hub {uuid4()}")
        jwks = {"keys": [key.as_dict(private=False)]}
        client, _ = oauth_clients.issue(connection, name, ["events:write"], jwks)

    def form(key: ECKey = key, **other: Any) -> dict[str, str]:
        now = time.time()
        claims = {"iss": client.client_id, "sub": client.client_id, "aud": AUDIENCE, "iat": now, "exp": now + 60}
        present = {name: value for name, value in (claims | {"jti": str(uuid4())} | other).items() if value is not None}
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": jwt.encode({"alg": "ES256"}, present, key)}

    repeated = form(**claims)
    forms = [repeated, *[repeated] * 2 * ATTEMPTS, form()]
    admitted: list[Client] = []
    attempts = [("192.0.2.1", form) for form in forms]
    first, *refused, accepted = outcomes(database, tmp_path, *attempts, admit=admitted.append)
    assert admitted == [client for client in (first, accepted) if isinstance(client, Client)]
    assert refused == [(401, "invalid_client")] * 2 * ATTEMPTS
    assert isinstance(accepted, Client)
    forged = form(ECKey.generate_key("P-256", {"kid": "1"}))
    statuses = outcomes(database, tmp_path, *[("192.0.2.1", forged)] * (ATTEMPTS + 1), ("192.0.2.1", form()))
    assert statuses[ATTEMPTS] == (429, "temporarily_unavailable")
    assert isinstance(statuses[-1], Client)
