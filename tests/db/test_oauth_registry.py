"""The OAuth rows that a process keeps in memory, and how soon it sees changes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from psycopg import sql

from db import hubs, oauth_clients, signing_keys, tokens
from db.engine import Database
from db.oauth_registry import OAuthRegistry, RevokedTokens
from db.registry import Registry
from tests.clocks import Clock
from tests.postgresql import fresh_database, statement

SOON = timedelta(seconds=60)
NEWEST = 2**62
"""A revision beyond every change."""


@pytest.fixture
def database(any_server: str, tables: str) -> Iterator[Database]:
    """A database with the tables and one hub, on a server of each kind."""
    with fresh_database(any_server, "oauth", tables) as url, closing(Database(url, timeout=5)) as database:
        with database.begin() as connection:
            hubs.create(connection, "alpha")
        yield database


def follow(database: Database, use: Callable[[Registry], Awaitable[None]]) -> None:
    """Run `use` with a registry that follows the database."""

    async def run() -> None:
        registry = Registry(database)
        async with registry.following():
            await use(registry)

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> float:
    """The seconds until `condition` holds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < 5
        await asyncio.sleep(0.005)
    return time.monotonic() - started


def test_clients_keys_and_revocations_are_known_within_a_second(database: Database) -> None:
    """Those there at the start, new ones and changes; after `refresh` at once."""
    jti = uuid4()
    with database.begin() as connection:
        client, _ = oauth_clients.issue(connection, "alpha", ["events:write"], {"keys": []})
        oauth_clients.accept(connection, "alpha", "https://issuer.example", client.client_id, ["events:read"])
        signing_keys.ensure(connection, lambda: ("1", "key"), lambda _: True)

    async def use(registry: Registry) -> None:
        oauth = registry.oauth
        known = oauth.client(client.client_id)
        assert known is not None
        assert (known.scopes, known.jwks, known.secret) == (frozenset({"events:write"}), {"keys": []}, None)
        other = oauth.client(client.client_id, "https://issuer.example")
        assert other is not None
        assert other.scopes == {"events:read"}
        caller = registry.caller(known.hub_id)
        assert caller is not None
        assert caller.name == "alpha"
        assert [(key.kid, key.key, key.expires_at) for key in oauth.signing_keys()] == [("1", "key", None)]
        before = oauth.signing_keys_revision
        first_key = oauth.signing_since
        assert first_key is not None
        assert oauth.revoked_count == 0

        await database.run(oauth_clients.disable, client.client_id)
        await database.run(tokens.revoke, jti, datetime.now(UTC) + SOON)
        await database.run(signing_keys.rotate, lambda: ("2", "key"), SOON)
        assert await until(lambda: oauth.client(client.client_id) is None) < 1
        assert await until(lambda: oauth.is_revoked(jti)) < 1
        assert await until(lambda: len(oauth.signing_keys()) == 2) < 1
        assert oauth.signing_keys_revision > before
        assert oauth.client(client.client_id, "https://issuer.example") == other
        assert not oauth.is_revoked(uuid4())
        assert oauth.revoked_count == 1
        assert oauth.signing_since is not None
        assert oauth.signing_since > first_key
        assert OAuthRegistry().signing_since is None

        await database.run(oauth_clients.enable, client.client_id)
        await registry.refresh()
        assert oauth.client(client.client_id) == known

    follow(database, use)


def test_revocations_are_kept_until_they_expire(database: Database) -> None:
    """After that a token is refused as expired; an expired revocation is not even read."""
    expired, first, last = uuid4(), uuid4(), uuid4()
    now = time.time()
    oauth = OAuthRegistry(lambda: now)

    def known() -> list[bool]:
        return [oauth.is_revoked(jti) for jti in (expired, first, last)]

    async def update(since: int) -> None:
        async with database.connected() as connection:
            await oauth.update(connection, since)

    with database.begin() as connection:
        for jti, hours in ((expired, -1), (first, 1), (last, 3)):
            tokens.revoke(connection, jti, datetime.fromtimestamp(now, UTC) + timedelta(hours=hours))
    asyncio.run(update(-1))
    assert known() == [False, True, True]
    now += 7200
    asyncio.run(update(NEWEST))
    assert known() == [False, False, True]


@pytest.mark.parametrize("hours", [-24 * 56, -1, 1, 24 * 56])
def test_the_clock_of_the_database_may_be_wrong(elsewhen: Database, clock: Clock, hours: int) -> None:
    """Revocations hold until tokens expire by the service's clock; overlaps and keys last as long as they should."""
    clock.jump(timedelta(hours=hours))
    jti = uuid4()
    with elsewhen.begin() as connection:
        hubs.create(connection, "alpha")
        client, _ = oauth_clients.issue(connection, "alpha", ["events:write"])
        oauth_clients.rotate(connection, client.client_id, timedelta(minutes=1))
        signing_keys.ensure(connection, lambda: ("1", "key"), lambda _: True)
        signing_keys.rotate(connection, lambda: ("2", "key"), timedelta(minutes=1))
        tokens.revoke(connection, jti, datetime.now(UTC) + timedelta(minutes=10))
        tokens.forget_expired(connection)

    async def use(registry: Registry) -> None:
        assert registry.oauth.is_revoked(jti)
        known = registry.oauth.client(client.client_id)
        assert known is not None
        assert known.previous_secret_until is not None
        assert 0 < known.previous_secret_until - time.monotonic() <= 60
        (expires_at,) = [key.expires_at for key in registry.oauth.signing_keys() if key.expires_at]
        assert timedelta(0) < expires_at - datetime.now(UTC) <= timedelta(minutes=1)
        assert await elsewhen.run(tokens.consume, "a", "1", datetime.now(UTC) + timedelta(minutes=10))
        await elsewhen.run(tokens.forget_expired)
        assert not await elsewhen.run(tokens.consume, "a", "1", datetime.now(UTC) + timedelta(minutes=10))

    follow(elsewhen, use)


@pytest.mark.parametrize("jump", [60, 3600, 24 * 3600 * 56, -3600])
def test_a_clock_that_jumps_there_and_back_forgets_nothing(database: Database, jump: float) -> None:
    """Revoked tokens stay revoked, also those of the meantime; keys end when they should."""
    before, during = uuid4(), uuid4()
    lead = 0.0

    async def use() -> None:
        nonlocal lead
        registry = Registry(database, lambda: time.time() + lead)
        async with registry.following():
            for lead in (0, jump):
                jti = during if lead else before
                await database.run(tokens.revoke, jti, datetime.now(UTC) + timedelta(seconds=30))
                await registry.refresh()
            await database.run(signing_keys.ensure, lambda: ("1", "key"), lambda _: True)
            await database.run(signing_keys.rotate, lambda: ("2", "key"), timedelta(minutes=1))
            await registry.refresh()
            lead = 0.0
            await until(lambda: registry.oauth.is_revoked(before) and registry.oauth.is_revoked(during))
            await until(lambda: timedelta(0) < time_left(registry) <= timedelta(minutes=1))

    def time_left(registry: Registry) -> timedelta:
        (expires_at,) = [key.expires_at for key in registry.oauth.signing_keys() if key.expires_at]
        return expires_at - datetime.now(UTC)

    asyncio.run(use())


def test_revoked_tokens_are_forgotten_after_their_last_minute() -> None:
    """However many there are, and whichever was added first."""
    revoked = RevokedTokens()
    first, second, third = uuid4(), uuid4(), uuid4()
    for jti, expires_at in ((second, 190.0), (first, 60.0), (third, 600.0), (third, 600.0)):
        revoked.add(jti, expires_at)
    for now, expected in ((0, {first, second, third}), (119, {first, second, third}), (120, {second, third})):
        revoked.forget_expired(now)
        assert {jti for jti in (first, second, third) if jti in revoked} == expected
    revoked.forget_expired(660)
    assert third not in revoked


def test_another_state_of_the_database_is_taken_as_it_is(database: Database) -> None:
    """As after a restore: rows that are gone are no longer known."""
    with database.begin() as connection:
        client, _ = oauth_clients.issue(connection, "alpha", ["events:write"])
        signing_keys.ensure(connection, lambda: ("1", "key"), lambda _: True)

    async def use(registry: Registry) -> None:
        assert registry.oauth.client(client.client_id)
        for table in map(sql.Identifier, ("oauth_clients", "oauth_signing_keys")):
            statement(database.url, sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
            statement(database.url, sql.SQL("DELETE FROM {}").format(table))
        statement(database.url, sql.SQL("UPDATE registry_revision SET value = 0"))
        await registry.refresh()
        assert registry.oauth.client(client.client_id) is None
        assert not registry.oauth.signing_keys()

    follow(database, use)
