"""What the tests of the tables are given."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from db import migrate, partitions
from db.engine import Database
from tests.postgresql import fresh_database


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures."""
    config.pluginmanager.import_plugin("tests.databases")


@pytest.fixture(scope="module")
def migrated(any_server: str) -> Iterator[Database]:
    """A database with the tables, and partitions for events of now, on a server of each kind."""
    with fresh_database(any_server, "migrated") as url, closing(Database(url)) as database:
        migrate.upgrade(database, lambda connection: partitions.ensure_coming(connection, datetime.now(UTC)))
        yield database


@pytest.fixture
def connection(migrated: Database) -> Iterator[Connection]:
    """A transaction on it that is rolled back in the end."""
    with migrated.begin() as connection:
        yield connection
        connection.rollback()
