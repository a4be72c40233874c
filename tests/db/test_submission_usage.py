"""Submissions of hubs are counted, across processes and while the database is unavailable."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from db import counting, submission_usage
from db.engine import Database
from db.submission_usage import SubmissionUsage
from tests.postgresql import statement

HUB, OTHER_HUB = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

Counts = Counter[tuple[UUID, str, str, str]]


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without counts."""
    with closing(Database(migrated.url)) as database:
        yield database
    statement(migrated.url, sql.SQL("TRUNCATE usage, usage_minutes, type_usage"))


def ignore(_kind: str, _outcome: str, _reason: str, _count: int) -> None:
    """An observer that does nothing."""


def add(database: Database, counts: Counts, now: datetime) -> None:
    """Add `counts` in a transaction of their own."""
    with database.begin() as connection:
        submission_usage.add(
            connection, Counter({(key[0].int, "1.1", *key[1:]): count for key, count in counts.items()}), now
        )


def stored_counts(
    database: Database, since: datetime = NOON - HOUR, until: datetime = NOON + HOUR
) -> list[tuple[object, ...]]:
    """The hub's counts from `since` to before `until`."""
    with database.begin() as connection:
        return [tuple(row.values()) for row in submission_usage.of_hub(connection, HUB, since, until, 10**6)]


def total(database: Database) -> int:
    """The sum of the hub's counts."""
    with database.begin() as connection:
        rows = submission_usage.of_hub(
            connection, HUB, datetime(2000, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC), 10**6
        )
        return sum(row["count"] for row in rows)


def test_counts_add_up_within_an_hour(database: Database) -> None:
    """Each hour, kind, outcome, reason and hub has its own count."""
    created, rejected = ("event", "created", "clicked"), ("event", "rejected", "no_widget")
    last = NOON + HOUR - timedelta(microseconds=1)
    add(database, Counter({(HUB, *created): 2, (HUB, *rejected): 1, (OTHER_HUB, *created): 7}), NOON)
    add(database, Counter({(HUB, *created): 3, (HUB, "annotation", "created", "clicked"): 1}), last)
    add(database, Counter({(HUB, *created): 5}), NOON - timedelta(microseconds=1))
    assert stored_counts(database) == [
        (NOON - HOUR, *created, 5),
        (NOON, "annotation", "created", "clicked", 1),
        (NOON, *created, 5),
        (NOON, *rejected, 1),
    ]


def test_a_span_has_its_start_and_not_its_end(database: Database) -> None:
    """The hour that begins where the span ends is not in it."""
    for hours in range(-1, 3):
        add(database, Counter({(HUB, "event", "created", "x"): 10 + hours}), NOON + hours * HOUR)
    assert [row[-1] for row in stored_counts(database, NOON, NOON + 2 * HOUR)] == [10, 11]


def test_two_processes_add_to_each_other(database: Database) -> None:
    """Each writes its own counts once, and the observer for metrics sees each submission."""
    observed: list[tuple[str, str, str, int]] = []

    async def count(other: Database) -> None:
        first, second = (
            SubmissionUsage(database, lambda *submitted: observed.append(submitted)),
            SubmissionUsage(other, ignore),
        )
        for _ in range(3):
            first.add(HUB, "1.1", "event", "created", "clicked")
            second.add(HUB, "1.1", "event", "created", "clicked")
            await asyncio.gather(first.write(), second.write())
        await first.write()

    with closing(Database(database.url)) as other:
        asyncio.run(count(other))
    assert total(database) == 6
    assert observed == [("event", "created", "clicked", 1)] * 3


def test_counts_are_written_soon_and_in_the_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a call to `write`."""
    monkeypatch.setattr(counting, "INTERVAL_SECONDS", 0.05)

    async def count() -> None:
        tally = SubmissionUsage(database, ignore)
        async with tally.flushing():
            tally.add(HUB, "1.1", "event", "created", "clicked")
            async with asyncio.timeout(5):
                while await asyncio.to_thread(total, database) < 1:
                    await asyncio.sleep(0.01)
            monkeypatch.setattr(counting, "INTERVAL_SECONDS", 60)
            await asyncio.sleep(0.1)
            tally.add(HUB, "1.1", "event", "created", "clicked")

    asyncio.run(count())
    assert total(database) == 2


def test_unwritten_counts_are_written_later(database: Database) -> None:
    """They grow on while the database is unavailable; afterwards they are stored, once."""

    async def count() -> None:
        away = Database("postgresql://127.0.0.1:1/nowhere")
        tally = SubmissionUsage(away, ignore)
        for now in (away, away, database, database):
            tally._database = now
            tally.add(HUB, "1.1", "event", "created", "clicked")
            await tally.write()
        away.close()

    asyncio.run(count())
    assert total(database) == 4


def test_a_write_at_shutdown_is_not_lost(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shutdown waits for it, however long the database takes at that moment."""
    monkeypatch.setattr(counting, "INTERVAL_SECONDS", 0.01)

    async def count(mine: Database) -> None:
        tally = SubmissionUsage(mine, ignore)
        async with tally.flushing():
            tally.add(HUB, "1.1", "event", "created", "clicked")
            await asyncio.sleep(0.2)
            asyncio.get_running_loop().call_later(0.3, locking.commit)

    with psycopg.connect(database.url) as locking, closing(Database(database.url)) as mine:
        locking.execute("LOCK TABLE usage IN SHARE MODE")
        asyncio.run(count(mine))
    assert total(database) == 1


def test_a_long_outage_can_be_made_up_for(database: Database) -> None:
    """However many different counts there are by then: more than the values that a statement of PostgreSQL takes."""
    counts: Counts = Counter({(HUB, "event", "created", f"type {number}"): 2 for number in range(12_000)})
    add(database, counts, NOON)
    assert total(database) == 24_000


def test_concurrent_adds_cannot_deadlock(database: Database) -> None:
    """Their counts are in different orders: none has an error, and every count is stored."""
    names = [f"type {number}" for number in range(200)]

    def add_on(turn: int) -> None:
        for _ in range(10):
            add(
                database,
                Counter({(HUB, "event", "created", name): 1 for name in names[:: 1 if turn % 2 else -1]}),
                NOON,
            )

    with ThreadPoolExecutor(6) as threads:
        for adding in [threads.submit(add_on, turn) for turn in range(6)]:
            adding.result()
    assert {row[-1] for row in stored_counts(database)} == {60}
