"""The loop that keeps memory up to date: by notification, by polling, and on one connection after the other."""

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


class Follower:
    """Records each update, and fails as often as `failures` says."""

    def __init__(self) -> None:
        self.updates: list[bool] = []
        self.failures = 0

    async def update(self, connection: AsyncConnection, is_new: bool) -> None:
        """Record an update; ValueError while `failures` are left."""
        assert await connection.execute("SELECT 6 * 7") == [(42,)]
        if self.failures:
            self.failures -= 1
            raise ValueError("it cannot be taken over")
        self.updates.append(is_new)

    async def until_updated(self, count: int) -> None:
        """Return after `count` updates."""
        deadline = time.monotonic() + 5
        while len(self.updates) < count:
            assert time.monotonic() < deadline, self.updates
            await asyncio.sleep(0.005)


def test_it_updates_on_notification_and_by_polling(database: Database) -> None:
    """Each of the two is enough; only the first update of a connection has `is_new`."""

    async def run(poll_seconds: float) -> list[bool]:
        follower = Follower()
        async with ChangeFeed(database, "changes", follower.update, poll_seconds, EVER).running():
            if poll_seconds == EVER:
                statement(database.url, SQL("NOTIFY changes"))
            await follower.until_updated(2)
        return follower.updates[:2]

    assert asyncio.run(run(EVER)) == asyncio.run(run(0.01)) == [True, False]


def test_it_goes_on_after_a_failure(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """A lost connection and an update that raises: each is logged once, and then everything is read again."""

    async def run() -> list[bool]:
        follower = Follower()
        async with ChangeFeed(database, "changes", follower.update, EVER, EVER).running():
            statement(database.url, CUT)
            await follower.until_updated(2)
            follower.failures = 3
            statement(database.url, SQL("NOTIFY changes"))
            await follower.until_updated(3)
        return follower.updates

    with caplog.at_level(logging.INFO):
        assert asyncio.run(run()) == [True, True, True]
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the changes cannot be followed, trying again",
        "following the changes again",
    ] * 2


def test_a_refresh_that_comes_too_late_is_unavailable(database: Database) -> None:
    """A state that cannot be confirmed while it is fresh raises Unavailable, with the reason."""

    async def run() -> None:
        follower = Follower()
        feed = ChangeFeed(database, "changes", follower.update, EVER, 0)
        async with feed.running():
            follower.failures = 1
            with pytest.raises(Unavailable, match="it cannot be taken over"):
                await feed.refresh()
            await feed.refresh()

    asyncio.run(run())


def test_the_age_of_the_rows_is_known(database: Database) -> None:
    """It grows until the next update, which counts from its beginning."""

    async def run() -> None:
        feed = ChangeFeed(database, "changes", Follower().update, EVER, 30)
        async with feed.running():
            await asyncio.sleep(0.3)
            before = feed.age
            assert 0.2 <= before < 5
            started = time.monotonic()
            await feed.refresh()
            assert 0 <= feed.age <= time.monotonic() - started

    asyncio.run(run())
