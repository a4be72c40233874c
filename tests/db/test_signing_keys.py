"""Signing keys: the first is made if none exists, the newest signs, the others verify for a while."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, func, select, update

from db import signing_keys, tables
from db.driver_errors import translated_errors
from db.errors import Failed, NotFound
from db.signing_keys import Make

HOUR = timedelta(hours=1)
ROWS = tables.oauth_signing_keys


@pytest.fixture
def make() -> Make:
    """Makes keys with the ids 1, 2 and so on."""
    numbers = itertools.count(1)
    return lambda: (number := str(next(numbers)), f"key {number}")


def test_a_key_is_made_where_none_signs(connection: Connection, make: Make) -> None:
    """Once; and again if no signing key is usable."""
    signing_keys.ensure(connection, make, lambda _: True)
    signing_keys.ensure(connection, make, lambda _: True)
    (key,) = signing_keys.list_all(connection)
    assert (key.kid, key.key, key.expires_at) == ("1", "key 1", None)
    assert "key 1" not in repr(key)
    signing_keys.ensure(connection, make, lambda key: key.kid != "1")
    assert {key.kid for key in signing_keys.list_all(connection)} == {"1", "2"}


def test_a_key_that_is_replaced_expires_later(connection: Connection, make: Make) -> None:
    """One that was replaced earlier keeps its instant."""
    now = connection.execute(select(func.now())).scalar_one()
    signing_keys.ensure(connection, make, lambda _: True)
    second = signing_keys.rotate(connection, make, HOUR)
    third = signing_keys.rotate(connection, make, 2 * HOUR)
    assert (second.expires_at, third.expires_at) == (None, None)
    expire = {key.kid: key.expires_at and key.expires_at - now for key in signing_keys.list_all(connection)}
    assert expire == {"1": HOUR, "2": 2 * HOUR, "3": None}


def test_a_revoked_key_has_expired(connection: Connection, make: Make) -> None:
    """It no longer signs."""
    signing_keys.ensure(connection, make, lambda _: True)
    revoked = signing_keys.revoke(connection, "1")
    assert revoked.expires_at == connection.scalar(select(func.now()))
    signing_keys.ensure(connection, make, lambda _: True)
    assert {key.kid for key in signing_keys.list_all(connection) if key.expires_at is None} == {"2"}
    with pytest.raises(NotFound, match="there is no signing key '9'"):
        signing_keys.revoke(connection, "9")


def test_only_expired_keys_are_deleted(connection: Connection, make: Make) -> None:
    """The database refuses to delete a key that may be used, in SQL too."""
    signing_keys.ensure(connection, make, lambda _: True)
    signing_keys.rotate(connection, make, HOUR)
    signing_keys.rotate(connection, make, HOUR)
    for condition in (ROWS.c.kid == "1", ROWS.c.kid == "3"):
        with pytest.raises(Failed), connection.begin_nested(), translated_errors():
            connection.execute(delete(ROWS).where(condition))
    connection.execute(update(ROWS).where(ROWS.c.kid == "1").values(expires_at=func.now() - HOUR))
    assert signing_keys.forget_expired(connection) == 1
    assert {key.kid for key in signing_keys.list_all(connection)} == {"2", "3"}
