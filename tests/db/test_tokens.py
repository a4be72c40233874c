"""Tokens that are no longer accepted."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection, delete, func, select, update

from db import tables, tokens
from db.driver_errors import translated_errors
from db.errors import Failed
from openapi.oauth import jwt

HOUR = timedelta(hours=1)


@pytest.fixture
def soon() -> datetime:
    """An instant one hour ahead."""
    return datetime.now(UTC) + HOUR


def test_a_token_is_used_once_by_its_owner(connection: Connection, soon: datetime) -> None:
    """Another owner may have one of the same name; owner and name are not run together."""
    assert tokens.consume(connection, "a", "1", soon)
    assert not tokens.consume(connection, "a", "1", soon)
    assert tokens.consume(connection, "b", "1", soon)
    assert tokens.consume(connection, "a1", "", soon)


def test_each_use_deletes_expired_tokens(connection: Connection, soon: datetime) -> None:
    """More of them than are added, so that they do not pile up; valid ones stay."""
    for number in range(20):
        tokens.consume(connection, "old", str(number), soon + HOUR)
    rows = tables.oauth_used_tokens
    connection.execute(update(rows).values(expires_at=soon - 2 * HOUR))
    for number in range(10):
        tokens.consume(connection, "new", str(number), soon)
    assert connection.scalar(select(func.count()).select_from(rows)) == 10
    assert not any(tokens.consume(connection, "new", str(number), soon) for number in range(10))


def test_a_used_token_is_kept_as_a_digest(connection: Connection, soon: datetime) -> None:
    """However long it is."""
    tokens.consume(connection, "a", "b" * 10_000, soon)
    assert connection.scalar(select(func.length(tables.oauth_used_tokens.c.digest))) == 32


def test_a_token_may_be_revoked_again(connection: Connection, soon: datetime) -> None:
    """That changes nothing."""
    jti = uuid4()
    tokens.revoke(connection, jti, soon)
    tokens.revoke(connection, jti, soon + HOUR)
    rows = tables.oauth_revoked_tokens.c
    assert connection.execute(select(rows.jti, rows.expires_at)).one() == (jti, soon + tokens.MARGIN)


def test_a_token_that_has_just_expired_is_still_refused(connection: Connection) -> None:
    """It may still be accepted for some seconds, and by clocks that differ."""
    expired = datetime.now(UTC) - timedelta(seconds=jwt.LEEWAY_SECONDS)
    tokens.revoke(connection, uuid4(), expired)
    assert tokens.consume(connection, "a", "1", expired)
    assert tokens.forget_expired(connection) == 0
    assert not tokens.consume(connection, "a", "1", expired)
    assert connection.scalar(select(func.count()).select_from(tables.oauth_revoked_tokens)) == 1


def test_only_expired_tokens_are_deleted(connection: Connection, soon: datetime) -> None:
    """The database refuses to delete others in SQL too: services that start then would accept them again."""
    old, new = uuid4(), uuid4()
    rows = tables.oauth_revoked_tokens
    for jti in (old, new):
        tokens.revoke(connection, jti, soon)
    tokens.consume(connection, "a", "2", soon)
    tokens.consume(connection, "a", "1", soon - 2 * HOUR)
    with pytest.raises(Failed), connection.begin_nested(), translated_errors():
        connection.execute(delete(rows))
    connection.execute(update(rows).where(rows.c.jti == old).values(expires_at=soon - 2 * HOUR))
    assert tokens.forget_expired(connection) == 2
    assert connection.scalars(select(rows.c.jti)).all() == [new]
    assert not tokens.consume(connection, "a", "2", soon)
