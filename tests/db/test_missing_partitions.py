"""Rows of a week that has no partition: the writer creates it, and they are stored."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from db import annotations, interaction_events, partitions, submissions, writer
from db.engine import Database
from db.errors import NoPartition
from db.partitions import WEEK, lowest_id
from db.submissions import SubmissionTable
from db.writer import EncodedRow, Outcome
from tests.postgresql import fresh_database, statement

NOW = datetime.now(UTC)
HUB = UUID(int=1)
REFUSE = """
    CREATE SEQUENCE attempts;
    CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
        BEGIN PERFORM nextval('attempts'); RAISE EXCEPTION 'no tables today'; END $$;
    CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse();
"""
_CONTENT = {"hub_id": HUB, "widget_id": HUB, "event_type": "clicked", "contract_version": "1.1"}
CONTENTS = {
    interaction_events.TABLE: _CONTENT | {"occurred_at": "2026-03-31T12:00:00Z"},
    annotations.TABLE: _CONTENT | {"category": "idea", "body": "Make it red.", "occurred_at": "2026-03-31T12:00:00Z"},
}


@pytest.fixture
def url(any_server: str, tables: str) -> Iterator[str]:
    """The URL of a database with the tables and no partition, on a server of each kind."""
    with fresh_database(any_server, "missing", tables) as url:
        yield url


def row(instant: datetime, number: int = 0, table: SubmissionTable = interaction_events.TABLE) -> EncodedRow:
    """A row received at `instant`; rows with different numbers have different ids."""
    fields = {name: value for name, value in CONTENTS[table].items() if name in table.table.columns}
    return submissions.row(fields | {"id": str(UUID(int=lowest_id(instant).int + number))})


def store(url: str, *groups: Sequence[EncodedRow], table: SubmissionTable = interaction_events.TABLE) -> list[Outcome]:
    """The outcomes of rows; each group is written by a process of its own, at the same time."""

    async def write() -> list[Outcome]:
        with ExitStack() as databases:
            async with AsyncExitStack() as writing:
                writers = [submissions.writer(databases.enter_context(closing(Database(url))), table) for _ in groups]
                for each in writers:
                    await writing.enter_async_context(each.writing())
                added = [each.add_all(rows) for each, rows in zip(writers, groups, strict=True)]
                return [outcome for _, outcomes in await asyncio.gather(*added) for outcome in outcomes]

    return asyncio.run(write())


def kept(url: str, table: str = "interaction_events") -> list[tuple[str, int]]:
    """The number of rows in each partition of `table`."""
    query = sql.SQL("SELECT tableoid::regclass::text, count(*) FROM {} GROUP BY 1 ORDER BY 1")
    with psycopg.connect(url) as connection:
        return connection.execute(query.format(sql.Identifier(table))).fetchall()


def name(instant: datetime, table: str = "interaction_events") -> str:
    """The name of the partition of the week of `instant`."""
    return f"{table}_{instant - timedelta(days=instant.weekday()):%Y_%m_%d}"


@pytest.mark.parametrize("table", CONTENTS, ids=lambda table: table.kind)
def test_the_first_rows_of_a_week_create_its_partition(
    url: str, table: SubmissionTable, caplog: pytest.LogCaptureFixture
) -> None:
    """Of each week that they are of, however far ahead a clock has jumped; a line of the log says it."""
    ahead = NOW + timedelta(days=56)
    rows = [row(NOW, 1, table), row(ahead, 2, table), row(ahead, 3, table)]
    assert store(url, rows, table=table) == [None] * 3
    assert kept(url, table.table.name) == [(name(NOW, table.table.name), 1), (name(ahead, table.table.name), 2)]
    (message,) = caplog.messages
    assert "rows had no partition" in message
    assert name(ahead, table.table.name) in message


def test_processes_that_miss_the_same_week_create_it_once(url: str) -> None:
    """None of their rows is refused."""
    assert store(url, *([row(NOW, number)] for number in range(4))) == [None] * 4
    assert kept(url) == [(name(NOW), 4)]


def test_a_partition_that_was_detached_is_replaced(url: str) -> None:
    """It keeps its name and its rows; the new one has a number. The week can be dropped as any other."""
    for number in (1, 2, 3):
        assert store(url, [row(NOW, number)]) == [None]
        (partition,) = [partition for partition, _ in kept(url)]
        detach = sql.SQL("ALTER TABLE interaction_events DETACH PARTITION {}").format(sql.Identifier(partition))
        if number < 3:
            statement(url, detach)
    assert kept(url) == [(f"{name(NOW)}_3", 1)]
    assert kept(url, name(NOW)) == [(name(NOW), 1)]
    with closing(Database(url)) as database, database.begin() as connection:
        assert {week.name for week in partitions.drop_before(connection, NOW + WEEK)} == {
            f"{name(NOW)}_3",
            name(NOW, "annotations"),
        }


def add_each(url: str, rows: Sequence[EncodedRow]) -> list[Outcome | Exception]:
    """The outcomes of `rows`, which one process writes one after the other."""

    async def write() -> list[Outcome | Exception]:
        with closing(Database(url)) as database:
            row_writer = submissions.writer(database, interaction_events.TABLE)
            async with row_writer.writing():
                return [(await row_writer.add_all([row]))[1][0] for row in rows]

    return asyncio.run(write())


def test_a_partition_that_cannot_be_created_refuses_its_rows(
    url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried once in a while, not for each batch, and a line of the log says why it cannot be."""
    monkeypatch.setattr(writer, "PARTITION_SECONDS", 60.0)
    statement(url, sql.SQL(REFUSE))
    assert {type(outcome) for outcome in add_each(url, [row(NOW, number) for number in range(20)])} == {NoPartition}
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT last_value FROM attempts").fetchone() == (1,)
    (message,) = caplog.messages
    assert message == (
        "the database refuses all rows: there is no partition for a row, and none can be created: "
        "RaiseException, SQLSTATE P0001"
    )


def test_a_partition_that_could_not_be_created_is_tried_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the second attempt succeeds, and the same process stores the rows after it."""
    monkeypatch.setattr(writer, "PARTITION_SECONDS", 0.0)
    statement(url, sql.SQL(REFUSE.replace("RAISE", "IF lastval() = 1 THEN RAISE").replace("today'", "today'; END IF")))
    outcomes = add_each(url, [row(NOW, number) for number in range(3)])
    assert [type(outcome) for outcome in outcomes] == [NoPartition, type(None), type(None)]
    assert kept(url) == [(name(NOW), 2)]


def test_rows_do_not_wait_long_for_those_that_change_partitions(url: str) -> None:
    """While another transaction holds the lock for that, they are refused after a second."""
    with closing(Database(url)) as database, database.begin() as connection:
        assert partitions.ensure(connection, NOW - WEEK, NOW - WEEK)
        (outcome,) = store(url, [row(NOW)])
    assert isinstance(outcome, NoPartition)
    assert "LockNotAvailable" in str(outcome)
