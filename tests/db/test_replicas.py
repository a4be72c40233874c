"""The replicas that live: counted by the rows that they write, whatever the clock of the database does."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID, uuid4

import pytest
from psycopg.sql import SQL
from sqlalchemy import Connection, text

from db import replicas
from db.engine import Database
from db.replicas import Replicas, beat
from tests.postgresql import fresh_database, statement
from tests.waiting import wait_until

FIRST, SECOND = UUID(int=1), UUID(int=2)


@pytest.fixture
def database(any_server: str, partitioned: str) -> Iterator[Database]:
    """A database with the tables, on a server of each kind."""
    with fresh_database(any_server, "replicas", partitioned) as url, closing(Database(url)) as database:
        yield database


def test_replicas_are_counted_while_they_write(connection: Connection) -> None:
    """Workers of one replica share its row; one that has not written for three seconds is not counted."""
    assert [beat(connection, FIRST), beat(connection, FIRST), beat(connection, SECOND)] == [1, 1, 2]
    connection.execute(text("UPDATE replicas SET seen_at = now() - interval '3.1 s' WHERE id = :id"), {"id": FIRST})
    assert beat(connection, SECOND) == 1
    assert beat(connection, FIRST) == 2


@pytest.mark.parametrize("step", ["-56 days", "56 days"])
def test_a_clock_that_was_set_leaves_no_replica_behind(connection: Connection, step: str) -> None:
    """A row of another time is no living replica's, and its own replica writes it anew."""
    beat(connection, FIRST)
    beat(connection, SECOND)
    connection.execute(text("UPDATE replicas SET seen_at = now() + CAST(:step AS interval)"), {"step": step})
    assert [beat(connection, FIRST), beat(connection, SECOND)] == [1, 2]


def test_a_row_is_written_once_a_second(connection: Connection) -> None:
    """However many workers share it."""
    beat(connection, FIRST)
    connection.execute(text("UPDATE replicas SET seen_at = now() - interval '0.5 s'"))
    beat(connection, FIRST)
    age = connection.execute(text("SELECT now() - seen_at FROM replicas")).scalar_one()
    assert age.total_seconds() == 0.5


def test_old_rows_are_deleted_by_a_start(connection: Connection) -> None:
    """Those of yesterday, and of a clock that was ahead."""
    for days in ("-2 days", "2 days"):
        connection.execute(
            text("INSERT INTO replicas VALUES (:id, now() + CAST(:days AS interval))"), {"id": uuid4(), "days": days}
        )
    beat(connection, FIRST, with_cleaning=True)
    assert connection.execute(text("SELECT id FROM replicas")).scalars().all() == [FIRST]


def test_replicas_count_each_other(database: Database) -> None:
    """Each counts the other while both run, and no longer when one has stopped."""

    async def scenario() -> None:
        first, second = Replicas(database, FIRST), Replicas(database, SECOND)
        assert (first.count, first.fault) == (1, None)
        async with first.running():
            async with second.running():
                await asyncio.to_thread(wait_until, lambda: first.count == second.count == 2)
            await asyncio.to_thread(wait_until, lambda: first.count == 1)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(scenario())


def test_a_database_that_takes_no_writes_is_a_fault(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, in the words of the error; the count stays, and the fault is over with the first written row."""
    monkeypatch.setattr(replicas, "STALE_SECONDS", 0.3)
    monkeypatch.setattr(replicas, "BEAT_SECONDS", 0.05)
    refuse = SQL("ALTER TABLE replicas ADD CONSTRAINT refuses CHECK (false) NOT VALID")

    async def scenario() -> None:
        replica = Replicas(database, FIRST)
        async with replica.running():
            await asyncio.to_thread(wait_until, lambda: replica.fault is None)
            statement(database.url, SQL("TRUNCATE replicas"), refuse)
            started = time.monotonic()
            await asyncio.to_thread(wait_until, lambda: replica.fault is not None)
            assert time.monotonic() - started > 0.2
            assert replica.fault == "CheckViolation, SQLSTATE 23514"
            assert replica.count == 1
            statement(database.url, SQL("ALTER TABLE replicas DROP CONSTRAINT refuses"))
            await asyncio.to_thread(wait_until, lambda: replica.fault is None)

    asyncio.run(scenario())
