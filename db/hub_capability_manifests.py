"""What hubs say that they can report: every manifest that one submitted, and what it made of the registry."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from db.tables import event_type_registry, hub_capability_manifests, hubs, widgets

_ONE_AT_A_TIME = 0x1_4E7E_4AC9  # an advisory lock's key; any number that nobody else uses


@dataclass(frozen=True, slots=True)
class Definition:
    """What an event type means: another hub with the same may share it."""

    name: str
    description: str
    version: int
    metadata_schema: dict[str, Any] | None


def take_turns(connection: Connection) -> None:
    """Wait until nobody else submits a manifest; nobody will until the end of the transaction."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})


def revision(connection: Connection, hub_id: UUID, number: int | None = None) -> RowMapping | None:
    """The hub's manifest of revision `number`, the last without it; None if there is none."""
    table = hub_capability_manifests
    chosen = select(table).where(table.c.hub_id == hub_id).order_by(table.c.revision.desc()).limit(1)
    if number is not None:
        chosen = chosen.where(table.c.revision == number)
    return connection.execute(chosen).mappings().one_or_none()


def keep(connection: Connection, hub_id: UUID, manifest: dict[str, Any], contract_version: str) -> None:
    """Keep `manifest` as the hub's next revision."""
    table = hub_capability_manifests
    last = connection.scalar(select(func.max(table.c.revision)).where(table.c.hub_id == hub_id))
    values = {"hub_id": hub_id, "revision": (last or 0) + 1, "manifest": manifest, "contract_version": contract_version}
    connection.execute(insert(table).values(values))


def registered_types(connection: Connection, names: Sequence[str]) -> dict[str, RowMapping]:
    """The entries of the registry with `names`, each with the name of the hub that registered it as `owner`."""
    table = event_type_registry
    chosen = select(table, hubs.c.name.label("owner")).outerjoin(hubs, hubs.c.id == table.c.hub_id)
    return {row["name"]: row for row in connection.execute(chosen.where(table.c.name.in_(names))).mappings()}


def registered_widgets(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, RowMapping]:
    """The widgets with `ids`, each with the name of the hub that registered it as `owner`."""
    chosen = select(widgets, hubs.c.name.label("owner")).outerjoin(hubs, hubs.c.id == widgets.c.hub_id)
    return {row["id"]: row for row in connection.execute(chosen.where(widgets.c.id.in_(ids))).mappings()}


def register_type(connection: Connection, hub_id: UUID, definition: Definition, status: str) -> None:
    """Register an event type, or define one of the hub's own anew; `status` is active or pending."""
    values = {**_columns(definition), "status": status, "proposal": None}
    statement = insert(event_type_registry).values(**values, name=definition.name, hub_id=hub_id)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def propose_type(connection: Connection, definition: Definition) -> None:
    """Let another definition of an active event type wait for approval."""
    _update_type(connection, definition.name, proposal=_columns(definition))


def withdraw_proposal(connection: Connection, name: str) -> None:
    """Forget the definition that waits for approval."""
    _update_type(connection, name, proposal=None)


def register_widget(connection: Connection, hub_id: UUID, widget_id: UUID, name: str) -> None:
    """Register a widget, or make one of the hub's own active again under `name`."""
    values = {"name": name, "status": "active"}
    statement = insert(widgets).values(**values, id=widget_id, hub_id=hub_id)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def leave_out(connection: Connection, hub_id: UUID, names: Sequence[str], ids: Sequence[UUID]) -> None:
    """Deprecate the hub's own active event types but `names`, and retire its own widgets but `ids`."""
    types = event_type_registry
    connection.execute(
        update(types)
        .where(types.c.hub_id == hub_id, types.c.name.not_in(names))
        .where(types.c.status == "active")  # what was never approved waits on, or it would come back as approved
        .values(status="deprecated", proposal=None)
    )
    connection.execute(
        update(widgets)
        .where(widgets.c.hub_id == hub_id, widgets.c.id.not_in(ids), widgets.c.status != "retired")
        .values(status="retired")
    )


def _columns(definition: Definition) -> dict[str, Any]:
    return {
        "description": definition.description,
        "version": definition.version,
        "metadata_schema": definition.metadata_schema,
    }


def _update_type(connection: Connection, name: str, **values: Any) -> None:
    connection.execute(update(event_type_registry).where(event_type_registry.c.name == name).values(values))
