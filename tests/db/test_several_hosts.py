"""Several hosts in the URL: the one that takes writes is found, whichever comes first."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from sqlalchemy import text

from db.engine import Database
from db.errors import DatabaseError, Unavailable, Unsuitable
from tests.standbys import Server, primary_and_standby, silent_port


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    """A running primary and its standby."""
    with primary_and_standby() as pair:
        yield pair


async def served(database: Database) -> tuple[int, int]:
    """The ports of the servers that answer the pool and a connection for asyncio."""
    ask = "SELECT current_setting('port')::int WHERE NOT pg_is_in_recovery()"
    async with database.connected() as connection:
        rows = await connection.execute(ask)
    return await database.run(lambda connection: connection.execute(text(ask)).scalar_one()), rows[0][0]


def soon_served(database: Database, port: int) -> None:
    """Assert that the server at `port`, as a primary, serves within two seconds, and no other one before it."""
    deadline = time.monotonic() + 2
    while True:
        try:
            answers = asyncio.run(served(database))
        except DatabaseError:
            assert time.monotonic() < deadline, "nothing serves"
        else:
            assert answers == (port, port)
            return


@pytest.mark.slow
def test_the_primary_is_found_after_each_step_of_a_failover(pair: tuple[Server, Server]) -> None:
    """The first host dies, the second is promoted, and the first comes back as its standby."""
    first, second = pair
    hosts = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
    with closing(Database(f"postgresql://postgres@{hosts}/postgres")) as database:
        soon_served(database, first.port)
        first.stop()
        second.run("pg_ctl", "-D", second.directory, "--wait", "promote")
        soon_served(database, second.port)
        first.copy(second)
        first.start()
        second.stop()  # this cuts all connections
        second.start()
        soon_served(database, second.port)


@pytest.mark.slow
def test_a_standby_alone_is_refused(pair: tuple[Server, Server]) -> None:
    """It would read, and refuse every event. Of two standbys one may be promoted: they are tried again."""
    host = f"127.0.0.1:{pair[1].port}"
    with closing(Database(f"postgresql://postgres@{host}/postgres")) as database:
        with pytest.raises(
            Unsuitable, match="the server is a standby, which takes no writes: name the primary, or all"
        ):
            asyncio.run(served(database))
        with pytest.raises(Unsuitable, match="the server is a standby"):
            database.require_own_sessions()
    with closing(Database(f"postgresql://postgres@{host},{host}/postgres")) as database:
        with pytest.raises(Unavailable, match="server is in hot standby mode") as raised:
            asyncio.run(served(database))
        assert not isinstance(raised.value, Unsuitable)


@pytest.mark.slow
def test_a_silent_first_host_does_not_hide_the_second(pair: tuple[Server, Server]) -> None:
    """Although it accepts connections; a pool waits for it once."""
    with silent_port() as silent:
        url = f"postgresql://postgres@127.0.0.1:{silent},127.0.0.1:{pair[0].port}/postgres"
        with closing(Database(url)) as database:
            assert asyncio.run(served(database)) == (pair[0].port, pair[0].port)
            soon_served(database, pair[0].port)
