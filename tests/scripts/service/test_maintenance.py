"""The upkeep that a service does for its database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import func, select

from db import clocks, event_types, partitions, signing_keys, tables, tokens
from db.engine import Database
from db.rejected_submissions import Bounds
from scripts.service import maintenance
from scripts.service.maintenance import Upkeep
from tests.postgresql import statement
from tests.waiting import wait_until

BOUNDS = Bounds(1, 1, 1)
STEPS = {
    "partitions_made",
    "partitions_dropped",
    "events_dropped_by_type",
    "rejected_submissions_dropped",
    "minutes_dropped",
    "signing_keys_dropped",
    "tokens_dropped",
}


@pytest.fixture
def missing(database: Database) -> list[str]:
    """The partitions that the upkeep would have kept until now. The database has none of them, and an old one."""
    now = datetime.now(UTC)
    with database.begin() as connection:
        expected = [partition.name for partition in partitions.drop_before(connection, now + timedelta(weeks=9))]
        partitions.ensure(connection, now - timedelta(weeks=9), now - timedelta(weeks=9))
        return expected


def names(database: Database) -> list[str]:
    """The names of the partitions."""
    with database.begin() as connection:
        return [partition.name for partition in partitions.list_all(connection)]


def test_a_service_creates_and_drops_partitions_itself(
    database: Database, missing: list[str], start_service: Callable[..., Any]
) -> None:
    """As soon as it serves, it creates the missing weeks and drops those older than its retention."""
    with start_service(IR_RETENTION="30"):
        wait_until(lambda: names(database) == missing)


def test_a_service_forgets_expired_keys_and_tokens(database: Database, start_service: Callable[..., Any]) -> None:
    """It keeps unexpired ones."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    with database.begin() as connection:
        for kid in ("old", "new"):
            signing_keys.rotate(connection, lambda kid=kid: (kid, "key"), timedelta(hours=1))  # type: ignore[misc]
            tokens.revoke(connection, uuid4(), soon)
    for table in ("oauth_signing_keys", "oauth_revoked_tokens"):
        query = "UPDATE {0} SET expires_at = now() - interval '1 hour' WHERE ctid = (SELECT min(ctid) FROM {0})"
        statement(database.url, sql.SQL(query).format(sql.Identifier(table)))

    def counts() -> list[int]:
        with database.begin() as connection:
            rows = (tables.oauth_signing_keys, tables.oauth_revoked_tokens)
            return [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in rows]

    assert counts() == [2, 2]
    with start_service():
        wait_until(lambda: counts() == [1, 1])


def test_a_service_deletes_the_old_events_of_a_type(database: Database, start_service: Callable[..., Any]) -> None:
    """Without a retention for all: an event of a type that is kept for a day, received two days ago."""
    received_at = datetime.now(UTC) - timedelta(days=2)
    with database.begin() as connection:
        partitions.ensure(connection, received_at, received_at)
        event_types.keep(connection, "clicked", 1)
        names = {"hub_id": uuid4(), "widget_id": uuid4(), "event_type": "clicked", "contract_version": "1.1"}
        instants = dict.fromkeys(("received_at", "occurred_at"), received_at)
        identifier = partitions.lowest_id(received_at)
        connection.execute(tables.interaction_events.insert().values(id=identifier, **names, **instants))

    def count() -> int:
        with database.begin() as connection:
            return connection.execute(select(func.count()).select_from(tables.interaction_events)).scalar_one()

    assert count() == 1
    with start_service():
        wait_until(lambda: count() == 0)


def test_a_service_without_retention_drops_nothing(
    database: Database, missing: list[str], start_service: Callable[..., Any]
) -> None:
    """It creates the missing weeks, and the old week of each table stays."""
    old = names(database)
    assert len(old) == 2
    with start_service():
        wait_until(lambda: names(database) == [*old, *missing])


def test_a_failed_upkeep_is_logged_and_repeated(
    database: Database,
    database_url: str,
    missing: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each attempt without the table logs a line, and the next attempt with the table succeeds."""
    monkeypatch.setattr(maintenance, "INTERVAL_SECONDS", 0.05)
    statement(database_url, sql.SQL("ALTER TABLE interaction_events RENAME TO away"))

    async def scenario() -> None:
        async with Upkeep(database, 30, BOUNDS).running():
            await asyncio.to_thread(wait_until, lambda: len(caplog.messages) >= 3)
            statement(database_url, sql.SQL("ALTER TABLE away RENAME TO interaction_events"))
            await asyncio.to_thread(wait_until, lambda: names(database) == missing)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert set(caplog.messages) == {
        f"upkeep failed: {step}: UndefinedTable, SQLSTATE 42P01" for step in ("partitions_made", "partitions_dropped")
    }


def test_a_step_that_fails_keeps_no_other_from_being_done(
    database: Database, missing: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A report reads the events, so that none can be dropped: keys and tokens are forgotten all the same."""
    with database.begin() as connection:
        tokens.revoke(connection, uuid4(), datetime.now(UTC) - timedelta(days=1))
    succeeded: list[str] = []
    upkeep = Upkeep(database, 30, BOUNDS, succeeded.append)
    with psycopg.connect(database.url) as reader:
        reader.execute("SELECT FROM interaction_events")
        upkeep.do_all()
    assert caplog.messages == ["upkeep failed: partitions_dropped: LockNotAvailable, SQLSTATE 55P03"]
    assert set(missing) < set(names(database))
    with database.begin() as connection:
        assert connection.execute(select(func.count()).select_from(tables.oauth_revoked_tokens)).scalar_one() == 0
    assert set(succeeded) == STEPS - {"partitions_dropped"}
    succeeded.clear()
    upkeep.do_all()
    assert set(succeeded) == STEPS
    assert names(database) == missing


@pytest.mark.parametrize("weeks", [-8, 8])
def test_one_wrong_clock_drops_nothing(database: Database, monkeypatch: pytest.MonkeyPatch, weeks: int) -> None:
    """The worker's clock is weeks ahead or behind: this week and the last are kept, and weeks are made for both."""
    now = datetime.now(UTC)
    with database.begin() as connection:
        partitions.ensure(connection, now - timedelta(weeks=5), now)
    before = names(database)
    ours = now + timedelta(weeks=weeks)
    monkeypatch.setattr(clocks, "datetime", SimpleNamespace(now=lambda _zone: ours))
    Upkeep(database, {-8: 7, 8: 50}[weeks], BOUNDS).do_all()
    kept = names(database)
    assert set(before) < set(kept)
    monday = f"{ours - timedelta(days=ours.weekday()):%Y_%m_%d}"
    assert {f"{table}_{monday}" for table in partitions.TABLES} < set(kept)
