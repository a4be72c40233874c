"""The event type registry: the names that events may carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from db.advisory_locks import AdvisoryLock, lock
from db.errors import NotFound, Refused
from db.tables import event_type_registry as registry


@dataclass(frozen=True, slots=True)
class EventType:
    """One entry of the registry. `hub_id` is the hub whose manifest registered it; None if it has no such hub.

    `status` is active, deprecated or pending. A pending entry waits for its first approval. One that was approved may
    have a `proposal` that waits: another description, version and metadata_schema.
    """

    name: str
    description: str
    status: str
    created_at: datetime
    hub_id: UUID | None
    version: int
    proposal: dict[str, Any] | None


_COLUMNS = (
    registry.c.name,
    registry.c.description,
    registry.c.status,
    registry.c.created_at,
    registry.c.hub_id,
    registry.c.version,
    registry.c.proposal,
)


def register(connection: Connection, name: str, description: str | None = None) -> EventType:
    """A new active entry, or a deprecated one made active again; Refused if another one has the name.

    Without `description`, that of a deprecated entry stays.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    values: dict[str, Any] = {"name": name, "status": "active", "left_out": False, "proposal": None}
    values |= {} if description is None else {"description": description}
    statement = insert(registry).values(values)
    row = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[registry.c.name], set_=values, where=registry.c.status == "deprecated"
        ).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        status = connection.scalar(select(registry.c.status).where(registry.c.name == name))
        state = "is registered and active already" if status == "active" else "waits for approval: approve it"
        raise Refused(f"the event type {name!r} {state}")
    return EventType(*row)


def deprecate(connection: Connection, name: str) -> EventType:
    """Refuse new events of this type; stored ones stay. NotFound if it is not registered.

    A definition that waits for approval is refused with it, and no manifest makes it active again.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    values = {"status": "deprecated", "left_out": False, "proposal": None}
    row = connection.execute(
        update(registry).where(registry.c.name == name).values(values).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    return EventType(*row)


def approve(connection: Connection, name: str) -> EventType:
    """Activate a pending event type, or put the proposal of an active one in force; Refused if nothing waits."""
    lock(connection, AdvisoryLock.EVENT_TYPES)
    row = connection.execute(
        select(registry.c.status, registry.c.left_out, registry.c.proposal).where(registry.c.name == name)
    ).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    if (row.status != "pending" or row.left_out) and row.proposal is None:
        raise Refused(f"nothing of the event type {name!r} waits for approval")
    values = {**(row.proposal or {}), "status": "active", "left_out": False, "proposal": None}
    approved = update(registry).where(registry.c.name == name).values(values).returning(*_COLUMNS)
    return EventType(*connection.execute(approved).one())


def list_all(connection: Connection) -> list[EventType]:
    """Every entry, by name."""
    return [EventType(*row) for row in connection.execute(select(*_COLUMNS).order_by(registry.c.name))]


def active(connection: Connection, after: str, limit: int) -> Sequence[RowMapping]:
    """The active entries whose names come after `after`, in the order of names: at most `limit`."""
    chosen = select(registry).where(registry.c.status == "active", registry.c.name.collate("C") > after)
    return connection.execute(chosen.order_by(registry.c.name.collate("C")).limit(limit)).mappings().all()
