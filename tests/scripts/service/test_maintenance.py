"""The upkeep that a service does for its database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg import sql
from sqlalchemy import func, select

from db import partitions, signing_keys, tables, tokens
from db.engine import Database
from db.rejected_submissions import Bounds
from scripts.service import maintenance
from tests.postgresql import statement
from tests.waiting import wait_until


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
    """Each attempt without the table logs a line, and the next attempt with the table succeeds, step by step."""
    succeeded: list[str] = []
    monkeypatch.setattr(maintenance, "INTERVAL_SECONDS", 0.05)
    statement(database_url, sql.SQL("ALTER TABLE interaction_events RENAME TO away"))

    async def scenario() -> None:
        async with maintenance.maintenance(database, 30, Bounds(1, 1, 1), succeeded.append):
            await asyncio.to_thread(wait_until, lambda: len(caplog.messages) >= 2)
            assert succeeded == []
            statement(database_url, sql.SQL("ALTER TABLE away RENAME TO interaction_events"))
            await asyncio.to_thread(wait_until, lambda: names(database) == missing)
            await asyncio.to_thread(wait_until, lambda: succeeded[:3] == ["partitions", "rejections", "tokens"])
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert set(caplog.messages) == {"upkeep failed: UndefinedTable, SQLSTATE 42P01"}
