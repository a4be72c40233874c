"""Capability manifests: every manifest of a hub, and its changes to the registry."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Update, case, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from db.submissions import digest
from db.tables import event_type_registry, hub_capability_manifests, hubs, widgets


@dataclass(frozen=True, slots=True)
class Definition:
    """The meaning of an event type: hubs with equal definitions may share it."""

    name: str
    description: str
    version: int
    metadata_schema: dict[str, Any] | None = field(compare=False)
    _schema_digest: str = field(init=False, repr=False)  # in Python True == 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "_schema_digest", digest(self.metadata_schema))


def revision(connection: Connection, hub_id: UUID, number: int | None = None) -> RowMapping | None:
    """The hub's manifest of revision `number`, by default the last one; None if absent."""
    table = hub_capability_manifests
    statement = select(table).where(table.c.hub_id == hub_id).order_by(table.c.revision.desc()).limit(1)
    if number is not None:
        statement = statement.where(table.c.revision == number)
    return connection.execute(statement).mappings().one_or_none()


@dataclass(frozen=True, slots=True)
class Revision:
    """One manifest of a hub, with the numbers of what it lists."""

    number: int
    received_at: datetime
    contract_version: str
    event_types: int
    widgets: int


def history(connection: Connection, hub_id: UUID, limit: int) -> list[Revision]:
    """The hub's newest revisions, at most `limit`, the newest first."""
    table = hub_capability_manifests
    sizes = (func.jsonb_array_length(table.c.manifest[part]) for part in ("event_types", "widgets"))
    columns = (table.c.revision, table.c.received_at, table.c.contract_version, *sizes)
    statement = select(*columns).where(table.c.hub_id == hub_id).order_by(table.c.revision.desc()).limit(limit)
    return [Revision(*row) for row in connection.execute(statement)]


def keep(connection: Connection, hub_id: UUID, number: int, manifest: dict[str, Any], contract_version: str) -> None:
    """Store `manifest` as the hub's revision `number`."""
    values = {"hub_id": hub_id, "revision": number, "manifest": manifest, "contract_version": contract_version}
    connection.execute(insert(hub_capability_manifests).values(values))


def registered_types(connection: Connection, names: Sequence[str]) -> dict[str, RowMapping]:
    """The entries of the registry with `names`, each with the name of the hub that registered it as `owner`."""
    table = event_type_registry
    statement = select(table, hubs.c.name.label("owner")).outerjoin(hubs, hubs.c.id == table.c.hub_id)
    return {row["name"]: row for row in connection.execute(statement.where(table.c.name.in_(names))).mappings()}


def registered_widgets(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, RowMapping]:
    """The widgets with `ids`, each with the name of the hub that registered it as `owner`."""
    statement = select(widgets, hubs.c.name.label("owner")).outerjoin(hubs, hubs.c.id == widgets.c.hub_id)
    return {row["id"]: row for row in connection.execute(statement.where(widgets.c.id.in_(ids))).mappings()}


def register_type(connection: Connection, hub_id: UUID, definition: Definition, status: str) -> None:
    """Register an event type, or redefine one of the hub's own; `status` is active or pending."""
    values = {**_columns(definition), "status": status, "left_out": False, "proposal": None}
    statement = insert(event_type_registry).values(**values, name=definition.name, hub_id=hub_id)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def propose_type(connection: Connection, definition: Definition) -> None:
    """Store a proposed definition of a registered event type; the proposal waits for approval."""
    _update_type(connection, definition.name, proposal=_columns(definition))


def withdraw_proposal(connection: Connection, name: str) -> None:
    """Discard the definition that waits for approval."""
    _update_type(connection, name, proposal=None)


def register_widget(connection: Connection, hub_id: UUID, widget_id: UUID, name: str) -> None:
    """Register a widget, or reactivate one of the hub's own under `name`."""
    values = {"name": name, "status": "active", "left_out": False}
    statement = insert(widgets).values(**values, id=widget_id, hub_id=hub_id)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def leave_out(connection: Connection, hub_id: UUID, names: Sequence[str], ids: Sequence[UUID]) -> None:
    """Deprecate the hub's own event types except `names`, and retire its own widgets except `ids`.

    None of them waits for approval any longer; a type that was never approved stays pending.
    """
    types = event_type_registry
    status = case((types.c.status == "pending", "pending"), else_="deprecated")
    own = (types.c.hub_id == hub_id, types.c.name.not_in(names))
    listed = or_(types.c.status == "active", types.c.proposal.is_not(None), ~types.c.left_out & (status == "pending"))
    _execute(connection, update(types).where(*own, listed).values(status=status, left_out=True, proposal=None))
    own_widgets = (widgets.c.hub_id == hub_id, widgets.c.id.not_in(ids), widgets.c.status != "retired")
    _execute(connection, update(widgets).where(*own_widgets).values(status="retired", left_out=True))


def _execute(connection: Connection, statement: Update) -> None:
    """Execute `statement` only if it changes a row: each execution makes every process read the registry again."""
    if connection.execute(select(exists().where(statement.whereclause))).scalar():  # type: ignore[arg-type]
        connection.execute(statement)


def _columns(definition: Definition) -> dict[str, Any]:
    return {
        "description": definition.description,
        "version": definition.version,
        "metadata_schema": definition.metadata_schema,
    }


def _update_type(connection: Connection, name: str, **values: Any) -> None:
    connection.execute(update(event_type_registry).where(event_type_registry.c.name == name).values(values))
