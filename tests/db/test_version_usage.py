"""Requests of hubs are counted by hub, major version and day, across processes."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from psycopg import sql

from db import hubs, version_usage
from db.engine import Database
from db.registry import Caller
from db.version_usage import VersionUsage
from tests.postgresql import statement

HUB, OTHER_HUB = UUID(int=1), UUID(int=2)
SECOND = timedelta(seconds=1)
DAY = date(2026, 11, 23)
LAST = datetime(2026, 11, 23, 23, 59, 59, 999999, tzinfo=UTC)
FIRST = LAST + timedelta(microseconds=1)


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without counts."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, sql.SQL("TRUNCATE hub_requests, hub_totals"))


def add(database: Database, counts: dict[tuple[UUID, str], int], now: datetime) -> None:
    """Add `counts` in a transaction of their own."""
    with database.begin() as connection:
        version_usage.add(connection, Counter({(hub.int, version): n for (hub, version), n in counts.items()}), now)


def stored_counts(database: Database, day: date = DAY) -> list[tuple[UUID, int, date, int]]:
    """The counts from `day` on."""
    with database.begin() as connection:
        rows = version_usage.since(connection, day)
    return sorted((row.hub_id, row.major, row.day, row.count) for row in rows)


def test_counts_add_up_within_a_day_and_a_major_version(database: Database) -> None:
    """Each UTC day, major version and hub has its own count; a minor version has none."""
    add(database, {(HUB, "1.0"): 2, (HUB, "1.1"): 1, (HUB, "2.0"): 4, (HUB, "10.0"): 6, (OTHER_HUB, "1.1"): 7}, LAST)
    add(database, {(HUB, "1.1"): 3}, LAST - timedelta(days=1) + timedelta(microseconds=1))
    add(database, {(HUB, "1.1"): 5}, FIRST)
    tomorrow = DAY + timedelta(days=1)
    of_today = [(HUB, 2, DAY, 4), (HUB, 10, DAY, 6), (OTHER_HUB, 1, DAY, 7)]
    assert stored_counts(database) == [(HUB, 1, DAY, 6), (HUB, 1, tomorrow, 5), *of_today]
    assert stored_counts(database, tomorrow) == [(HUB, 1, tomorrow, 5)]


def last_seen(database: Database) -> dict[tuple[UUID, int], datetime]:
    """When each hub was last seen on each major version."""
    with database.begin() as connection:
        return version_usage.last_seen(connection)


def test_last_seen_is_the_latest_request(database: Database) -> None:
    """On each major version, and however long ago it was."""
    last, first = (instant - timedelta(days=366) for instant in (LAST, FIRST))
    add(database, {(HUB, "1.0"): 1, (HUB, "2.0"): 1}, last - timedelta(seconds=1))
    add(database, {(HUB, "1.0"): 1, (HUB, "2.0"): 1}, last)
    add(database, {(HUB, "1.1"): 1}, last - timedelta(days=400))
    add(database, {(OTHER_HUB, "1.1"): 1}, first)
    assert last_seen(database) == {(HUB, 1): last, (HUB, 2): last, (OTHER_HUB, 1): first}
    with database.begin() as connection:
        seen = [version_usage.is_seen(connection, hub, [2, 3]) for hub in (HUB, OTHER_HUB)]
    assert seen == [True, False]


@pytest.mark.parametrize("jump", [timedelta(minutes=1), timedelta(days=56)])
def test_a_clock_that_was_ahead_leaves_no_last_seen_in_the_future(database: Database, jump: timedelta) -> None:
    """That of the process, which jumped and was set right, on the same day and on another."""
    before = datetime.now(UTC)
    add(database, {(HUB, "1.1"): 1}, before + jump)
    assert before - SECOND < last_seen(database)[HUB, 1] <= datetime.now(UTC) + SECOND
    add(database, {(HUB, "1.1"): 1}, before - timedelta(microseconds=1))
    assert last_seen(database)[HUB, 1] <= datetime.now(UTC) + SECOND


def test_rows_of_two_clocks_that_were_ahead_do_not_hide_later_requests(database: Database) -> None:
    """As long as there are no others, they are what is known of the hub."""
    ahead = LAST + timedelta(days=36_500)
    add(database, {(HUB, "1.1"): 1}, ahead)
    statement(database.url, sql.SQL("UPDATE hub_requests SET last_seen_at = {}").format(sql.Literal(ahead)))
    assert last_seen(database) == {(HUB, 1): ahead}
    before = LAST - timedelta(days=400)
    add(database, {(HUB, "1.1"): 1}, before)
    assert last_seen(database) == {(HUB, 1): before}


def test_two_processes_add_to_each_other(database: Database) -> None:
    """Each writes its own counts once, and the rest when it ends."""
    caller, other_caller = Caller(HUB, "one"), Caller(OTHER_HUB, "other")

    async def count(second: Database) -> None:
        tallies = VersionUsage(database), VersionUsage(second)
        async with tallies[0].flushing(), tallies[1].flushing():
            for _ in range(3):
                for tally in tallies:
                    tally.on_request(caller, "1.1")
                tallies[1].on_request(other_caller, "2.0")
                await asyncio.gather(*(tally.write() for tally in tallies))
            tallies[0].on_request(caller, "2.0")

    with closing(Database(database.url)) as second:
        asyncio.run(count(second))
    today = datetime.now(UTC).date()
    yesterday = today - timedelta(days=1)  # midnight may have passed since
    totals: Counter[tuple[UUID, int]] = Counter()
    for hub, major, _, number in stored_counts(database, yesterday):
        totals[hub, major] += number
    assert totals == {(HUB, 1): 6, (HUB, 2): 1, (OTHER_HUB, 2): 3}


def test_concurrent_adds_cannot_deadlock(database: Database) -> None:
    """Their counts are in different orders: none has an error, and every count is stored."""
    callers = [UUID(int=number) for number in range(1, 200)]

    def add_on(turn: int) -> None:
        for _ in range(5):
            add(database, {(hub, "1.1"): 1 for hub in callers[:: 1 if turn % 2 else -1]}, LAST)

    with ThreadPoolExecutor(4) as threads:
        for adding in [threads.submit(add_on, turn) for turn in range(4)]:
            adding.result()
    assert {row[-1] for row in stored_counts(database)} == {20}


def test_lately_is_summed_up_by_major_version_and_by_hub(database: Database) -> None:
    """From a day on: the requests and the hubs of each major version, and those that sent most first."""
    with database.begin() as connection:
        ids = [hubs.create(connection, f"summed up {number}")[0].id for number in range(3)]
    add(database, {(ids[0], "1.1"): 9}, LAST - timedelta(days=1))
    add(database, {(ids[0], "1.0"): 2, (ids[1], "1.1"): 3, (ids[2], "2.0"): 1}, LAST)
    add(database, {(ids[0], "1.1"): 2, (ids[1], "2.0"): 7}, FIRST)
    with database.begin() as connection:
        assert version_usage.totals(connection, DAY) == {1: (7, 2), 2: (8, 2)}
        assert version_usage.totals(connection, DAY + timedelta(days=9)) == {}
        first, second = version_usage.senders(connection, 1, DAY, 5)
        assert [(each.hub, each.count) for each in (first, second)] == [("summed up 0", 4), ("summed up 1", 3)]
        assert [each.hub for each in version_usage.senders(connection, 2, DAY, 1)] == ["summed up 1"]
