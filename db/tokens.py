"""Tokens that are no longer accepted: revoked access tokens, and used one-time tokens."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.tables import oauth_revoked_tokens as revoked
from db.tables import oauth_used_tokens as used

CLEARED = 4
"""Limit on the expired tokens that each use of a token deletes."""
MARGIN = timedelta(minutes=1)
"""A token is remembered this much longer than it is valid: verifiers allow some seconds, and clocks differ."""


def revoke(connection: Connection, jti: UUID, expires_at: datetime) -> None:
    """Revoke the access token `jti` for all workers."""
    connection.execute(insert(revoked).values(jti=jti, expires_at=expires_at + MARGIN).on_conflict_do_nothing())


def consume(connection: Connection, owner: str, jti: str, expires_at: datetime) -> bool:
    """Use up the token `jti` of `owner`, which expires at `expires_at`; False if it was used before.

    Each call deletes at most CLEARED expired tokens, so that they do not pile up.
    """
    expired = select(used.c.digest).where(used.c.expires_at < _now()).order_by(used.c.expires_at).limit(CLEARED)
    connection.execute(delete(used).where(used.c.digest.in_(expired.with_for_update(skip_locked=True))))
    statement = insert(used).values(digest=_digest(owner, jti), expires_at=expires_at + MARGIN).on_conflict_do_nothing()
    return connection.scalar(statement.returning(used.c.digest)) is not None


def is_used(connection: Connection, owner: str, jti: str) -> bool:
    """True if the token `jti` of `owner` was used up."""
    return connection.scalar(select(used.c.digest).where(used.c.digest == _digest(owner, jti))) is not None


def forget_expired(connection: Connection) -> int:
    """Delete the tokens that are now refused as expired; returns their number."""
    return sum(
        connection.execute(delete(table).where(table.c.expires_at < _now())).rowcount for table in (revoked, used)
    )


def _digest(owner: str, jti: str) -> bytes:
    return hashlib.sha256(f"{owner}\0{jti}".encode()).digest()


def _now() -> ColumnElement[datetime]:
    """The earlier of two clocks: services judge tokens by theirs, and the database keeps what it takes for valid."""
    return func.least(func.now(), datetime.now(UTC))
