"""Fixtures for the tests of the tables."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from db import migrate, partitions
from db.engine import Database
from tests.clocks import Clock, jumping_clock
from tests.db.filled_databases import filled
from tests.postgresql import debian_server, fresh_database

_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures."""
    config.pluginmanager.import_plugin("tests.databases")


@pytest.fixture
def database_url(embedded_url: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    with fresh_database(embedded_url, f"empty_{next(_numbers)}") as url:
        yield url


@pytest.fixture(scope="session")
def tables(any_server: str) -> Iterator[str]:
    """The name of a template database with the tables and no partition, on a server of each kind."""
    with fresh_database(any_server, "tables") as url:
        with closing(Database(url)) as database:
            migrate.upgrade(database)
        yield "tables"


@pytest.fixture(scope="session")
def partitioned(any_server: str, tables: str) -> Iterator[str]:
    """The name of a template database that also has partitions for events of now, and of tests that began last week."""
    with fresh_database(any_server, "partitioned", tables) as url:
        with closing(Database(url)) as database, database.begin() as connection:
            partitions.ensure(connection, (now := datetime.now(UTC)) - timedelta(days=7), now)
            partitions.ensure_coming(connection, now)
        yield "partitioned"


@pytest.fixture(scope="module")
def migrated(any_server: str, partitioned: str) -> Iterator[Database]:
    """A database with the tables, and partitions for events of now, on a server of each kind."""
    with fresh_database(any_server, "migrated", partitioned) as url, closing(Database(url)) as database:
        yield database


@pytest.fixture
def connection(migrated: Database) -> Iterator[Connection]:
    """A transaction on `migrated` that is rolled back in the end."""
    with migrated.begin() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The clock of the database below; that of this process is right."""
    with jumping_clock() as clock:
        yield clock


@pytest.fixture
def elsewhen(clock: Clock) -> Iterator[Database]:
    """A database with the tables on a server whose clock jumps."""
    with debian_server(**clock.environment) as url, closing(Database(url, timeout=5)) as database:
        migrate.upgrade(database)
        yield database


@pytest.fixture(scope="module")
def filled_database(embedded_url: str) -> Iterator[Database]:
    """A filled database that no test changes."""
    with filled(embedded_url, "backed_up") as database:
        yield database


@pytest.fixture
def filled_copy(embedded_url: str, filled_database: Database) -> Iterator[Database]:
    """A copy of `filled_database` of the test's own."""
    filled_database.close()  # a database with sessions is not copied
    with (
        fresh_database(embedded_url, f"copied_{next(_numbers)}", "backed_up") as url,
        closing(Database(url)) as database,
    ):
        yield database


@pytest.fixture
def empty_database(embedded_url: str) -> Iterator[Database]:
    """An empty database of the test's own."""
    with (
        fresh_database(embedded_url, f"restored_{next(_numbers)}") as url,
        closing(Database(url)) as database,
    ):
        yield database
