"""Manifests of hubs, and their effect on the registry."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text

from db import event_types, hub_capability_manifests, hubs, widgets
from db.hub_capability_manifests import Definition

WIDGET, OTHER_WIDGET = UUID(int=1), UUID(int=2)
SCHEMA = {"type": "object", "required": ["step"]}
STARTED = Definition("started", "It began.", 1, SCHEMA)
ENDED = Definition("ended", "It ended.", 1, None)


@pytest.fixture
def hub_id(connection: Connection) -> UUID:
    """A hub."""
    return hubs.create(connection, "alpha")[0].id


@pytest.fixture
def other_id(connection: Connection) -> UUID:
    """Another hub."""
    return hubs.create(connection, "beta")[0].id


def types(connection: Connection, *names: str) -> dict[str, tuple[Any, ...]]:
    """Owner, status, version, schema and proposal of the event types with `names`."""
    rows = hub_capability_manifests.registered_types(connection, names)
    columns = ("owner", "status", "version", "metadata_schema", "proposal")
    return {name: tuple(row[column] for column in columns) for name, row in rows.items()}


def boxes(connection: Connection) -> dict[UUID, tuple[Any, ...]]:
    """Owner, name and status of the two widgets."""
    rows = hub_capability_manifests.registered_widgets(connection, [WIDGET, OTHER_WIDGET])
    return {identifier: (row["owner"], row["name"], row["status"]) for identifier, row in rows.items()}


def test_each_manifest_is_a_revision(connection: Connection, hub_id: UUID, other_id: UUID) -> None:
    """Each hub has its own; without a number the last one is returned, or None if the hub has none."""
    assert hub_capability_manifests.revision(connection, hub_id) is None
    for number in (1, 2, 3):
        hub_capability_manifests.keep(connection, hub_id, number, {"n": number}, f"1.{number}")
    hub_capability_manifests.keep(connection, other_id, 1, {"n": "other"}, "1.0")
    for wanted, number in ((None, 3), (1, 1), (2, 2), (3, 3)):
        row = hub_capability_manifests.revision(connection, hub_id, wanted)
        assert row is not None
        assert (row["revision"], row["manifest"], row["contract_version"]) == (number, {"n": number}, f"1.{number}")
    assert hub_capability_manifests.revision(connection, hub_id, 4) is None
    other = hub_capability_manifests.revision(connection, other_id)
    assert other is not None
    assert (other["revision"], other["manifest"]) == (1, {"n": "other"})


def test_an_event_type_is_registered_and_defined_again(connection: Connection, hub_id: UUID) -> None:
    """Active or pending; a new definition clears the proposal, and one without a schema clears the schema."""
    hub_capability_manifests.register_type(connection, hub_id, STARTED, "active")
    hub_capability_manifests.register_type(connection, hub_id, ENDED, "pending")
    assert types(connection, "started", "ended", "nothing") == {
        "started": ("alpha", "active", 1, SCHEMA, None),
        "ended": ("alpha", "pending", 1, None, None),
    }
    hub_capability_manifests.propose_type(connection, Definition("started", "More.", 2, {}))
    hub_capability_manifests.register_type(connection, hub_id, Definition("started", "Less.", 3, None), "active")
    assert types(connection, "started") == {"started": ("alpha", "active", 3, None, None)}
    query = "SELECT metadata_schema IS NULL AND proposal IS NULL FROM event_type_registry WHERE name = 'started'"
    assert connection.scalar(text(query)) is True


def test_a_proposal_waits_while_the_definition_stays(connection: Connection, hub_id: UUID) -> None:
    """The old definition stays in force, also after a withdrawal; other types have no proposal."""
    for definition in (STARTED, ENDED):
        hub_capability_manifests.register_type(connection, hub_id, definition, "active")
    hub_capability_manifests.propose_type(connection, Definition("started", "More.", 2, None))
    proposal = {"description": "More.", "version": 2, "metadata_schema": None}
    assert types(connection, "started", "ended") == {
        "started": ("alpha", "active", 1, SCHEMA, proposal),
        "ended": ("alpha", "active", 1, None, None),
    }
    hub_capability_manifests.withdraw_proposal(connection, "started")
    assert types(connection, "started") == {"started": ("alpha", "active", 1, SCHEMA, None)}


def test_types_and_widgets_of_no_hub_have_no_owner(connection: Connection) -> None:
    """The framework's event types and an operator's widgets are listed, without the name of a hub."""
    widgets.register(connection, "Button", WIDGET)
    assert types(connection, "clicked") == {"clicked": (None, "active", 1, None, None)}
    assert boxes(connection) == {WIDGET: (None, "Button", "active")}


def test_a_widget_is_registered_and_made_active_again(connection: Connection, hub_id: UUID) -> None:
    """Under its new name."""
    hub_capability_manifests.register_widget(connection, hub_id, WIDGET, "Button")
    widgets.retire(connection, WIDGET)
    hub_capability_manifests.register_widget(connection, hub_id, WIDGET, "Knob")
    assert boxes(connection) == {WIDGET: ("alpha", "Knob", "active")}


@pytest.mark.parametrize(("status", "ended"), [("active", ("deprecated", False)), ("pending", ("pending", False))])
def test_entries_that_a_manifest_leaves_out_end(
    connection: Connection, hub_id: UUID, other_id: UUID, status: str, ended: tuple[str, bool]
) -> None:
    """Only the hub's own: entries that it names stay, as do those of others; those left out lose their proposals."""
    for definition in (STARTED, ENDED):
        hub_capability_manifests.register_type(connection, hub_id, definition, status)
        hub_capability_manifests.propose_type(connection, definition)
    hub_capability_manifests.register_type(connection, other_id, Definition("another", "", 1, None), "active")
    hub_capability_manifests.register_widget(connection, hub_id, WIDGET, "Button")
    hub_capability_manifests.register_widget(connection, other_id, OTHER_WIDGET, "Knob")
    hub_capability_manifests.leave_out(connection, hub_id, ["started"], [])
    rows = types(connection, "started", "ended", "another", "clicked")
    assert {name: (row[1], row[4] is not None) for name, row in rows.items()} == {
        "started": (status, True),
        "ended": ended,
        "another": ("active", False),
        "clicked": ("active", False),
    }
    assert boxes(connection) == {WIDGET: ("alpha", "Button", "retired"), OTHER_WIDGET: ("beta", "Knob", "active")}


def test_leaving_out_again_does_not_change_the_registry(connection: Connection, hub_id: UUID) -> None:
    """No process loads its rows again for nothing."""
    hub_capability_manifests.register_type(connection, hub_id, STARTED, "active")
    hub_capability_manifests.register_widget(connection, hub_id, WIDGET, "Button")
    query = text("SELECT value FROM registry_revision")
    hub_capability_manifests.leave_out(connection, hub_id, [], [])
    before = connection.scalars(query).all()
    hub_capability_manifests.leave_out(connection, hub_id, [], [])
    assert connection.scalars(query).all() == before


def test_active_event_types_come_in_pages(connection: Connection) -> None:
    """In the order of code points, whatever the database's language is, and without inactive ones."""
    for name in ("zé", "zz", "zB", "za", "Z", "z_"):
        event_types.register(connection, name)
    event_types.deprecate(connection, "za")
    hub_capability_manifests.register_type(connection, UUID(int=9), Definition("zc", "", 1, None), "pending")
    names = [row["name"] for row in event_types.active(connection, "viewed", 100)]
    assert names == ["zB", "z_", "zz", "zé"]
    assert [row["name"] for row in event_types.active(connection, "", 1)] == ["Z"]
    assert [row["name"] for row in event_types.active(connection, "z_", 1)] == ["zz"]
    assert event_types.active(connection, "zé", 1) == []


def test_active_widgets_come_in_pages(connection: Connection) -> None:
    """In the order of ids, without retired ones."""
    for number in (3, 1, 4, 2):
        widgets.register(connection, f"Button {number}", UUID(int=number))
    widgets.retire(connection, UUID(int=2))
    assert [row["id"].int for row in widgets.active(connection, UUID(int=0), 2)] == [1, 3]
    assert [row["id"].int for row in widgets.active(connection, UUID(int=3), 2)] == [4]
    assert widgets.active(connection, UUID(int=4), 2) == []
