"""The stored columns of an event."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from db import interaction_events, submissions, tables
from db.engine import Database
from db.errors import NoPartition
from db.ids import new_id

HUB = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e10")
WIDGET = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")
ACTOR = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e13")


@pytest.fixture
def database(migrated: Database) -> Iterator[Database]:
    """A database with the tables, on a server of each kind, without events."""
    with closing(Database(migrated.url)) as database:
        yield database
        with database.begin() as connection:
            connection.execute(delete(tables.interaction_events))


@pytest.fixture
def event() -> dict[str, Any]:
    """An event with the required fields alone."""
    return {
        "id": new_id(),
        "hub_id": HUB,
        "widget_id": str(WIDGET),
        "event_type": "clicked",
        "occurred_at": "2026-03-31T12:00:00.123456Z",
        "contract_version": "1.0",
    }


def add(database: Database, *events: dict[str, Any]) -> None:
    """Store `events`."""

    async def write() -> None:
        writer = submissions.writer(database, interaction_events.TABLE)
        async with writer.writing():
            await asyncio.gather(*(writer.add(submissions.row(event)) for event in events))

    asyncio.run(write())


def kept(database: Database) -> list[dict[str, Any]]:
    """Every event, oldest first."""
    with database.begin() as connection:
        events = connection.execute(select(tables.interaction_events).order_by(tables.interaction_events.c.id))
        return [dict(row._mapping) for row in events]


def test_ids_are_of_version_7_and_grow() -> None:
    """They sort in the order of their creation, within a millisecond too."""
    ids = [new_id() for _ in range(1000)]
    assert {UUID(identifier).version for identifier in ids} == {7}
    assert ids == sorted(set(ids))


def test_an_event_is_kept_as_it_is(database: Database, event: dict[str, Any]) -> None:
    """Each column holds its value, and received_at is added."""
    event |= {
        "actor_id": str(ACTOR),
        "actor_type": "agent",
        "view_context_ref": "/é/😀",
        "metadata": {"deep": {"list": [1, 0.1, None, True, "é😀"]}, "long": 10**100},
        "additional_fields": {"not_in_1_0": 1},
        "client_event_id": "é-1",
    }
    before = datetime.now(UTC)
    add(database, event | {"digest": str(UUID(int=1))})
    (row,) = kept(database)
    assert before <= row.pop("received_at") <= datetime.now(UTC)
    assert row.pop("position") > 0
    assert row == event | {
        "id": UUID(event["id"]),
        "widget_id": WIDGET,
        "actor_id": ACTOR,
        "occurred_at": datetime(2026, 3, 31, 12, 0, 0, 123456, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    "column", ["actor_id", "actor_type", "view_context_ref", "metadata", "additional_fields", "client_event_id"]
)
def test_nothing_is_kept_as_null(database: Database, event: dict[str, Any], column: str) -> None:
    """None is SQL's NULL and not JSON's null, passed or left out."""
    add(database, event | {"id": new_id()}, event | {column: None})
    null = tables.interaction_events.c[column].is_(None)
    with database.begin() as connection:
        assert connection.execute(select(null)).scalars().all() == [True, True]


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
def test_the_ends_of_time_can_be_kept(database: Database, event: dict[str, Any], instant: str) -> None:
    """No year is mistaken for one of another century, or for infinity."""
    add(database, event | {"occurred_at": instant})
    (row,) = kept(database)
    assert row["occurred_at"] == datetime.fromisoformat(instant)


def test_an_event_is_kept_once(database: Database, event: dict[str, Any]) -> None:
    """A batch that is sent again adds nothing, and changes nothing."""
    add(database, event)
    add(database, event | {"event_type": "focused"})
    assert [row["event_type"] for row in kept(database)] == ["clicked"]


def test_an_event_beyond_the_calendar_is_refused(database: Database, event: dict[str, Any]) -> None:
    """No partition can be created for its id, of the year 10889, and no other table keeps it."""
    with pytest.raises(NoPartition, match="there is no partition for a row, and none can be created"):
        add(database, event | {"id": "ffffffff-ffff-7fff-bfff-ffffffffffff"})
    assert kept(database) == []


def test_the_fields_of_a_hub_are_columns() -> None:
    """The table has the fields that a hub may fill, and the service fills its other columns."""
    columns = set(tables.interaction_events.c.keys())
    filled = {"id", "hub_id", "additional_fields", "contract_version", "received_at", "position"}
    assert columns - filled == interaction_events.TABLE.fields
