"""The registry in memory: what it knows, how soon it knows it, and that it admits what it cannot know."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, text

from db import change_feed, event_types, hubs, keys, registry, widgets
from db.engine import Database
from db.errors import Failed, Unavailable
from db.registry import Caller, Registry
from tests.postgresql import fresh_database, statement

WIDGET = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")
OTHER = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e12")
EVER = 1e9
CUT = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT value FROM registry%'")

LOSE_HUBS = (sql.SQL("ALTER TABLE hubs DISABLE TRIGGER USER"), sql.SQL("DELETE FROM hubs"))

Use = Callable[[Registry], Awaitable[None]]


@pytest.fixture
def database(any_server: str, tables: str) -> Iterator[Database]:
    """A database with the tables and one widget, on a server of each kind."""
    with fresh_database(any_server, "registry", tables) as url, closing(Database(url, timeout=5)) as database:
        with database.begin() as connection:
            widgets.register(connection, "Button", WIDGET)
        yield database


def follow(database: Database, use: Use) -> None:
    """Run `use` with a registry that follows the database."""

    async def run() -> None:
        made = Registry(database)
        async with made.following():
            await use(made)

    asyncio.run(run())


def created(database: Database, name: str = "hub") -> str:
    """The key of a new hub."""
    with database.begin() as connection:
        return hubs.create(connection, name)[1]


def disable(database: Database, name: str = "hub") -> None:
    """Disable a hub."""
    with database.begin() as connection:
        hubs.disable(connection, name)


async def until_refused(made: Registry, key: str) -> float:
    """How many seconds it takes until `key` is not accepted any more."""
    started = time.monotonic()
    while await made.hub(key) is not None:
        assert time.monotonic() - started < 5, "the key is still accepted"
        await asyncio.sleep(0.005)
    return time.monotonic() - started


def test_what_is_there_at_the_start_is_known(database: Database) -> None:
    """Keys lead to their hubs, and active widgets and event types are not missing."""
    key = created(database)

    async def use(made: Registry) -> None:
        hub = await made.hub(key)
        with database.begin() as connection:
            ((one),) = hubs.list_all(connection)
        assert hub == Caller(one.id, "hub")
        assert await made.missing([(str(WIDGET), "clicked")]) == [[]]
        assert await made.missing([(str(OTHER), "clicked")]) == [["widget_id"]]
        assert await made.missing([(str(WIDGET), "Clicked")]) == [["event_type"]]
        assert await made.missing([(str(OTHER), "")]) == [["event_type", "widget_id"]]

    follow(database, use)


def test_what_is_new_is_known_to_the_next_request(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever registers something and reports on it at once is not told that it is unknown."""
    monkeypatch.setattr(registry, "POLL_SECONDS", EVER)

    async def use(made: Registry) -> None:
        for number in range(20):
            key = created(database, str(number))
            assert await made.hub(key) is not None
            with database.begin() as connection:
                event_types.register(connection, f"type {number}")
                widget = widgets.register(connection, "Field")
            assert await made.missing([(str(widget.id), f"type {number}")]) == [[]]

    follow(database, use)


def test_unknown_keys_are_unknown(database: Database) -> None:
    """A key of nobody, a digest, and the key of a hub that is disabled."""
    key = created(database)
    disable(database)

    async def use(made: Registry) -> None:
        assert [await made.hub(one) for one in (keys.new(), keys.digest(key), key)] == [None] * 3
        with database.begin() as connection:
            hubs.enable(connection, "hub")
        assert await made.hub(key) is not None

    follow(database, use)


@pytest.mark.parametrize("way", ["notified", "polled"])
def test_what_is_revoked_is_refused_within_a_second(
    database: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A disabled hub, a replaced key, a deprecated type and a retired widget; each of the two ways is enough."""
    monkeypatch.setattr(registry, "FRESH_SECONDS", EVER)
    if way == "notified":
        monkeypatch.setattr(registry, "POLL_SECONDS", EVER)
    else:
        statement(database.url, sql.SQL("ALTER FUNCTION registry_begin_revision() RENAME TO unused"))
        statement(
            database.url,
            sql.SQL(
                "CREATE OR REPLACE FUNCTION unused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "UPDATE registry_revision SET value = value + 1; RETURN NULL; END $$"
            ),
        )
    first, second = created(database, "first"), created(database, "second")

    def revoke(connection: Connection) -> str:
        hubs.disable(connection, "first")
        event_types.deprecate(connection, "clicked")
        widgets.retire(connection, WIDGET)
        return hubs.rotate_key(connection, "second")[1]

    async def use(made: Registry) -> None:
        assert await made.hub(first) is not None
        assert await made.hub(second) is not None
        renewed = await database.run(revoke)
        assert await until_refused(made, first) < 1
        assert await made.hub(second) is None
        assert (await made.hub(renewed)) is not None
        assert made._missing([(str(WIDGET), "clicked")]) == [["event_type", "widget_id"]]

    follow(database, use)


def test_a_lost_connection_hides_nothing_for_long(database: Database) -> None:
    """What is revoked while the registry has no connection is refused within a second."""
    key = created(database)

    async def use(made: Registry) -> None:
        for _ in range(3):
            assert await made.hub(key) is not None
            statement(database.url, CUT)
            disable(database)
            assert await until_refused(made, key) < 1
            with database.begin() as connection:
                hubs.enable(connection, "hub")

    follow(database, use)


def test_what_cannot_be_confirmed_is_not_relied_on(database: Database) -> None:
    """Without a database a key that was known is neither accepted nor refused after a second, until it is back."""
    key = created(database)
    server, name = database.url.replace("/registry", "/postgres"), sql.Identifier("registry")

    async def use(made: Registry) -> None:
        assert await made.hub(key) is not None
        statement(server, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        statement(server, sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'registry'"))
        await asyncio.sleep(registry.FRESH_SECONDS)
        for ask in (made.hub(key), made.missing([(str(WIDGET), "clicked")])):
            with pytest.raises(Unavailable):
                await ask
        statement(server, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        await asyncio.sleep(2 * change_feed.RETRY_SECONDS + 0.2)
        assert await made.hub(key) is not None

    follow(database, use)


def test_a_registry_that_cannot_be_loaded_is_unavailable() -> None:
    """A service does not start to serve without it."""

    async def use(_made: Registry) -> None:
        pytest.fail("there is a registry")

    with closing(Database("postgresql://127.0.0.1:1/nowhere")) as nowhere, pytest.raises(Unavailable):
        follow(nowhere, use)


def test_many_unknown_keys_share_a_look(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand requests with unknown keys cost the database a few queries, not a thousand."""
    looks = 0
    update = Registry._update

    async def counting(made: Registry, *arguments: object) -> None:
        nonlocal looks
        looks += 1
        await update(made, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Registry, "_update", counting)

    async def use(made: Registry) -> None:
        assert await asyncio.gather(*(made.hub(keys.new()) for _ in range(1000))) == [None] * 1000
        assert looks < 10

    follow(database, use)


def test_an_older_state_of_the_database_is_taken_as_it_is(database: Database) -> None:
    """After a backup was restored, what it does not have is forgotten."""
    key = created(database)

    async def use(made: Registry) -> None:
        assert await made.hub(key) is not None
        statement(
            database.url,
            *LOSE_HUBS,
            sql.SQL("UPDATE registry_revision SET value = 0"),
        )
        await until_refused(made, key)
        assert await made.missing([(str(WIDGET), "clicked")]) == [[]]

    follow(database, use)


def test_another_state_with_the_same_count_is_noticed(database: Database) -> None:
    """After a failover that lost a hub, and other changes that brought the count to where it was."""
    key = created(database)

    async def use(made: Registry) -> None:
        assert await made.hub(key) is not None
        statement(
            database.url,
            *LOSE_HUBS,
            sql.SQL("SELECT pg_notify('registry', '')"),
        )
        await asyncio.sleep(0.1)
        assert await made.hub(key) is not None  # the count says that nothing changed
        statement(database.url, CUT)
        assert await until_refused(made, key) < 1

    follow(database, use)


def test_a_key_may_move_from_hub_to_hub(database: Database) -> None:
    """Whoever has it in the end is who it leads to, whatever the order of the changes was."""
    key, other = created(database, "first"), created(database, "second")
    move = "UPDATE hubs SET api_key = '{}' WHERE name = '{}'"

    async def use(made: Registry) -> None:
        assert await made.hub(key) is not None
        with database.begin() as connection:
            for digest, name in (("0" * 64, "first"), (keys.digest(key), "second"), ("1" * 64, "first")):
                connection.execute(text(move.format(digest, name)))
        await made.refresh()
        found = await made.hub(key)
        assert found is not None
        assert found.name == "second"
        assert await made.hub(other) is None

    follow(database, use)


def test_odd_rows_harm_nobody(database: Database) -> None:
    """An instant that Python cannot hold is as good as any other to say that a hub is disabled."""
    key, other = created(database, "first"), created(database, "second")
    statement(database.url, sql.SQL("UPDATE hubs SET disabled_at = 'infinity' WHERE name = 'first'"))

    async def use(made: Registry) -> None:
        assert await made.hub(key) is None
        assert await made.hub(other) is not None

    follow(database, use)


def test_notifications_are_not_kept(database: Database) -> None:
    """The connection of a registry lives for long, and anybody may notify."""

    async def use(made: Registry) -> None:
        for _ in range(20):
            statement(database.url, sql.SQL("SELECT pg_notify('registry', 'x')"))
        await made.refresh()

    kept: list[int] = []
    close = psycopg.AsyncConnection.close

    async def counting(connection: psycopg.AsyncConnection[Any]) -> None:
        kept.append(len(connection._notifies_backlog or ()))
        await close(connection)

    with mock.patch.object(psycopg.AsyncConnection, "close", counting):
        follow(database, use)
    assert kept == [0]


def test_revisions_are_committed_in_their_order(database: Database) -> None:
    """A change waits for the one before it, so that no revision is seen before a smaller one."""
    with database.begin() as first:
        widgets.retire(first, WIDGET)
        second = threading.Thread(target=disable, args=(database,))
        created_in_vain = threading.Thread(target=created, args=(database,))
        created_in_vain.start()
        created_in_vain.join(0.3)
        assert created_in_vain.is_alive()
    created_in_vain.join()
    second.start()
    second.join()
    with database.begin() as connection:
        revisions = "SELECT (SELECT max(revision) FROM widgets) < (SELECT revision FROM hubs), "
        revisions += "(SELECT revision FROM hubs) = (SELECT value FROM registry_revision)"
        assert tuple(connection.execute(text(revisions)).one()) == (True, True)


@pytest.mark.parametrize("table", ["hubs", "widgets", "event_type_registry"])
@pytest.mark.parametrize(
    "change",
    [
        pytest.param("DELETE FROM {}", id="delete"),
        pytest.param("TRUNCATE {}", id="truncate"),
        pytest.param("UPDATE {} SET {} = {}", id="rename"),
    ],
)
def test_rows_that_events_may_name_stay(database: Database, table: str, change: str) -> None:
    """Events refer to them without a foreign key: the database itself keeps them."""
    created(database)
    column, value = ("name", "name || '!'") if table == "event_type_registry" else ("id", "gen_random_uuid()")
    with pytest.raises(Failed, match="RestrictViolation"), database.begin() as connection:
        connection.execute(text(change.format(table, column, value)))


def test_a_large_registry_fits(database: Database) -> None:
    """10,000 hubs and 100,000 widgets are loaded, and one that is added to them is known at once."""
    statement(
        database.url,
        sql.SQL(
            "INSERT INTO hubs (id, name, api_key) "
            "SELECT gen_random_uuid(), n, encode(sha256(n::text::bytea), 'hex') FROM generate_series(1, 10000) n"
        ),
        sql.SQL("INSERT INTO widgets (id, name) SELECT gen_random_uuid(), n FROM generate_series(1, 100000) n"),
    )

    async def use(made: Registry) -> None:
        assert (len(made._hubs), len(made._widgets)) == (10_000, 100_001)
        assert await made.hub("7") is not None
        key = created(database)
        assert await made.hub(key) is not None
        assert len(made._hubs) == 10_001

    follow(database, use)


def test_who_is_cut_over_is_known_within_a_second_and_back_as_soon(database: Database) -> None:
    """It is the same caller otherwise, and no other hub is."""
    key, others = created(database), created(database, "other")

    async def use(made: Registry) -> None:
        changes = partial(hubs.cut_over, name="hub", why=None), partial(hubs.restore_key, name="hub")
        for change, is_cut_over in zip(changes, (True, False), strict=True):
            with database.begin() as connection:
                change(connection)
            started = time.monotonic()
            while (caller := await made.hub(key)) and caller.is_cut_over is not is_cut_over:
                assert time.monotonic() - started < 5, "it is as it was"
                await asyncio.sleep(0.005)
            assert time.monotonic() - started < 1
            assert caller is not None
            assert caller == Caller(caller.id, "hub", None, is_cut_over)
            other = await made.hub(others)
            assert other is not None
            assert not other.is_cut_over

    follow(database, use)


def test_schemas_and_rates_are_followed(database: Database) -> None:
    """What is registered, changed, removed and deprecated is known as soon as anything else; widgets by themselves."""
    key = created(database)
    change = "UPDATE event_type_registry SET metadata_schema = {} WHERE name = 'clicked'"

    async def use(made: Registry) -> None:
        assert made.metadata_schema("clicked") is made.metadata_schema("unknown") is None
        caller = await made.hub(key)
        assert caller is not None
        assert caller.rate_limit is None
        for schema, rate in (('{"type": "object"}', 7), ('{"minProperties": 1}', 8), (None, None)):
            with database.begin() as connection:
                given = f"'{schema}'" if schema else "NULL"
                connection.exec_driver_sql(change.format(given))
                connection.exec_driver_sql("UPDATE hubs SET rate_limit = %s", (rate,))
            await made.refresh()
            assert made.metadata_schema("clicked") == schema
            assert await made.hub(key) == Caller(caller.id, "hub", rate)
        with database.begin() as connection:
            connection.exec_driver_sql(change.format("'{}'"))
            event_types.deprecate(connection, "clicked")
        await made.refresh()
        assert made.metadata_schema("clicked") is None

    follow(database, use)


def test_a_widget_is_known_by_itself(database: Database) -> None:
    """One that was registered a moment ago is there, one that was retired or never was is not."""

    async def use(made: Registry) -> None:
        assert await made.has_widgets([str(WIDGET)]) == [True]
        assert await made.has_widgets([str(OTHER)]) == [False]
        with database.begin() as connection:
            widgets.register(connection, "Knob", OTHER)
            widgets.retire(connection, WIDGET)
        assert await made.has_widgets([str(OTHER)]) == [True]
        assert await made.has_widgets([str(WIDGET)]) == [False]

    follow(database, use)
