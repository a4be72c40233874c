"""The events of a hub in a time, found by their positions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, insert

from db import event_search, hubs
from db.ids import new_id
from db.tables import interaction_events

BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


@pytest.fixture
def harbor(connection: Connection) -> UUID:
    """A hub with an event in each of 60 minutes, between events of another hub."""
    hub, other = (hubs.create(connection, name)[0].id for name in ("harbor", "other"))
    for minute in range(60):
        for sender in (hub, other):
            values = {"id": new_id(), "hub_id": sender, "widget_id": uuid4(), "event_type": f"at {minute}"}
            at = BEGIN + timedelta(minutes=minute)
            connection.execute(
                insert(interaction_events).values(
                    values | {"occurred_at": at, "received_at": at, "contract_version": "1.1"}
                )
            )
    return hub


def found(connection: Connection, hub: UUID, since: int, until: int, limit: int = 99) -> list[str]:
    """The types of the events that the hub sent between two minutes."""
    between = BEGIN + timedelta(minutes=since), BEGIN + timedelta(minutes=until)
    return [event.event_type for event in event_search.of_hub(connection, hub, between, None, limit)]


@pytest.mark.parametrize(
    ("since", "until", "minutes"),
    [(10, 13, [12, 11, 10]), (-5, 1, [0]), (59, 999, [59]), (60, 999, []), (-9, 0, []), (20, 20, [])],
)
def test_the_events_of_a_time_are_found(
    connection: Connection, harbor: UUID, since: int, until: int, minutes: list[int]
) -> None:
    """The newest first, from the first instant until before the last one, and none of another hub."""
    assert found(connection, harbor, since, until) == [f"at {minute}" for minute in minutes]


def test_a_page_goes_on_where_the_last_one_ended(connection: Connection, harbor: UUID) -> None:
    """Before the position of its last event."""
    between = BEGIN, BEGIN + timedelta(minutes=60)
    first = event_search.of_hub(connection, harbor, between, None, 2)
    second = event_search.of_hub(connection, harbor, between, first[-1].position, 2)
    assert [event.event_type for event in [*first, *second]] == ["at 59", "at 58", "at 57", "at 56"]


def test_one_event_is_found_by_its_id(connection: Connection, harbor: UUID) -> None:
    """With the name of its hub; an unknown id is none."""
    (newest,) = event_search.of_hub(connection, harbor, (BEGIN, datetime.now(UTC)), None, 1)
    event = event_search.get(connection, newest.id)
    assert event == newest
    assert (event.hub, event.widget) == ("harbor", None)
    assert event_search.get(connection, uuid4()) is None
