"""Database: transactions, settings of a connection, threads and time limits."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, text

from db.engine import Database
from db.errors import Failed, Unavailable
from tests.postgresql import fresh_database, silenceable, statement


@pytest.fixture(scope="module")
def url(any_server: str) -> Iterator[str]:
    """The URL of a database with one empty table, on a server of each kind."""
    with fresh_database(any_server, "engine") as url:
        statement(url, sql.SQL("CREATE TABLE kept (value text)"))
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    with closing(Database(url)) as database:
        yield database


def keep(connection: Connection, value: str) -> str:
    """Store `value`."""
    connection.execute(text("INSERT INTO kept VALUES (:value)"), {"value": value})
    return value


def keep_and_raise(connection: Connection, value: str) -> None:
    """Store `value`, then raise ZeroDivisionError."""
    keep(connection, value)
    raise ZeroDivisionError


def is_kept(url: str, value: str) -> bool:
    """True if another connection sees `value`."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT FROM kept WHERE value = %s", [value]).rowcount == 1


def process_at_server(connection: Connection) -> int:
    """The id of the process that serves `connection`."""
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def is_running(url: str, process: int) -> bool:
    """True if the server has that process."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [process]).rowcount == 1


def test_a_database_opens_nothing_before_it_is_used() -> None:
    """It can be created without a server; its first use raises Unavailable."""
    nowhere = Database("postgresql://127.0.0.1:1/nowhere")
    with closing(nowhere), pytest.raises(Unavailable), nowhere.begin():
        pytest.fail("there is a connection")


def test_returning_commits(database: Database, url: str) -> None:
    """Other connections see the rows of a transaction that has ended."""
    with database.begin() as connection:
        keep(connection, "committed")
        assert not is_kept(url, "committed")
    assert is_kept(url, "committed")


def test_raising_rolls_back(database: Database, url: str) -> None:
    """The rows of a transaction that raises are gone, and the error propagates."""
    with pytest.raises(ZeroDivisionError), database.begin() as connection:
        keep_and_raise(connection, "rolled back")
    assert not is_kept(url, "rolled back")


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("timezone", "UTC"),
        ("synchronous_commit", "on"),
        ("statement_timeout", "15s"),
        ("application_name", "interaction-reporting"),
    ],
)
def test_a_connection_is_set_up(any_server: str, setting: str, expected: str) -> None:
    """Each setting holds although the database has another default."""
    others = {
        "timezone": "Asia/Kathmandu",
        "synchronous_commit": "off",
        "statement_timeout": "1min",
        "application_name": "other",
    }
    with fresh_database(any_server, "other_defaults") as url:
        change = sql.SQL("ALTER DATABASE other_defaults SET {} = {}")
        statement(url, change.format(sql.Identifier(setting), sql.Literal(others[setting])))
        with closing(Database(url)) as database, database.begin() as connection:
            assert connection.execute(text(f"SHOW {setting}")).scalar_one() == expected


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_may_name_postgresql_in_three_ways(url: str, scheme: str) -> None:
    """Each of them leads to the database through psycopg, and `url` stays as it was passed."""
    variant = url.replace("postgresql", scheme, 1)
    with closing(Database(variant)) as database, database.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
        assert isinstance(connection.connection.driver_connection, psycopg.Connection)
        assert database.url == variant


@pytest.mark.parametrize(
    ("wrong_url", "words"),
    [
        pytest.param("hunter2", "is not of the form postgresql://user:password@host:port/database", id="no URL"),
        pytest.param("mysql://me:hunter2@host/it", "begins with mysql://; only postgresql:// is supported", id="MySQL"),
        pytest.param(
            "postgresql+asyncpg://me:hunter2@host/it", "begins with postgresql+asyncpg://; only", id="another driver"
        ),
    ],
)
def test_another_url_is_refused(wrong_url: str, words: str) -> None:
    """The message says what is wrong with the URL and does not repeat its password."""
    with pytest.raises(Failed) as raised:
        Database(wrong_url)
    assert words in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_lost_connection_is_replaced(database: Database) -> None:
    """A transaction raises Unavailable if the server ends its connection; the next one gets a new connection."""
    with pytest.raises(Unavailable), database.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    with database.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_database_opens_no_more_connections_than_configured(url: str) -> None:
    """A caller that needs one more waits for the timeout, and gets Unavailable."""
    database = Database(url, connections=1, timeout=0.05)
    started = time.monotonic()
    with closing(database), database.begin(), pytest.raises(Unavailable) as raised, database.begin():
        pytest.fail("there is a second connection")
    assert str(raised.value) == "all connections are in use"
    assert 0.05 <= time.monotonic() - started < 5


def test_run_commits_and_returns(database: Database, url: str) -> None:
    """The function gets its arguments, its value is returned, and other connections see its rows."""
    assert asyncio.run(database.run(keep, "run")) == "run"
    assert asyncio.run(database.run(keep, value="run by name")) == "run by name"
    assert is_kept(url, "run")
    assert is_kept(url, "run by name")


def test_run_rolls_back(database: Database, url: str) -> None:
    """The function's error propagates, and its rows are gone."""
    with pytest.raises(ZeroDivisionError):
        asyncio.run(database.run(keep_and_raise, "run and rolled back"))
    assert not is_kept(url, "run and rolled back")


def test_run_translates_errors(database: Database) -> None:
    """An error of the server is translated on the way back from the thread."""
    with pytest.raises(Failed, match="UndefinedTable, SQLSTATE 42P01"):
        asyncio.run(database.run(lambda connection: connection.execute(text("SELECT FROM nothing"))))


def test_functions_run_side_by_side(url: str) -> None:
    """As many as there are connections run at once, each on its own."""
    together = threading.Barrier(3, timeout=5)

    def meet(connection: Connection) -> int:
        together.wait()
        return process_at_server(connection)

    async def meet_three_times(database: Database) -> list[int]:
        return await asyncio.gather(*(database.run(meet) for _ in range(3)))

    with closing(Database(url, connections=3)) as database:
        assert len(set(asyncio.run(meet_three_times(database)))) == 3


def test_the_use_of_the_pool_is_known(url: str) -> None:
    """The calls under way have connections, and those beyond wait for one."""

    async def run(database: Database) -> None:
        both = threading.Barrier(3)
        calls = [asyncio.create_task(database.run(lambda _: both.wait(5))) for _ in range(2)]
        waiting = [asyncio.create_task(database.run(lambda _: None)) for _ in range(3)]
        expected = {"size": 2, "in_use": 2, "waiting": 3}
        while database.pool_use != expected:
            await asyncio.sleep(0.005)
        await asyncio.to_thread(both.wait, 5)
        await asyncio.gather(*calls, *waiting)
        assert database.pool_use == {"size": 2, "in_use": 0, "waiting": 0}

    with closing(Database(url, connections=2)) as database:
        asyncio.run(asyncio.wait_for(run(database), 10))


def test_run_waits_no_longer_than_the_timeout(url: str) -> None:
    """A function that does not end in time raises Unavailable, and so does one that waits for its turn."""
    release = threading.Event()

    async def run_two(database: Database) -> tuple[object, object]:
        waiting = database.run(lambda _: release.wait(5))
        return await asyncio.gather(waiting, database.run(keep, "too late"), return_exceptions=True)

    with closing(Database(url, connections=1, timeout=0.2)) as database:
        errors = asyncio.run(run_two(database))
        release.set()
        assert [(type(error), str(error)) for error in errors] == [(Unavailable, "no answer within 0.2 seconds")] * 2
        with database.begin():
            assert not is_kept(url, "too late")


def test_close_ends_connections_and_threads(url: str) -> None:
    """The session at the server ends, and so does the thread in this process."""
    with closing(Database(url)) as database:
        process, thread = asyncio.run(
            database.run(lambda connection: (process_at_server(connection), threading.current_thread()))
        )
        assert is_running(url, process)
        assert thread.is_alive()
    thread.join(5)
    assert not thread.is_alive()
    deadline = time.monotonic() + 5
    while is_running(url, process):
        assert time.monotonic() < deadline, "the session is still there"
        time.sleep(0.01)


def test_a_silent_server_holds_no_connection(database_url: str) -> None:
    """A connection to a silent server is given up: when the server answers again, all are usable."""
    with silenceable(database_url) as (url, silent), closing(Database(url, connections=2, timeout=1)) as database:

        async def ask(times: int) -> list[object]:
            return await asyncio.gather(
                *(database.run(process_at_server) for _ in range(times)), return_exceptions=True
            )

        assert not any(isinstance(outcome, Exception) for outcome in asyncio.run(ask(2)))
        silent.set()
        assert all(isinstance(outcome, Unavailable) for outcome in asyncio.run(ask(2)))
        silent.clear()
        time.sleep(0.2)
        assert not any(isinstance(outcome, Exception) for outcome in asyncio.run(ask(2)))


def test_a_process_that_is_about_to_end_hurries(database_url: str) -> None:
    """A call that waits for a silent server is cut soon, and so is the next one, although they might wait a minute."""
    with silenceable(database_url) as (url, silent), closing(Database(url, connections=1, timeout=60)) as database:
        with database.begin():
            pass
        silent.set()

        async def end() -> list[object]:
            waiting = asyncio.create_task(database.run(process_at_server))
            await asyncio.sleep(0.5)
            assert not waiting.done()
            database.hurry(0.1)
            return [*await asyncio.gather(waiting, database.run(process_at_server), return_exceptions=True)]

        started = time.monotonic()
        outcomes = asyncio.run(end())
        assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
        assert time.monotonic() - started < 30


def test_close_does_not_wait_for_a_silent_server(database_url: str) -> None:
    """A call that still waits for the server is cut, and its thread ends."""
    with silenceable(database_url) as (url, silent), closing(Database(url, connections=1, timeout=60)) as database:
        with database.begin():
            pass
        silent.set()
        errors: list[Unavailable] = []

        def wait() -> None:
            try:
                asyncio.run(database.run(process_at_server))
            except Unavailable as error:
                errors.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
        deadline = time.monotonic() + 5
        while not database._in_use:
            assert time.monotonic() < deadline, "nothing waits"
            time.sleep(0.01)
        time.sleep(0.1)
        database.close()
        waiting.join(5)
        assert len(errors) == 1
