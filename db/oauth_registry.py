"""The rows for OAuth that a process keeps in memory: clients, signing keys and revoked access tokens.

`db.registry` keeps them up to date, together with its other rows.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from db.async_connection import AsyncConnection, Rows
from db.oauth_clients import OURS
from db.signing_keys import SigningKey

# What the database measures by its clock is read as the seconds that are left: clocks may differ.
_CLIENTS = """
    SELECT client_id, issuer, hub_id, scopes, secret, previous_secret,
        extract(epoch FROM previous_secret_until - now())::float8, jwks, dpop_bound, disabled_at IS NULL
    FROM oauth_clients WHERE revision > %s
"""
_SIGNING_KEYS = """
    SELECT kid, key, created_at, extract(epoch FROM expires_at - now())::float8
    FROM oauth_signing_keys WHERE revision > %s
"""
# What expires by the clock of the services is read whatever the clock of the database says.
_REVOKED = "SELECT jti, expires_at FROM oauth_revoked_tokens WHERE revision > %s"


@dataclass(frozen=True, slots=True)
class Client:
    """A client that is not disabled. Its secrets are digests; `jwks` are the public keys that it has instead."""

    client_id: str
    issuer: str
    hub_id: UUID
    scopes: frozenset[str]
    secret: str | None = field(repr=False)
    previous_secret: str | None = field(repr=False)
    previous_secret_until: float | None
    """In seconds of `time.monotonic`."""
    jwks: dict[str, Any] | None = field(repr=False)
    dpop_bound: bool


class RevokedTokens:
    """The ids of revoked access tokens until they expire; to add one costs the same, however many there are."""

    def __init__(self) -> None:
        self._ids: set[UUID] = set()
        self._by_minute: dict[int, list[UUID]] = {}  # of expiry, since the epoch

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, jti: UUID) -> bool:
        return jti in self._ids

    def add(self, jti: UUID, expires_at: float) -> None:
        """Add the token `jti`, which expires at `expires_at`, in seconds since the epoch."""
        if jti not in self._ids:
            self._ids.add(jti)
            self._by_minute.setdefault(int(expires_at // 60), []).append(jti)

    def forget_expired(self, now: float) -> None:
        """Forget the tokens that expired before the minute of `now`."""
        for minute in [minute for minute in self._by_minute if minute < now // 60]:
            self._ids.difference_update(self._by_minute.pop(minute))


class OAuthRegistry:
    """The rows as last read. `clock` returns the seconds since the epoch."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._clients: dict[tuple[str, str], Client] = {}
        self._signing_keys: dict[str, SigningKey] = {}
        self._revoked = RevokedTokens()
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

    @property
    def revoked_count(self) -> int:
        """The number of revoked access tokens that have not expired."""
        return len(self._revoked)

    @property
    def signing_since(self) -> datetime | None:
        """When the newest signing key was made; None without one."""
        return max((key.created_at for key in self._signing_keys.values() if key.expires_at is None), default=None)

    async def update(self, connection: AsyncConnection, since: int) -> None:
        """Apply the changes after the revision `since`; from scratch if that is -1."""
        clients, signing_keys, revoked = [
            await connection.execute(query, [since]) for query in (_CLIENTS, _SIGNING_KEYS, _REVOKED)
        ]
        if since == -1:
            self._clients.clear()
            self._signing_keys.clear()
            self._revoked = RevokedTokens()
        self._take_clients(clients)
        self.signing_keys_revision += bool(signing_keys)
        now = self._clock()
        for kid, key, created_at, seconds_left in signing_keys:
            expires_at = None if seconds_left is None else datetime.fromtimestamp(now + seconds_left, UTC)
            self._signing_keys[kid] = SigningKey(kid, key, created_at, expires_at)
        self._revoked.forget_expired(now)
        for jti, expires_at in revoked:
            if expires_at.timestamp() > now:
                self._revoked.add(jti, expires_at.timestamp())

    def _take_clients(self, rows: Rows) -> None:
        now = time.monotonic()
        for client_id, issuer, hub_id, scopes, secret, previous, seconds_left, *rest, is_enabled in rows:
            self._clients.pop((issuer, client_id), None)
            if is_enabled:
                until = None if seconds_left is None else now + seconds_left
                self._clients[issuer, client_id] = Client(
                    client_id, issuer, hub_id, frozenset(scopes), secret, previous, until, *rest
                )
