"""Tokens that must not be accepted any more: access tokens that were revoked, and what is good for one use."""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db.tables import oauth_revoked_tokens as revoked
from db.tables import oauth_used_tokens as used

CLEARED = 4
"""Expired tokens that are deleted with each one that is used."""
MARGIN = timedelta(minutes=1)
"""How much longer than its life each is remembered: it is accepted for some seconds more, and clocks differ."""


def revoke(connection: Connection, jti: UUID, expires_at: datetime) -> None:
    """Let no worker accept the access token `jti` any more."""
    connection.execute(insert(revoked).values(jti=jti, expires_at=expires_at + MARGIN).on_conflict_do_nothing())


def consume(connection: Connection, owner: str, jti: str, expires_at: datetime) -> bool:
    """Whether the token `jti` of `owner`, good for one use until `expires_at`, was not used before.

    Each time some that have expired are deleted, so that they do not pile up.
    """
    expired = select(used.c.digest).where(used.c.expires_at < func.now()).order_by(used.c.expires_at).limit(CLEARED)
    connection.execute(delete(used).where(used.c.digest.in_(expired.with_for_update(skip_locked=True))))
    digest = hashlib.sha256(f"{owner}\0{jti}".encode()).digest()
    statement = insert(used).values(digest=digest, expires_at=expires_at + MARGIN).on_conflict_do_nothing()
    return connection.scalar(statement.returning(used.c.digest)) is not None


def forget_expired(connection: Connection) -> int:
    """Delete what expired long enough ago to be refused for that; how many."""
    return sum(
        connection.execute(delete(table).where(table.c.expires_at < func.now())).rowcount for table in (revoked, used)
    )
