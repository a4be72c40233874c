"""Fixtures with PostgreSQL servers and prepared databases; conftests that need them load this plugin."""

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.engine import Database
from tests.postgresql import debian_server, embedded_server, fresh_database

_numbers = itertools.count()


@pytest.fixture
def directory() -> Iterator[Path]:
    """A temporary directory that the embedded PostgreSQL may enter: if root runs the tests, it runs as another user."""
    with tempfile.TemporaryDirectory(prefix="ir-tests-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def embedded_url() -> Iterator[str]:
    """The URL of an embedded PostgreSQL server."""
    with embedded_server() as url:
        yield url


@pytest.fixture(scope="session", params=["embedded", "debian"])
def any_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a PostgreSQL server, of each kind in turn."""
    if request.param == "embedded":
        yield request.getfixturevalue("embedded_url")
    else:
        with debian_server() as url:
            yield url


@pytest.fixture
def database_url(embedded_url: str, template: str) -> Iterator[str]:
    """The URL of a prepared database of the test's own."""
    with fresh_database(embedded_url, f"test_{next(_numbers)}", template) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A prepared database of the test's own."""
    with closing(Database(database_url)) as database:
        yield database
