"""The event type registry."""

import pytest
from sqlalchemy import Connection, insert

from db import event_types, tables
from db.engine import Database
from db.errors import Failed, NotFound, Refused


def named(connection: Connection, name: str) -> event_types.EventType:
    """The entry of that name."""
    (entry,) = (entry for entry in event_types.list_all(connection) if entry.name == name)
    return entry


def test_a_new_event_type_is_active(connection: Connection) -> None:
    """It is in the registry as it was registered."""
    registered = event_types.register(connection, "pipeline_started", "A pipeline started.")
    assert (registered.name, registered.description) == ("pipeline_started", "A pipeline started.")
    assert registered.status == "active"
    assert named(connection, "pipeline_started") == registered


def test_an_active_event_type_is_not_registered_again(connection: Connection) -> None:
    """The message names it, and its description stays."""
    before = named(connection, "clicked")
    with pytest.raises(Refused) as raised:
        event_types.register(connection, "clicked", "Something else.")
    assert str(raised.value) == "the event type 'clicked' is already registered and active"
    assert named(connection, "clicked") == before


def test_a_deprecated_event_type_stays_in_the_registry(connection: Connection) -> None:
    """Only its status changes, and only its own; a second time changes nothing."""
    before = event_types.list_all(connection)
    deprecated = event_types.deprecate(connection, "clicked")
    assert deprecated.status == "deprecated"
    assert event_types.deprecate(connection, "clicked") == deprecated
    after = event_types.list_all(connection)
    assert [entry for entry in after if entry.status != "active"] == [deprecated]
    assert [entry.description for entry in after] == [entry.description for entry in before]


def test_a_deprecated_event_type_can_come_back(connection: Connection) -> None:
    """Registering it again makes it active, with the new description; created_at stays."""
    deprecated = event_types.deprecate(connection, "clicked")
    registered = event_types.register(connection, "clicked", "It was clicked on.")
    assert (registered.status, registered.description) == ("active", "It was clicked on.")
    assert registered.created_at == deprecated.created_at
    assert named(connection, "clicked") == registered


def test_deprecating_a_missing_event_type_names_it(connection: Connection) -> None:
    """NotFound has its name."""
    with pytest.raises(NotFound) as raised:
        event_types.deprecate(connection, "nothing")
    assert str(raised.value) == "the event type 'nothing' is not registered"


def test_event_types_are_listed_by_name(connection: Connection) -> None:
    """The order is that of names, not that of registration."""
    for name in ("zz gamma", "zz alpha", "zz beta"):
        event_types.register(connection, name, "")
    listed = [entry.name for entry in event_types.list_all(connection)]
    assert listed == sorted(listed)
    assert listed[-3:] == ["zz alpha", "zz beta", "zz gamma"]


@pytest.mark.parametrize("name", ["é", "é" * 200], ids=["1 character", "200 characters"])
def test_a_name_has_up_to_200_characters(connection: Connection, name: str) -> None:
    """Characters count, not bytes."""
    assert event_types.register(connection, name, "").name == name


@pytest.mark.parametrize("name", ["", "e" * 201], ids=["empty", "201 characters"])
def test_a_name_is_neither_empty_nor_longer(migrated: Database, name: str) -> None:
    """The database itself refuses it."""
    with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
        event_types.register(connection, name, "")


def test_an_unknown_status_is_refused(migrated: Database) -> None:
    """By the database itself."""
    row = insert(tables.event_type_registry).values(name="by_hand", status="retired")
    with pytest.raises(Failed, match="CheckViolation"), migrated.begin() as connection:
        connection.execute(row)
