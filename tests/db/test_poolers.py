"""Poolers, other servers and older ones: unsuitable, in words that name the cure."""

import asyncio
from collections.abc import Iterator
from contextlib import closing

import pytest

from db.engine import Database
from db.errors import Unsuitable
from db.session_settings import SETTINGS, require_own_session
from tests.postgresql import debian_server, fresh_database
from tests.unsuitable_servers import answering, greeting, pooler

HTTP = b"HTTP/1.1 400 Bad Request\r\n\r\n"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of an empty database on a server that PgBouncer, as another user than root, can reach."""
    with debian_server() as server, fresh_database(server, "pooled") as url:
        yield url


SET_ALL = "; ".join(f"SET {setting.name} = '{setting.value}'" for setting in SETTINGS)


def test_a_pooler_that_drops_the_options_is_unsuitable(url: str) -> None:
    """In the pool and at the start; the message names a setting, its value, and what to do."""
    with pooler(url, "transaction") as pooled, closing(Database(pooled)) as database:
        with pytest.raises(Unsuitable, match=r"^\w+ is '.+' in a new session, .*; connect to PostgreSQL itself$"):
            database.require_own_sessions()
        with pytest.raises(Unsuitable), database.begin():
            pytest.fail("there is a connection")


def test_a_pooler_of_transactions_is_unsuitable_although_it_has_every_setting(url: str) -> None:
    """Two sessions share a process of the server, one after the other."""
    with (
        pooler(url, "transaction", SET_ALL) as pooled,
        closing(Database(pooled)) as database,
        pytest.raises(Unsuitable, match="lends each transaction another session"),
    ):
        database.require_own_sessions()


def test_a_pooler_of_sessions_with_every_setting_is_suitable(url: str) -> None:
    """Each session has a process of its own."""
    with pooler(url, "session", SET_ALL) as pooled, closing(Database(pooled)) as database:
        database.require_own_sessions()


@pytest.mark.parametrize(("first", "second"), [([1, 2], [3]), ([1], [1]), ([1, 2], [])])
def test_sessions_that_share_processes_are_not_the_services_own(first: list[int], second: list[int]) -> None:
    """Whichever of them a pooler moves."""
    with pytest.raises(Unsuitable, match="lends each transaction another session"):
        require_own_session(first, second)
    require_own_session([1, 1], [2])


def test_an_older_server_is_unsuitable() -> None:
    """Also another product, which as a rule says that it is an old PostgreSQL."""
    words = "says that it is PostgreSQL 14: the service needs PostgreSQL 15 or later"
    with answering(greeting("14.9")) as url, closing(Database(url)) as database, pytest.raises(Unsuitable, match=words):
        database.require_own_sessions()


@pytest.mark.parametrize(
    ("answer", "tls"),
    [(HTTP, "disable"), (HTTP, "prefer"), (b"SSH-2.0-OpenSSH_9.2\r\n", "disable"), (None, "disable"), (None, "prefer")],
)
def test_another_service_is_no_database(answer: bytes | None, tls: str) -> None:
    """At once, in the pool and for asyncio."""
    words = "another service than PostgreSQL answers there: correct host and port"
    with answering(answer) as url, closing(Database(url.replace("disable", tls))) as database:
        with pytest.raises(Unsuitable, match=words):
            database.require_own_sessions()
        with pytest.raises(Unsuitable, match=words):
            asyncio.run(connect(database))


async def connect(database: Database) -> None:
    """Open and close a connection for asyncio."""
    async with database.connected():
        pass
