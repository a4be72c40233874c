"""The keys that sign access tokens: the newest signs, all verify until they expire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from db import clocks
from db.advisory_locks import AdvisoryLock, lock
from db.errors import NotFound
from db.tables import oauth_signing_keys as signing_keys


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A stored key: a private JWK, or a JWE that holds it. It verifies until `expires_at`; if None, it signs."""

    kid: str
    key: str = field(repr=False)
    created_at: datetime
    expires_at: datetime | None


Make = Callable[[], tuple[str, str]]
"""Returns a new key: its kid, and the text to store."""

_COLUMNS = (signing_keys.c.kid, signing_keys.c.key, signing_keys.c.created_at, signing_keys.c.expires_at)


def ensure(connection: Connection, make: Make, usable: Callable[[SigningKey], bool]) -> None:
    """Add a key from `make` unless one that signs is `usable`; of several workers at once, one adds it."""
    lock(connection, AdvisoryLock.SIGNING_KEYS)
    if not any(usable(key) for key in list_all(connection) if key.expires_at is None):
        _add(connection, make)


def rotate(connection: Connection, make: Make, lifetime: timedelta) -> SigningKey:
    """Add a key that signs from now on; those that signed until now verify for another `lifetime`."""
    lock(connection, AdvisoryLock.SIGNING_KEYS)
    statement = update(signing_keys).where(signing_keys.c.expires_at.is_(None))
    connection.execute(statement.values(expires_at=func.now() + lifetime))
    return _add(connection, make)


def revoke(connection: Connection, kid: str) -> SigningKey:
    """Expire the key now, for instance because it leaked; NotFound if absent."""
    statement = update(signing_keys).where(signing_keys.c.kid == kid).values(expires_at=func.now())
    row = connection.execute(statement.returning(*_COLUMNS)).one_or_none()
    if row is None:
        raise NotFound(f"there is no signing key {kid!r}")
    return SigningKey(*row)


def forget_expired(connection: Connection) -> int:
    """Delete the keys that have expired by the clock of the database and by ours; returns their number."""
    now, _ = clocks.both(connection)
    return connection.execute(delete(signing_keys).where(signing_keys.c.expires_at < now)).rowcount


def list_all(connection: Connection) -> list[SigningKey]:
    """Every key, newest first."""
    statement = select(*_COLUMNS).order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid)
    return [SigningKey(*row) for row in connection.execute(statement)]


def _add(connection: Connection, make: Make) -> SigningKey:
    kid, key = make()
    return SigningKey(*connection.execute(insert(signing_keys).values(kid=kid, key=key).returning(*_COLUMNS)).one())
