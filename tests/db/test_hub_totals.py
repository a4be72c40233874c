"""When hubs were last seen: with their last authenticated request."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql
from sqlalchemy import Connection, event

from db import hub_totals, version_usage
from db.engine import Database
from db.registry import Caller
from db.version_usage import VersionUsage
from tests.postgresql import statement

HUB, OTHER_HUB, QUIET_HUB = (UUID(int=number) for number in (1, 2, 3))
SECOND = timedelta(seconds=1)


def test_the_last_time_counts(connection: Connection) -> None:
    """Of each hub; one that was never seen is absent."""
    now = datetime.now(UTC)
    hub_totals.see(connection, [HUB, OTHER_HUB], now - 9 * SECOND)
    hub_totals.see(connection, [HUB], now - 5 * SECOND)
    seen = hub_totals.last_seen(connection, [HUB, OTHER_HUB, QUIET_HUB])
    assert seen == {HUB: now - 5 * SECOND, OTHER_HUB: now - 9 * SECOND}
    assert hub_totals.last_seen(connection, [OTHER_HUB]) == {OTHER_HUB: now - 9 * SECOND}
    assert hub_totals.last_seen(connection, []) == {}


def test_a_clock_that_was_ahead_leaves_no_last_seen_in_the_future(connection: Connection) -> None:
    """That of the process: the next request replaces what it wrote."""
    now = datetime.now(UTC)
    hub_totals.see(connection, [HUB], now + timedelta(days=56))
    assert hub_totals.last_seen(connection, [HUB])[HUB] <= now + SECOND
    hub_totals.see(connection, [HUB], now - SECOND)
    assert hub_totals.last_seen(connection, [HUB]) == {HUB: now - SECOND}


def test_many_hubs_are_written_by_one_statement(connection: Connection) -> None:
    """In one order, so that transactions cannot deadlock."""
    written: list[list[UUID]] = []

    def note(*arguments: Any) -> None:
        written.append(arguments[3]["hub_ids"])

    hubs = [UUID(int=number) for number in range(100, 0, -1)]
    event.listen(connection, "before_cursor_execute", note)
    hub_totals.see(connection, hubs, datetime.now(UTC))
    event.remove(connection, "before_cursor_execute", note)
    assert written == [sorted(hubs)]


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without counts."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, sql.SQL("TRUNCATE hub_requests, hub_totals"))


def test_hubs_are_seen_with_their_requests(database: Database) -> None:
    """Once in each write, to however many versions they have sent requests."""
    began = datetime.now(UTC)

    async def use() -> None:
        tally = VersionUsage(database)
        for version in ("1.0", "1.1", "2.0"):
            tally.on_request(Caller(HUB, "one"), version)
        await tally.write()

    asyncio.run(use())
    with database.begin() as connection:
        seen = hub_totals.last_seen(connection, [HUB, OTHER_HUB])
        assert seen.keys() == {HUB}
        assert began - SECOND < seen[HUB] <= datetime.now(UTC) + SECOND
        version_usage.add(connection, Counter({(OTHER_HUB.int, "1.1"): 1}), began - SECOND)
        assert hub_totals.last_seen(connection, [OTHER_HUB]) == {OTHER_HUB: began - SECOND}
