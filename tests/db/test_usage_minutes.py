"""Submissions of all hubs by minute: how they are summed, and how long they are kept."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from psycopg import sql
from sqlalchemy import Connection, func, insert, select

from db import submission_usage, usage_minutes
from db.engine import Database
from db.submission_usage import SubmissionUsage
from db.tables import latency_minutes
from db.tables import usage_minutes as table
from db.usage_minutes import KEPT, Minutes, Step
from tests.postgresql import statement

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE, HOUR, MICROSECOND = timedelta(minutes=1), timedelta(hours=1), timedelta(microseconds=1)
CREATED = (1, "event", "created")


def of(connection: Connection, step: Step = "minute", since: datetime = NOON - 2 * HOUR) -> list[Minutes]:
    """The counts until the hour after noon."""
    return usage_minutes.minutes(connection, since, NOON + HOUR, step)


def test_counts_add_up_within_a_minute(connection: Connection) -> None:
    """Each minute, major version, kind and outcome has its own count."""
    usage_minutes.add(connection, Counter({CREATED: 2, (2, "event", "created"): 1}), NOON)
    usage_minutes.add(connection, Counter({CREATED: 3, (1, "annotation", "throttled"): 4}), NOON + MINUTE - MICROSECOND)
    usage_minutes.add(connection, Counter({CREATED: 5}), NOON - MICROSECOND)
    assert of(connection) == [
        Minutes(NOON - MINUTE, *CREATED, 5),
        Minutes(NOON, 1, "annotation", "throttled", 4),
        Minutes(NOON, *CREATED, 5),
        Minutes(NOON, 2, "event", "created", 1),
    ]


def test_a_span_has_its_start_and_not_its_end(connection: Connection) -> None:
    """The minute that begins where the span ends is not in it."""
    for number in range(-1, 3):
        usage_minutes.add(connection, Counter({CREATED: 10 + number}), NOON + number * MINUTE)
    assert [row.count for row in usage_minutes.minutes(connection, NOON, NOON + 2 * MINUTE)] == [10, 11]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_minutes_are_summed_by_hour_and_day_in_utc(connection: Connection, zone: str) -> None:
    """Whatever the time zone of the session is: one with half hours would begin its hours elsewhere."""
    connection.execute(select(func.set_config("timezone", zone, True)))
    midnight = NOON - 12 * HOUR
    for at in (midnight - MINUTE, midnight, midnight + 59 * MINUTE, midnight + HOUR):
        usage_minutes.add(connection, Counter({CREATED: 1}), at)
    since = midnight - HOUR
    hours = [(row.start, row.count) for row in of(connection, "hour", since)]
    assert hours == [(since, 1), (midnight, 2), (midnight + HOUR, 1)]
    days = [(row.start, row.count) for row in of(connection, "day", since)]
    assert days == [(midnight - 24 * HOUR, 1), (midnight, 3)]


def test_minutes_of_two_days_are_kept(connection: Connection) -> None:
    """And the latencies of these; the minute in which they end is there as a whole."""
    now = connection.execute(select(func.now())).scalar_one()
    for at in (now, now - KEPT + MINUTE, now - KEPT - MINUTE, now - 9 * KEPT):
        minute = at.replace(second=0, microsecond=0)
        usage_minutes.add(connection, Counter({CREATED: 1}), at)
        connection.execute(insert(latency_minutes).values(minute=minute, major=1, bucket=0.001, count=1))
    assert usage_minutes.delete_old(connection) == 4
    for each in (table, latency_minutes):
        assert connection.scalar(select(func.count()).select_from(each)) == 2
        assert connection.scalar(select(func.min(each.c.minute))) > now - KEPT


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without counts."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, sql.SQL("TRUNCATE usage, usage_minutes, type_usage"))


def test_each_outcome_is_told_by_minute(database: Database) -> None:
    """Of several hubs and versions; received is the sum, and the hours of the hubs have the same."""

    async def count() -> None:
        tally = SubmissionUsage(database, lambda *_: None)
        for hub, version in ((UUID(int=1), "1.0"), (UUID(int=1), "1.1"), (UUID(int=2), "2.0")):
            for number, outcome in enumerate(("created", "duplicate", "rejected", "throttled"), 1):
                tally.add(hub, version, "event", outcome, "clicked", number)
        await tally.write()
        await tally.write()

    asyncio.run(count())
    now = datetime.now(UTC)
    with database.begin() as connection:
        rows = usage_minutes.minutes(connection, now - HOUR, now + MINUTE, "day")
        totals: Counter[tuple[int, str]] = Counter()
        for row in rows:
            totals[row.major, row.outcome] += row.count
        hours = submission_usage.of_hub(connection, UUID(int=1), now - 2 * HOUR, now + HOUR, 100)
    outcomes = {"created": 1, "duplicate": 2, "rejected": 3, "throttled": 4}
    assert totals == {(1, name): 2 * n for name, n in outcomes.items()} | {(2, name): n for name, n in outcomes.items()}
    assert sum(row["count"] for row in hours) == 20


def test_counts_are_stored_everywhere_or_nowhere(database: Database) -> None:
    """A transaction that fails at the minutes leaves no hours: the next one counts nothing twice."""

    async def count() -> None:
        tally = SubmissionUsage(database, lambda *_: None)
        tally.add(UUID(int=1), "1.1", "event", "created", "clicked")
        statement(database.url, sql.SQL("ALTER TABLE usage_minutes ADD CONSTRAINT refuses CHECK (false)"))
        await tally.write()
        statement(database.url, sql.SQL("ALTER TABLE usage_minutes DROP CONSTRAINT refuses"))
        await tally.write()

    asyncio.run(count())
    now = datetime.now(UTC)
    with database.begin() as connection:
        hours = submission_usage.of_hub(connection, UUID(int=1), now - 2 * HOUR, now + HOUR, 100)
        rows = usage_minutes.minutes(connection, now - HOUR, now + MINUTE)
    assert ([row["count"] for row in hours], [row.count for row in rows]) == ([1], [1])
