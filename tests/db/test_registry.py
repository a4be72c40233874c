"""The registry in memory: what it knows, how soon it knows it, and that it raises Unavailable when it cannot know."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from typing import Any
from unittest import mock
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, text

from db import change_feed, event_types, hub_origins, hubs, keys, registry, widgets
from db.engine import Database
from db.errors import Failed, Unavailable
from db.registry import Caller, Registry
from tests.clocks import Clock
from tests.postgresql import fresh_database, statement

WIDGET = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")
OTHER = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e12")
EVER = 1e9
CUT = sql.SQL(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT value%registry_revision'"
)
HOUR = timedelta(hours=1)
ORIGIN = "https://app.example"
MOMENT = timedelta(seconds=0.5)

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
        live = Registry(database)
        async with live.following():
            await use(live)

    asyncio.run(run())


def new_hub(database: Database, name: str = "hub") -> str:
    """The key of a new hub."""
    with database.begin() as connection:
        return hubs.create(connection, name)[1]


def disable(database: Database, name: str = "hub") -> None:
    """Disable a hub."""
    with database.begin() as connection:
        hubs.disable(connection, name)


async def until_refused(live: Registry, key: str) -> float:
    """The seconds until `key` is no longer accepted."""
    started = time.monotonic()
    while await live.hub(key) is not None:
        assert time.monotonic() - started < 5, "the key is still accepted"
        await asyncio.sleep(0.005)
    return time.monotonic() - started


def test_rows_that_exist_at_the_start_are_known(database: Database) -> None:
    """Keys lead to their hubs, and active widgets and event types are not missing."""
    key = new_hub(database)

    async def use(live: Registry) -> None:
        hub = await live.hub(key)
        with database.begin() as connection:
            (row,) = hubs.list_all(connection)
        assert hub == Caller(row.id, "hub")
        assert await live.missing([(str(WIDGET), "clicked")]) == [[]]
        assert await live.missing([(str(OTHER), "clicked")]) == [["widget_id"]]
        assert await live.missing([(str(WIDGET), "Clicked")]) == [["event_type"]]
        assert await live.missing([(str(OTHER), "")]) == [["event_type", "widget_id"]]

    follow(database, use)


def test_a_new_row_is_known_to_the_next_request(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that registers something and reports on it at once gets no error."""
    monkeypatch.setattr(registry, "POLL_SECONDS", EVER)

    async def use(live: Registry) -> None:
        for number in range(20):
            key = new_hub(database, str(number))
            assert await live.hub(key) is not None
            with database.begin() as connection:
                event_types.register(connection, f"type {number}")
                widget = widgets.register(connection, "Field")
            assert await live.missing([(str(widget.id), f"type {number}")]) == [[]]

    follow(database, use)


def test_unknown_keys_are_unknown(database: Database) -> None:
    """An unused key, a digest, and the key of a disabled hub."""
    key = new_hub(database)
    disable(database)

    async def use(live: Registry) -> None:
        assert [await live.hub(candidate) for candidate in (keys.new(), keys.digest(key), key)] == [None] * 3
        with database.begin() as connection:
            hubs.enable(connection, "hub")
        assert await live.hub(key) is not None

    follow(database, use)


@pytest.mark.parametrize("way", ["notified", "polled"])
def test_revoked_rows_are_refused_within_a_second(
    database: Database, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A disabled hub, a replaced key, a deprecated type, a retired widget; each way is enough."""
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
    first, second = new_hub(database, "first"), new_hub(database, "second")

    def revoke(connection: Connection) -> str:
        hubs.disable(connection, "first")
        event_types.deprecate(connection, "clicked")
        widgets.retire(connection, WIDGET)
        return hubs.rotate_key(connection, "second")[1]

    async def use(live: Registry) -> None:
        assert await live.hub(first) is not None
        assert await live.hub(second) is not None
        renewed = await database.run(revoke)
        assert await until_refused(live, first) < 1
        assert await live.hub(second) is None
        assert (await live.hub(renewed)) is not None
        assert live._missing([(str(WIDGET), "clicked")]) == [["event_type", "widget_id"]]

    follow(database, use)


def test_a_lost_connection_hides_nothing_for_long(database: Database) -> None:
    """A hub that is disabled while the registry has no connection is refused within a second."""
    key = new_hub(database)

    async def use(live: Registry) -> None:
        for _ in range(3):
            assert await live.hub(key) is not None
            statement(database.url, CUT)
            disable(database)
            assert await until_refused(live, key) < 1
            with database.begin() as connection:
                hubs.enable(connection, "hub")

    follow(database, use)


def test_a_key_that_cannot_be_confirmed_is_neither_accepted_nor_refused(database: Database) -> None:
    """Without a database a known key raises Unavailable after a second, until the database is back."""
    key = new_hub(database)
    server, name = database.url.replace("/registry", "/postgres"), sql.Identifier("registry")

    async def use(live: Registry) -> None:
        assert await live.hub(key) is not None
        statement(server, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        statement(server, sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'registry'"))
        await asyncio.sleep(registry.FRESH_SECONDS)
        for ask in (live.hub(key), live.missing([(str(WIDGET), "clicked")])):
            with pytest.raises(Unavailable):
                await ask
        statement(server, sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
        await asyncio.sleep(2 * change_feed.RETRY_SECONDS + 0.2)
        assert await live.hub(key) is not None

    follow(database, use)


def test_a_registry_that_cannot_be_loaded_is_unavailable() -> None:
    """A service does not start without it."""

    async def use(_live: Registry) -> None:
        pytest.fail("there is a registry")

    with closing(Database("postgresql://127.0.0.1:1/nowhere")) as nowhere, pytest.raises(Unavailable):
        follow(nowhere, use)


def test_many_unknown_keys_share_an_update(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand requests with unknown keys cost the database a few queries, not a thousand."""
    updates = 0
    update = Registry._update

    async def counting(live: Registry, *arguments: object) -> None:
        nonlocal updates
        updates += 1
        await update(live, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Registry, "_update", counting)

    async def use(live: Registry) -> None:
        assert await asyncio.gather(*(live.hub(keys.new()) for _ in range(1000))) == [None] * 1000
        assert updates < 10

    follow(database, use)


def test_an_older_state_of_the_database_is_taken_as_it_is(database: Database) -> None:
    """After a restore, rows that the backup lacks are forgotten, with their keys of an overlap."""
    former = new_hub(database)
    key = rotate(database, HOUR)

    async def use(live: Registry) -> None:
        assert await names(live, former, key) == ["hub", "hub"]
        statement(
            database.url,
            *LOSE_HUBS,
            sql.SQL("UPDATE registry_revision SET value = 0"),
        )
        await until_refused(live, key)
        assert await live.hub(former) is None
        assert await live.missing([(str(WIDGET), "clicked")]) == [[]]

    follow(database, use)


def test_another_state_with_the_same_count_is_noticed(database: Database) -> None:
    """As after a failover that lost a hub, when other changes bring the count back to its value."""
    key = new_hub(database)

    async def use(live: Registry) -> None:
        assert await live.hub(key) is not None
        statement(
            database.url,
            *LOSE_HUBS,
            sql.SQL("SELECT pg_notify('registry', '')"),
        )
        await asyncio.sleep(0.1)
        assert await live.hub(key) is not None  # the count says that nothing changed
        statement(database.url, CUT)
        assert await until_refused(live, key) < 1

    follow(database, use)


def test_a_key_may_move_from_hub_to_hub(database: Database) -> None:
    """It leads to the hub that has it in the end, whatever the order of the changes."""
    key, other = new_hub(database, "first"), new_hub(database, "second")
    move = "UPDATE hubs SET api_key = '{}' WHERE name = '{}'"

    async def use(live: Registry) -> None:
        assert await live.hub(key) is not None
        with database.begin() as connection:
            for digest, name in (("0" * 64, "first"), (keys.digest(key), "second"), ("1" * 64, "first")):
                connection.execute(text(move.format(digest, name)))
        await live.refresh()
        caller = await live.hub(key)
        assert caller is not None
        assert caller.name == "second"
        assert await live.hub(other) is None

    follow(database, use)


def test_odd_rows_do_no_harm(database: Database) -> None:
    """A hub is disabled by any instant, even one that Python cannot hold."""
    key, other = new_hub(database, "first"), new_hub(database, "second")
    statement(database.url, sql.SQL("UPDATE hubs SET disabled_at = 'infinity' WHERE name = 'first'"))

    async def use(live: Registry) -> None:
        assert await live.hub(key) is None
        assert await live.hub(other) is not None

    follow(database, use)


def test_notifications_are_not_kept(database: Database) -> None:
    """The connection of a registry lives long, and any client can notify."""

    async def use(live: Registry) -> None:
        for _ in range(20):
            statement(database.url, sql.SQL("SELECT pg_notify('registry', 'x')"))
        await live.refresh()

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
        creation = threading.Thread(target=new_hub, args=(database,))
        creation.start()
        creation.join(0.3)
        assert creation.is_alive()
    creation.join()
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
    """Events refer to them without a foreign key: the database itself protects them."""
    new_hub(database)
    column, value = ("name", "name || '!'") if table == "event_type_registry" else ("id", "gen_random_uuid()")
    with pytest.raises(Failed, match="RestrictViolation"), database.begin() as connection:
        connection.execute(text(change.format(table, column, value)))


def test_a_large_registry_fits(database: Database) -> None:
    """10,000 hubs and 100,000 widgets are loaded, and one more hub is known at once."""
    statement(
        database.url,
        sql.SQL(
            "INSERT INTO hubs (id, name, api_key) "
            "SELECT gen_random_uuid(), n, encode(sha256(n::text::bytea), 'hex') FROM generate_series(1, 10000) n"
        ),
        sql.SQL("INSERT INTO widgets (id, name) SELECT gen_random_uuid(), n FROM generate_series(1, 100000) n"),
    )

    async def use(live: Registry) -> None:
        assert (len(live._hubs), len(live._widgets)) == (10_000, 100_001)
        assert await live.hub("7") is not None
        key = new_hub(database)
        assert await live.hub(key) is not None
        assert len(live._hubs) == 10_001

    follow(database, use)


def test_a_cutover_and_its_end_are_known_within_a_second(database: Database) -> None:
    """The caller is otherwise the same, and no other hub is cut over."""
    key, others = new_hub(database), new_hub(database, "other")

    async def use(live: Registry) -> None:
        changes = partial(hubs.cut_over, name="hub", why=None), partial(hubs.restore_key, name="hub")
        for change, is_cut_over in zip(changes, (True, False), strict=True):
            with database.begin() as connection:
                change(connection)
            started = time.monotonic()
            while (caller := await live.hub(key)) and caller.is_cut_over is not is_cut_over:
                assert time.monotonic() - started < 5, "it is as it was"
                await asyncio.sleep(0.005)
            assert time.monotonic() - started < 1
            assert caller is not None
            assert caller == Caller(caller.id, "hub", None, is_cut_over)
            other = await live.hub(others)
            assert other is not None
            assert not other.is_cut_over

    follow(database, use)


def test_changed_origins_are_known_soon(database: Database) -> None:
    """Of each enabled hub; one that two hubs have stays until both have lost it."""
    key, _ = new_hub(database), new_hub(database, "other")

    def change(function: Callable[..., Any], name: str, *arguments: str) -> None:
        with database.begin() as connection:
            function(connection, name, *arguments)

    async def until(live: Registry, is_known: bool) -> None:
        started = time.monotonic()
        while live.has_origin(ORIGIN) is not is_known:
            assert time.monotonic() - started < 30, "the origins are as they were"
            await asyncio.sleep(0.005)

    async def use(live: Registry) -> None:
        assert not live.has_origin(ORIGIN)
        change(hub_origins.add, "hub", ORIGIN)
        await until(live, is_known=True)
        caller = await live.hub(key)
        assert caller is not None
        assert caller.origins == {ORIGIN}
        change(hub_origins.add, "other", ORIGIN)
        change(hubs.disable, "hub")
        await until_refused(live, key)
        assert live.has_origin(ORIGIN)
        change(hub_origins.remove, "other", ORIGIN)
        await until(live, is_known=False)
        change(hubs.enable, "hub")
        await until(live, is_known=True)

    follow(database, use)


def rotate(database: Database, overlap: timedelta) -> str:
    """The new key of the hub, next to the one before."""
    with database.begin() as connection:
        return hubs.rotate_key(connection, "hub", overlap)[1]


async def names(live: Registry, *some_keys: str) -> list[str | None]:
    """The names of the hubs that the keys lead to."""
    return [caller.name if (caller := await live.hub(key)) else None for key in some_keys]


def test_two_keys_overlap(database: Database) -> None:
    """Both lead to the same hub, those there at the start and new ones; a second rotation drops the oldest."""
    first = new_hub(database)
    second = rotate(database, HOUR)

    async def use(live: Registry) -> None:
        assert await names(live, first, second) == ["hub", "hub"]
        assert await live.hub(first) is await live.hub(second)
        third = rotate(database, HOUR)
        await live.refresh()
        assert await names(live, first, second, third) == [None, "hub", "hub"]
        fourth = rotate(database, timedelta())
        await live.refresh()
        assert await names(live, first, second, third, fourth) == [None, None, None, "hub"]

    follow(database, use)


def test_an_overlap_ends_by_itself(database: Database) -> None:
    """Nothing in the registry changes at its end, and the new key stays."""
    first = new_hub(database)

    async def use(live: Registry) -> None:
        second = rotate(database, MOMENT)
        assert await names(live, second, first) == ["hub", "hub"]
        await until_refused(live, first)
        assert await names(live, second) == ["hub"]

    follow(database, use)


@pytest.mark.parametrize("days", [3, -3])
def test_an_overlap_is_measured_by_the_clock_of_the_database(elsewhen: Database, clock: Clock, days: int) -> None:
    """However far the clock of a worker is ahead of it, or behind."""
    clock.jump(timedelta(days=days))
    first = new_hub(elsewhen)
    second = rotate(elsewhen, HOUR)

    async def use(live: Registry) -> None:
        assert await names(live, first, second) == ["hub", "hub"]
        third = rotate(elsewhen, MOMENT)
        assert await names(live, third, second) == ["hub", "hub"]
        await until_refused(live, second)

    follow(elsewhen, use)


def test_an_overlap_outlives_a_jump_of_the_clock_of_the_database(elsewhen: Database, clock: Clock) -> None:
    """The hub changes while its overlap seems to be over; once the clock is set right, both keys are good again."""
    first = new_hub(elsewhen)
    second = rotate(elsewhen, HOUR)

    async def use(live: Registry) -> None:
        assert await names(live, first, second) == ["hub", "hub"]
        clock.jump(timedelta(days=56))
        with elsewhen.begin() as connection:
            hubs.limit(connection, "hub", 5)
        await live.refresh()
        assert await names(live, first, second) == [None, "hub"]
        clock.jump(timedelta())
        await live.refresh()
        assert await names(live, first, second) == ["hub", "hub"]

    follow(elsewhen, use)


@pytest.mark.parametrize("change", [hubs.disable, partial(hubs.cut_over, why=None)], ids=["disable", "cut_over"])
def test_both_keys_are_refused_at_once(database: Database, change: Callable[..., object]) -> None:
    """A disabled hub has no key; one that is cut over is known as such by both."""
    first = new_hub(database)
    second = rotate(database, HOUR)

    async def use(live: Registry) -> None:
        assert await names(live, first, second) == ["hub", "hub"]
        with database.begin() as connection:
            change(connection, name="hub")
        await live.refresh()
        callers = [await live.hub(key) for key in (first, second)]
        assert [caller is None or caller.is_cut_over for caller in callers] == [True, True]
        with database.begin() as connection:
            hubs.enable(connection, "hub")
            hubs.restore_key(connection, "hub")
        await live.refresh()
        assert [caller and caller.is_cut_over for caller in [await live.hub(key) for key in (first, second)]] == [
            False
        ] * 2

    follow(database, use)


def test_a_previous_key_asks_the_database_no_more_than_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that has not changed its key yet is looked up in memory, too."""
    monkeypatch.setattr(registry, "POLL_SECONDS", EVER)
    monkeypatch.setattr(registry, "FRESH_SECONDS", EVER)
    first = new_hub(database)
    rotate(database, HOUR)

    async def use(live: Registry) -> None:
        statement(database.url, sql.SQL("ALTER TABLE registry_revision RENAME TO unreadable"))
        async with asyncio.timeout(5):
            assert await names(live, first) == ["hub"]

    follow(database, use)


def test_a_previous_key_without_an_end_is_refused(database: Database) -> None:
    """As a row made by hand may have it; one that never ends is accepted."""
    first = new_hub(database)
    second = rotate(database, HOUR)

    async def use(live: Registry) -> None:
        statement(database.url, sql.SQL("UPDATE hubs SET previous_key_until = NULL"))
        await live.refresh()
        assert await names(live, first, second) == [None, "hub"]
        statement(database.url, sql.SQL("UPDATE hubs SET previous_key_until = 'infinity'"))
        await live.refresh()
        assert await names(live, first, second) == ["hub", "hub"]

    follow(database, use)


def test_schemas_and_rates_are_followed(database: Database) -> None:
    """New, changed, removed and deprecated ones are known as soon as anything else."""
    key = new_hub(database)
    change = "UPDATE event_type_registry SET metadata_schema = {} WHERE name = 'clicked'"

    async def use(live: Registry) -> None:
        assert live.metadata_schema("clicked") is live.metadata_schema("unknown") is None
        caller = await live.hub(key)
        assert caller is not None
        assert caller.rate_limit is None
        for schema, rate in (('{"type": "object"}', 7), ('{"minProperties": 1}', 8), (None, None)):
            with database.begin() as connection:
                value = f"'{schema}'" if schema else "NULL"
                connection.exec_driver_sql(change.format(value))
                connection.exec_driver_sql("UPDATE hubs SET rate_limit = %s", (rate,))
            await live.refresh()
            assert live.metadata_schema("clicked") == schema
            assert await live.hub(key) == Caller(caller.id, "hub", rate)
        with database.begin() as connection:
            connection.exec_driver_sql(change.format("'{}'"))
            event_types.deprecate(connection, "clicked")
        await live.refresh()
        assert live.metadata_schema("clicked") is None

    follow(database, use)


def test_a_widget_is_known_by_itself(database: Database) -> None:
    """A new one is there; a retired or unknown one is not."""

    async def use(live: Registry) -> None:
        assert await live.has_widgets([str(WIDGET)]) == [True]
        assert await live.has_widgets([str(OTHER)]) == [False]
        with database.begin() as connection:
            widgets.register(connection, "Knob", OTHER)
            widgets.retire(connection, WIDGET)
        assert await live.has_widgets([str(OTHER)]) == [True]
        assert await live.has_widgets([str(WIDGET)]) == [False]

    follow(database, use)
