"""The rows for OAuth that a process keeps in memory: clients, signing keys and revoked access tokens.

`db.registry` keeps them up to date, together with its other rows.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from db.async_connection import AsyncConnection, Rows
from db.oauth_clients import OURS
from db.signing_keys import SigningKey

_CLIENTS = """
    SELECT client_id, issuer, hub_id, scopes, secret, previous_secret, previous_secret_until, jwks, dpop_bound,
        disabled_at IS NULL
    FROM oauth_clients WHERE revision > %s
"""
_SIGNING_KEYS = "SELECT kid, key, created_at, expires_at FROM oauth_signing_keys WHERE revision > %s"
_REVOKED = "SELECT jti, expires_at FROM oauth_revoked_tokens WHERE revision > %s AND expires_at > now()"


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is not disabled. Its secrets are digests; `jwks` are the public keys that it has instead."""

    client_id: str
    issuer: str
    hub_id: UUID
    scopes: frozenset[str]
    secret: str | None = field(repr=False)
    previous_secret: str | None = field(repr=False)
    previous_secret_until: datetime | None
    jwks: dict[str, Any] | None = field(repr=False)
    dpop_bound: bool


class OAuthRegistry:
    """The rows as last read. `clock` returns the seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._clients: dict[tuple[str, str], Client] = {}
        self._signing_keys: dict[str, SigningKey] = {}
        self._revoked: dict[UUID, float] = {}  # expiry, in seconds since the epoch
        self.signing_keys_revision = 0
        """Changes whenever a signing key is added or changed."""

    def client(self, client_id: str, issuer: str = OURS) -> Client | None:
        """The client `client_id` of `issuer`; None if absent or disabled."""
        return self._clients.get((issuer, client_id))

    def signing_keys(self) -> Collection[SigningKey]:
        """The signing keys, including expired ones."""
        return self._signing_keys.values()

    def is_revoked(self, jti: UUID) -> bool:
        """True if the access token `jti` was revoked."""
        return jti in self._revoked

    async def update(self, connection: AsyncConnection, since: int) -> None:
        """Apply the changes after the revision `since`; from scratch if that is -1."""
        clients, signing_keys, revoked = [
            await connection.execute(query, [since]) for query in (_CLIENTS, _SIGNING_KEYS, _REVOKED)
        ]
        if since == -1:
            for known in (self._clients, self._signing_keys, self._revoked):
                known.clear()
        self._take_clients(clients)
        self.signing_keys_revision += bool(signing_keys)
        self._signing_keys |= {kid: SigningKey(kid, *rest) for kid, *rest in signing_keys}
        now = self._clock()
        self._revoked = {jti: until for jti, until in self._revoked.items() if until > now}
        self._revoked |= {jti: expires_at.timestamp() for jti, expires_at in revoked}

    def _take_clients(self, rows: Rows) -> None:
        for client_id, issuer, hub_id, scopes, *rest, is_enabled in rows:
            self._clients.pop((issuer, client_id), None)
            if is_enabled:
                self._clients[issuer, client_id] = Client(client_id, issuer, hub_id, frozenset(scopes), *rest)
