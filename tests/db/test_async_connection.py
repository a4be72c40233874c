"""The asyncio connection: what it returns, what it raises, and how long it waits."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from psycopg import sql

from db.async_connection import AsyncConnection
from db.engine import Database
from db.errors import Failed, Unavailable
from tests.postgresql import fresh_database, silenceable, statement

KEEP = "PREPARE keep AS INSERT INTO kept SELECT json_array_elements_text($1::json)"


@pytest.fixture(scope="module")
def url(any_server: str) -> Iterator[str]:
    """The URL of a database with one table, on a server of each kind."""
    with fresh_database(any_server, "asynchronous") as url:
        statement(url, sql.SQL("CREATE TABLE kept (value text CHECK (value <> 'refused'))"))
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    with closing(Database(url)) as database:
        yield database


def test_execute_returns_rows(database: Database) -> None:
    """Rows are tuples of Python values; a statement without rows returns an empty list."""

    async def ask() -> None:
        async with database.connected() as connection:
            assert await connection.execute("SELECT %s::int + 1, 'é'", [41]) == [(42, "é")]
            assert await connection.execute("LISTEN nothing") == []

    asyncio.run(ask())


def test_each_connection_is_set_up_for_durable_commits(database: Database) -> None:
    """Like the pool's, it commits to disk before it answers, and gives up long statements."""

    async def ask() -> list[tuple[str, ...]]:
        async with database.connected() as connection:
            names = ("synchronous_commit", "TimeZone", "statement_timeout", "application_name")
            return [(await connection.execute("SELECT current_setting(%s)", [name]))[0] for name in names]

    assert [row[0] for row in asyncio.run(ask())] == ["on", "UTC", "15s", "interaction-reporting"]


@pytest.mark.parametrize("size", [1, 8_000_000], ids=["one letter", "eight million letters"])
def test_run_commits_its_parameter(database: Database, size: int) -> None:
    """Also one that does not fit into the buffers of a socket and must be written piece by piece."""

    async def keep() -> None:
        async with database.connected() as writing, database.connected() as reading:
            await writing.execute(KEEP)
            await writing.run(b"keep", b'["%b"]' % (b"x" * size))
            query = "DELETE FROM kept WHERE length(value) = %s RETURNING 1"
            assert await reading.execute(query, [size]) == [(1,)]

    asyncio.run(keep())


def test_run_returns_rows_as_text(database: Database) -> None:
    """Whatever their types, with None for NULL; a statement without rows returns an empty list."""

    async def ask() -> None:
        async with database.connected() as connection:
            await connection.execute(
                "PREPARE numbers AS SELECT n, n > 1, nullif(n, 2), 'é' FROM generate_series(1, $1) n"
            )
            assert await connection.run(b"numbers", b"2") == [("1", "f", "1", "é"), ("2", "t", None, "é")]
            assert await connection.run(b"numbers", b"0") == []
            await connection.execute(KEEP)
            assert await connection.run(b"keep", b"[]") == []

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        pytest.param(b'["refused"]', "CheckViolation, SQLSTATE 23514", id="a check"),
        pytest.param(b'["secret', "InvalidTextRepresentation, SQLSTATE 22P02", id="no JSON"),
    ],
)
def test_a_refused_statement_raises_failed(database: Database, parameter: bytes, words: str) -> None:
    """The error names its kind and repeats no parameter, and the connection can be used again."""

    async def keep() -> None:
        async with database.connected() as connection:
            await connection.execute(KEEP)
            with pytest.raises(Failed) as raised:
                await connection.run(b"keep", parameter)
            assert str(raised.value) == words
            await connection.run(b"keep", b"[]")

    asyncio.run(keep())


def test_a_cut_connection_is_unavailable(database: Database) -> None:
    """The server ends it while a statement runs, or before."""

    async def cut(running: bool) -> None:
        async with database.connected() as connection, database.connected() as other:
            await connection.execute("PREPARE wait AS SELECT pg_sleep($1::float8)")
            ((process,),) = await connection.execute("SELECT pg_backend_pid()")
            waiting: asyncio.Future[Any] = asyncio.ensure_future(connection.run(b"wait", b"60" if running else b"0"))
            if not running:
                await waiting
                waiting = asyncio.ensure_future(asyncio.sleep(0))
            await asyncio.sleep(0.1)
            await other.execute("SELECT pg_terminate_backend(%s)", [process])
            await asyncio.sleep(0.1)
            with pytest.raises(Unavailable):
                await (waiting if running else connection.run(b"wait", b"0"))

    for running in (True, False):
        asyncio.run(cut(running))


def test_a_silent_server_is_given_up(database_url: str) -> None:
    """Both kinds of statement end after the timeout, and the event loop keeps running."""

    async def ask(connection: AsyncConnection, low: bool) -> None:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.01)

        ticking = asyncio.ensure_future(tick())
        with pytest.raises(Unavailable, match="no answer within 1 seconds"):
            await (connection.run(b"keep", b"[]") if low else connection.execute("SELECT 1"))
        ticking.cancel()
        assert ticks > 10

    async def ask_both() -> None:
        for low in (True, False):
            async with database.connected() as connection:
                await connection.execute("PREPARE keep AS SELECT $1::json")
                silent.set()
                await ask(connection, low)
            silent.clear()

    with silenceable(database_url) as (url, silent), closing(Database(url, timeout=1)) as database:
        asyncio.run(ask_both())


def test_a_server_that_cannot_be_connected_to_is_unavailable() -> None:
    """Nothing listens; or the server accepts the connection and says nothing, and the wait ends."""

    async def connect(url: str) -> None:
        with closing(Database(url, timeout=0.3)) as database:
            async with database.connected():
                pytest.fail("there is a connection")

    with pytest.raises(Unavailable, match="refused"):
        asyncio.run(connect("postgresql://127.0.0.1:1/x"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unavailable, match=r"no connection within 0\.3 seconds"):
            asyncio.run(connect(f"postgresql://127.0.0.1:{port}/x"))


def test_a_notification_that_comes_with_a_result_is_not_lost(database_url: str) -> None:
    """The connection is not readable, as psycopg has read it already; the event is set all the same, once."""

    async def notify() -> None:
        with closing(Database(database_url)) as database:
            async with database.connected() as connection:
                await connection.execute("LISTEN changes")
                await connection.execute("NOTIFY changes")
                event = asyncio.Event()
                for is_notified in (True, False):
                    event.clear()
                    with connection.readable(event):
                        await asyncio.sleep(0.05)
                        assert event.is_set() == is_notified

    asyncio.run(notify())
