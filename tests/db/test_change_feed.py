"""The loop that keeps what is in memory up to date: told, looking by itself, and on one connection after the other."""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg.sql import SQL

from db.async_connection import AsyncConnection
from db.change_feed import ChangeFeed
from db.engine import Database
from db.errors import Unavailable
from tests.postgresql import statement

EVER = 1e9
CUT = SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT 6%'")


@pytest.fixture
def database(any_server: str) -> Iterator[Database]:
    """A database, on a server of each kind."""
    with closing(Database(any_server, timeout=5)) as database:
        yield database


class Followed:
    """Notes what it was told, and fails as often as it is asked to."""

    def __init__(self) -> None:
        self.told: list[bool] = []
        self.failures = 0

    async def update(self, connection: AsyncConnection, is_new: bool) -> None:
        """Take over a change."""
        assert await connection.execute("SELECT 6 * 7") == [(42,)]
        if self.failures:
            self.failures -= 1
            raise ValueError("it cannot be taken over")
        self.told.append(is_new)

    async def until_told(self, count: int) -> None:
        """Return when it was told so often."""
        deadline = time.monotonic() + 5
        while len(self.told) < count:
            assert time.monotonic() < deadline, self.told
            await asyncio.sleep(0.005)


def test_it_is_told_and_looks_by_itself(database: Database) -> None:
    """A notification is enough, and so is time; only the first look of a connection is that of a new one."""

    async def run(poll_seconds: float) -> list[bool]:
        followed = Followed()
        async with ChangeFeed(database, "changes", followed.update, poll_seconds, EVER).running():
            if poll_seconds == EVER:
                statement(database.url, SQL("NOTIFY changes"))
            await followed.until_told(2)
        return followed.told[:2]

    assert asyncio.run(run(EVER)) == asyncio.run(run(0.01)) == [True, False]


def test_it_goes_on_after_whatever_fails(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """A lost connection and a fault of what takes over: each is logged once, and then everything is looked at."""

    async def run() -> list[bool]:
        followed = Followed()
        async with ChangeFeed(database, "changes", followed.update, EVER, EVER).running():
            statement(database.url, CUT)
            await followed.until_told(2)
            followed.failures = 3
            statement(database.url, SQL("NOTIFY changes"))
            await followed.until_told(3)
        return followed.told

    with caplog.at_level(logging.INFO):
        assert asyncio.run(run()) == [True, True, True]
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the changes cannot be followed, trying again",
        "following the changes again",
    ] * 2


def test_who_waits_is_told_when_it_is_too_late(database: Database) -> None:
    """What cannot be confirmed within the time that it is fresh is Unavailable, with the reason."""

    async def run() -> None:
        followed = Followed()
        following = ChangeFeed(database, "changes", followed.update, EVER, 0)
        async with following.running():
            followed.failures = 1
            with pytest.raises(Unavailable, match="it cannot be taken over"):
                await following.refresh()
            await following.refresh()

    asyncio.run(run())
