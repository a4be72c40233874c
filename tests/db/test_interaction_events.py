"""What is kept of an event, and which events are refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, select, update

from db import event_types, hubs, interaction_events, tables, widgets
from db.engine import Database
from db.errors import Failed, NotRegistered

WIDGET = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")
RETIRED = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e12")
NOBODY = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e13")


@pytest.fixture
def event(connection: Connection) -> dict[str, Any]:
    """An event that has no more than it must, of a hub and about a widget that are registered."""
    hub, _ = hubs.create(connection, "alpha")
    widgets.register(connection, "Button", WIDGET)
    return {
        "id": interaction_events.new_id(),
        "hub_id": hub.id,
        "widget_id": WIDGET,
        "event_type": "clicked",
        "occurred_at": datetime(2026, 3, 31, 12, 0, 0, 123456, tzinfo=UTC),
        "contract_version": "1.0",
    }


def kept(connection: Connection) -> list[dict[str, Any]]:
    """Every event."""
    return [dict(row._mapping) for row in connection.execute(select(tables.interaction_events))]


def add_in_a_far_week(connection: Connection) -> None:
    """Add an event with an id of the year 5143."""
    widgets.register(connection, "Button", WIDGET)
    moment = datetime.now(UTC)
    event = {"id": NOBODY, "hub_id": NOBODY, "widget_id": WIDGET, "event_type": "clicked", "occurred_at": moment}
    interaction_events.add(connection, event | {"contract_version": "1.0"})


def test_ids_are_of_version_7_and_grow() -> None:
    """Ids that are made one after the other sort in that order, within a millisecond too."""
    ids = [interaction_events.new_id() for _ in range(1000)]
    assert {identifier.version for identifier in ids} == {7}
    assert ids == sorted(set(ids))


def test_an_event_is_kept_as_it_is(connection: Connection, event: dict[str, Any]) -> None:
    """Each column holds what it was given, and the moment of arrival is added."""
    event |= {
        "actor_id": NOBODY,
        "actor_type": "agent",
        "view_context_ref": "/é/😀",
        "metadata": {"deep": {"list": [1, 0.1, None, True, "é😀"]}},
        "additional_fields": {"not_in_1_0": 1},
    }
    interaction_events.add(connection, event)
    assert kept(connection) == [event | {"received_at": connection.execute(func.now().select()).scalar_one()}]


def test_an_instant_is_kept_whatever_its_offset(connection: Connection, event: dict[str, Any]) -> None:
    """Half past five in Kathmandu is kept as what it is in UTC."""
    zone = timezone(timedelta(hours=5, minutes=45))
    interaction_events.add(connection, event | {"occurred_at": datetime(2026, 3, 31, 5, 30, tzinfo=zone)})
    (row,) = kept(connection)
    assert row["occurred_at"].isoformat() == "2026-03-30T23:45:00+00:00"


@pytest.mark.parametrize("column", ["metadata", "additional_fields"])
def test_nothing_is_kept_as_null(connection: Connection, event: dict[str, Any], column: str) -> None:
    """None is SQL's NULL and not JSON's null, given or left out."""
    interaction_events.add(connection, event | {"id": interaction_events.new_id()})
    interaction_events.add(connection, event | {column: None})
    null = tables.interaction_events.c[column].is_(None)
    assert connection.execute(select(null)).scalars().all() == [True, True]


@pytest.mark.parametrize(
    ("named", "fields"),
    [
        pytest.param({"event_type": "pipeline_started"}, ["event_type"], id="unknown event type"),
        pytest.param({"event_type": "Clicked"}, ["event_type"], id="event type in another case"),
        pytest.param({"event_type": "focused"}, ["event_type"], id="deprecated event type"),
        pytest.param({"widget_id": NOBODY}, ["widget_id"], id="unknown widget"),
        pytest.param({"widget_id": RETIRED}, ["widget_id"], id="retired widget"),
        pytest.param({"event_type": "", "widget_id": NOBODY}, ["event_type", "widget_id"], id="both"),
    ],
)
def test_what_is_not_registered_is_named(
    connection: Connection, event: dict[str, Any], named: dict[str, Any], fields: list[str]
) -> None:
    """Every field that names nothing active is told at once, and nothing is kept."""
    event_types.deprecate(connection, "focused")
    widgets.register(connection, "Old button", RETIRED)
    connection.execute(update(tables.widgets).where(tables.widgets.c.id == RETIRED).values(status="retired"))
    with pytest.raises(NotRegistered) as raised:
        interaction_events.add(connection, event | named)
    assert raised.value.fields == fields
    assert kept(connection) == []


def test_an_event_without_a_week_is_refused(migrated: Database) -> None:
    """What no partition is there for is not kept anywhere else."""
    with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
        add_in_a_far_week(connection)


def test_the_fields_of_a_hub_are_columns() -> None:
    """What a hub may fill is in the table, and the rest of the table is filled by the service."""
    columns = set(tables.interaction_events.c.keys())
    filled = {"id", "hub_id", "additional_fields", "contract_version", "received_at"}
    assert columns - filled == interaction_events.FIELDS
