"""What a service does for its database by itself."""

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
def behind(database: Database) -> list[str]:
    """The partitions that there would be now if the database had been looked after for years, of which it has none."""
    now = datetime.now(UTC)
    with database.begin() as connection:
        coming = [partition.name for partition in partitions.drop_before(connection, now + timedelta(weeks=9))]
        partitions.ensure(connection, now - timedelta(weeks=9), now - timedelta(weeks=9))
        return coming


def names(database: Database) -> list[str]:
    """The names of the partitions."""
    with database.begin() as connection:
        return [partition.name for partition in partitions.list_all(connection)]


def test_a_service_keeps_up_by_itself(database: Database, behind: list[str], start_service: Callable[..., Any]) -> None:
    """As soon as it serves, the weeks that are missing are made, and those older than its retention are dropped."""
    with start_service(IR_RETENTION="30"):
        wait_until(lambda: names(database) == behind)


def test_keys_and_tokens_that_have_expired_are_forgotten(database: Database, start_service: Callable[..., Any]) -> None:
    """Those that have not are kept."""
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
    database: Database, behind: list[str], start_service: Callable[..., Any]
) -> None:
    """The weeks that are missing are made, and the old one stays, of each table."""
    old = names(database)
    assert len(old) == 2
    with start_service():
        wait_until(lambda: names(database) == [*old, *behind])


def test_what_fails_is_logged_and_tried_again(
    database: Database,
    database_url: str,
    behind: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While the table is away there is a line for each attempt, and once it is back the next attempt succeeds."""
    monkeypatch.setattr(maintenance, "INTERVAL_SECONDS", 0.05)
    statement(database_url, sql.SQL("ALTER TABLE interaction_events RENAME TO away"))

    async def scenario() -> None:
        async with maintenance.maintenance(database, 30, Bounds(1, 1, 1)):
            await asyncio.to_thread(wait_until, lambda: len(caplog.messages) >= 2)
            statement(database_url, sql.SQL("ALTER TABLE away RENAME TO interaction_events"))
            await asyncio.to_thread(wait_until, lambda: names(database) == behind)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())
    assert set(caplog.messages) == {"upkeep failed: UndefinedTable, SQLSTATE 42P01"}
