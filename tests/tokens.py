"""Clients of a running service, their tokens, and tokens that no service should accept."""

import json
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from joserfc import jws
from joserfc.jwk import ECKey, Key

from db import hubs, oauth_clients
from tests.contract_client import ContractClient, unused
from tests.examples import EVENT
from tests.service import CONTRACTS, Service

NEWEST_MAJOR = CONTRACTS["2.0"]
PATH = "/api/v2/interaction-events"
SCOPES = frozenset(NEWEST_MAJOR.scopes)
METADATA = "/.well-known/oauth-protected-resource/api/v2"


@dataclass(frozen=True)
class Client:
    """A client of a hub: of its own hub, or of another client's."""

    service: Service
    hub: str
    client_id: str
    secret: str

    def ask(self, path: str = "/oauth/token", **form: str) -> httpx.Response:
        """The response of an endpoint of the authorization server; without a form it is a request for a token."""
        data = form or {"grant_type": "client_credentials"}
        return httpx.post(
            self.service.url + path, data=data, auth=(self.client_id, self.secret), headers=from_afar(), verify=unused()
        )

    def token(self, *scopes: str) -> str:
        """A token with `scopes`, or with all that the client has."""
        form = {"scope": " ".join(scopes)} if scopes else {}
        response = self.ask(grant_type="client_credentials", **form)
        assert response.status_code == 200, response.text
        token: str = response.json()["access_token"]
        return token


def client_of(service: Service, hub: str | None = None, scopes: frozenset[str] = SCOPES, **options: Any) -> Client:
    """A new client of the hub named `hub`, or of a new hub."""
    name = hub or f"hub of {uuid4()}"
    with service.database.begin() as connection:
        if hub is None:
            hubs.create(connection, name)
        client, secret = oauth_clients.issue(connection, name, scopes, **options)
    return Client(service, name, client.client_id, secret or "")


def from_afar() -> dict[str, str]:
    """A header with a random client address, as a proxy sends it: failed attempts are counted by address."""
    return {"X-Forwarded-For": ".".join(str(part) for part in uuid4().bytes[:4])}


def bearer(token: str) -> dict[str, str]:
    """The header that carries `token`."""
    return {"Authorization": f"Bearer {token}"}


def asking(service: Service) -> ContractClient:
    """A client without credentials, which checks responses against version 2."""
    return ContractClient(NEWEST_MAJOR, base_url=service.url)


def post(service: Service, headers: dict[str, str], event: dict[str, Any] | None = None) -> httpx.Response:
    """The response of version 2 to an event, checked against its contract."""
    with asking(service) as client:
        return client.post(PATH, json=event or EVENT, headers=headers)


def signing_key(service: Service) -> ECKey:
    """The private key that the service signs with."""
    with psycopg.connect(service.database_url) as connection:
        query = "SELECT key FROM oauth_signing_keys WHERE expires_at IS NULL ORDER BY created_at DESC"
        ((text,), *_) = connection.execute(query).fetchall()
    return ECKey.import_key(json.loads(text))


@dataclass(frozen=True)
class Forgery:
    """A token like the service's own, except for its changes."""

    key: Key
    header: dict[str, Any]
    claims: dict[str, Any]

    @classmethod
    def of(cls, client: Client) -> "Forgery":
        """A valid token, without changes."""
        client.token()  # so that there is a key
        key = signing_key(client.service)
        now = int(time.time())
        claims = {
            "iss": client.service.url,
            "aud": client.service.url + "/api/v2",
            "sub": client.client_id,
            "client_id": client.client_id,
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid4()),
            "scope": " ".join(SCOPES),
        }
        return cls(key, {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}, claims)

    def but(self, key: Key | None = None, header: dict[str, Any] | None = None, **claims: Any) -> "Forgery":
        """A copy with another key, or other members of header or claims; None leaves one out."""
        changed = {name: value for name, value in {**self.claims, **claims}.items() if value is not None}
        head = {name: value for name, value in {**self.header, **(header or {})}.items() if value is not None}
        return replace(self, key=key or self.key, header=head, claims=changed)

    def text(self, algorithm: str | None = None) -> str:
        """The token, signed by `algorithm`, by default the one of the header."""
        algorithm = algorithm or self.header["alg"]
        parts = [encoded(json.dumps(part).encode()) for part in (self.header, self.claims)]
        if algorithm == "none":
            return ".".join([*parts, ""])
        signature = jws.JWSRegistry.algorithms[algorithm].sign(".".join(parts).encode(), self.key)
        return ".".join([*parts, encoded(signature)])


def encoded(data: bytes) -> str:
    """`data` in base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()
