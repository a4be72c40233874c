"""Durations of requests by minute: what is written of totals that grow, and the percentiles of buckets."""

import asyncio
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import sql
from sqlalchemy import Connection

from db import latencies, usage_minutes
from db.engine import Database
from db.latencies import Key, Latencies
from tests.postgresql import statement

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without counts."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, sql.SQL("TRUNCATE usage_minutes, latency_minutes"))


def stored(database: Database) -> dict[float, int]:
    """The counts of now by bucket."""
    now = datetime.now(UTC)
    with database.begin() as connection:
        return latencies.latency(connection, now - HOUR, now + HOUR)


def test_counts_add_up_within_a_minute_and_a_major_version(connection: Connection) -> None:
    """By bucket, ascending; a span has its start and not its end."""
    latencies.add(connection, Counter({("1.0", 0.005): 2, ("1.1", 0.005): 1, ("2.0", math.inf): 4}), NOON)
    latencies.add(connection, Counter({("1.1", 0.001): 3}), NOON + MINUTE - timedelta(microseconds=1))
    latencies.add(connection, Counter({("1.1", 0.001): 9}), NOON + MINUTE)
    counts = latencies.latency(connection, NOON, NOON + MINUTE)
    assert list(counts.items()) == [(0.001, 3), (0.005, 3), (math.inf, 4)]
    assert latencies.latency(connection, NOON, NOON + HOUR, major=1) == {0.001: 12, 0.005: 3}
    assert latencies.latency(connection, NOON - HOUR, NOON) == {}


def test_only_what_totals_have_grown_by_is_written(database: Database) -> None:
    """Once, also after a failure; what was there before is not counted, as it was by another reader."""
    totals: Counter[Key] = Counter({("1.1", 0.001): 100})

    async def count(away: Database) -> None:
        tally = Latencies(database, lambda: Counter(totals))
        totals.update({("1.1", 0.001): 1})
        await tally.write()
        await tally.write()
        tally._database = away
        totals.update({("1.1", 0.001): 2, ("2.0", 0.005): 1})
        await tally.write()
        tally._database = database
        totals.update({("1.1", 0.001): 3})
        await tally.write()

    with closing(Database("postgresql://127.0.0.1:1/nowhere")) as away:
        asyncio.run(count(away))
    assert stored(database) == {0.001: 6, 0.005: 1}


def test_two_processes_add_to_each_other(database: Database) -> None:
    """Each writes its own counts, and the rest when it ends."""
    totals: list[Counter[Key]] = [Counter(), Counter()]

    async def count() -> None:
        first, second = (Latencies(database, lambda each=each: Counter(each)) for each in totals)  # type: ignore[misc]
        async with first.flushing(), second.flushing():
            for each in totals:
                each.update({("1.1", 0.001): 1})

    asyncio.run(count())
    assert stored(database) == {0.001: 2}


def test_throttled_requests_are_counted_by_minute(connection: Connection) -> None:
    """Beside the submissions, and not among the durations."""
    latencies.add(connection, Counter({("1.0", 0.001): 5, ("1.0", None): 2, ("1.1", None): 1}), NOON)
    latencies.add(connection, Counter({("2.0", None): 1}), NOON)
    rows = usage_minutes.minutes(connection, NOON, NOON + MINUTE)
    assert [(row.major, row.kind, row.outcome, row.count) for row in rows] == [
        (1, "request", "throttled", 3),
        (2, "request", "throttled", 1),
    ]
    assert latencies.latency(connection, NOON, NOON + MINUTE) == {0.001: 5}


@pytest.mark.parametrize(
    ("counts", "share", "bound"),
    [
        pytest.param({}, 0.5, None, id="nothing"),
        pytest.param({0.001: 0}, 0.5, None, id="no request"),
        pytest.param({0.001: 1}, 0.99, 0.001, id="one request"),
        pytest.param({0.001: 50, 0.005: 50}, 0.5, 0.001, id="exactly half"),
        pytest.param({0.001: 49, 0.005: 51}, 0.5, 0.005, id="less than half"),
        pytest.param({0.001: 99, 0.005: 1}, 0.99, 0.001, id="exactly 99 of 100"),
        pytest.param({0.001: 98, math.inf: 2}, 0.99, math.inf, id="beyond all buckets"),
    ],
)
def test_a_percentile_is_the_bound_of_its_bucket(counts: dict[float, int], share: float, bound: float | None) -> None:
    """As many requests took at most so long."""
    assert latencies.at_most(counts, share) == bound
