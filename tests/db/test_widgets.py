"""Widgets."""

from uuid import UUID

import pytest
from sqlalchemy import Connection, func, insert

from db import tables, widgets
from db.engine import Database
from db.errors import Failed, NotFound, Refused

KNOWN = UUID("5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11")


def test_a_widget_gets_an_id(connection: Connection) -> None:
    """Without an id of its own a widget gets one of version 7; it is active."""
    widget = widgets.register(connection, "Button")
    assert widget.id.version == 7
    assert (widget.name, widget.status) == ("Button", "active")
    assert widgets.list_all(connection) == [widget]


def test_a_widget_keeps_its_id(connection: Connection) -> None:
    """An id that the caller passes is the widget's id."""
    assert widgets.register(connection, "Button", KNOWN).id == KNOWN


def test_an_id_is_taken_once(connection: Connection) -> None:
    """A second widget with the id is refused, the message names it, and the first stays as it is."""
    widget = widgets.register(connection, "Button", KNOWN)
    with pytest.raises(Refused) as raised:
        widgets.register(connection, "Slider", KNOWN)
    assert str(raised.value) == f"a widget with the id {KNOWN} already exists"
    assert widgets.list_all(connection) == [widget]


def test_two_widgets_may_have_one_name(connection: Connection) -> None:
    """A name is for people: two widgets of one name have two ids."""
    first, second = (widgets.register(connection, "Button") for _ in range(2))
    assert first.id != second.id


def test_widgets_are_listed_by_id(connection: Connection) -> None:
    """The order is that of ids, not that of registration."""
    for number in (3, 1, 2):
        widgets.register(connection, f"Button {number}", UUID(int=number))
    assert [widget.id.int for widget in widgets.list_all(connection)] == [1, 2, 3]


def test_an_unknown_status_is_refused(migrated: Database) -> None:
    """By the database itself."""
    row = insert(tables.widgets).values(id=func.gen_random_uuid(), name="by hand", status="broken")
    with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
        connection.execute(row)


def test_a_retired_widget_stays_retired_and_known(connection: Connection) -> None:
    """Its status changes, its row stays; NotFound names an unregistered id."""
    widget = widgets.register(connection, "Approve")
    assert widgets.retire(connection, widget.id).status == "retired"
    assert [row.status for row in widgets.list_all(connection)] == ["retired"]
    with pytest.raises(NotFound, match=str(UUID(int=7))):
        widgets.retire(connection, UUID(int=7))
