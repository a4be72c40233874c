"""The event type registry: the names that events may carry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from db.advisory_locks import AdvisoryLock, lock
from db.errors import NotFound, Refused
from db.tables import event_type_deletions as deletions
from db.tables import event_type_registry as registry


@dataclass(frozen=True, slots=True)
class EventType:
    """One entry of the registry.

    `hub_id` is the hub whose manifest registered it; None if the framework or an operator did.

    `status` is active, deprecated or pending. A pending entry waits for its first approval. An approved entry
    may have a `proposal` that waits: another description, version and metadata_schema. Its events are kept for
    `keep_days` days; None: as long as all others.
    """

    name: str
    description: str
    status: str
    created_at: datetime
    hub_id: UUID | None
    version: int
    proposal: dict[str, Any] | None
    keep_days: int | None


_COLUMNS = (
    registry.c.name,
    registry.c.description,
    registry.c.status,
    registry.c.created_at,
    registry.c.hub_id,
    registry.c.version,
    registry.c.proposal,
    registry.c.keep_days,
)


def register(connection: Connection, name: str, description: str | None = None) -> EventType:
    """Add an active entry, or reactivate a deprecated one; Refused if an active or pending entry has the name.

    Without `description`, a deprecated entry keeps its own.
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
        state = "is already registered and active" if status == "active" else "waits for approval: approve it"
        raise Refused(f"the event type {name!r} {state}")
    return EventType(*row)


def keep(connection: Connection, name: str, days: int | None) -> EventType:
    """Keep the events of a type for `days` days, or as long as all others; NotFound if it is not registered.

    All of its stored events are looked through again.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    statement = update(registry).where(registry.c.name == name).values(keep_days=days).returning(*_COLUMNS)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    connection.execute(delete(deletions).where(deletions.c.event_type == name))
    return EventType(*row)


def is_registered(connection: Connection, name: str) -> bool:
    """Whether the registry has an entry of that name, active or not."""
    return connection.scalar(select(registry.c.name).where(registry.c.name == name)) is not None


def deprecate(connection: Connection, name: str) -> EventType:
    """Refuse new events of this type; stored ones stay. NotFound if it is not registered.

    A definition that waits for approval is discarded, and no manifest makes the type active again.
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
    """Activate a pending event type, or put the proposal of an approved one in force; Refused if nothing waits."""
    lock(connection, AdvisoryLock.EVENT_TYPES)
    row = connection.execute(
        select(registry.c.status, registry.c.left_out, registry.c.proposal).where(registry.c.name == name)
    ).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    if (row.status != "pending" or row.left_out) and row.proposal is None:
        raise Refused(f"the event type {name!r} has nothing that waits for approval")
    values = {**(row.proposal or {}), "status": "active", "left_out": False, "proposal": None}
    statement = update(registry).where(registry.c.name == name).values(values).returning(*_COLUMNS)
    return EventType(*connection.execute(statement).one())


def list_all(connection: Connection) -> list[EventType]:
    """Every entry, by name."""
    return [EventType(*row) for row in connection.execute(select(*_COLUMNS).order_by(registry.c.name))]


def active(connection: Connection, after: str, limit: int) -> Sequence[RowMapping]:
    """At most `limit` active entries with names after `after`, in name order."""
    statement = select(registry).where(registry.c.status == "active", registry.c.name.collate("C") > after)
    return connection.execute(statement.order_by(registry.c.name.collate("C")).limit(limit)).mappings().all()
