"""The event type registry: the names that events may carry."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert

from db.errors import NotFound, Refused
from db.tables import event_type_registry as registry


@dataclass(frozen=True, slots=True)
class EventType:
    """One entry of the registry. `status` is active or deprecated."""

    name: str
    description: str
    status: str
    created_at: datetime


_COLUMNS = (registry.c.name, registry.c.description, registry.c.status, registry.c.created_at)


def register(connection: Connection, name: str, description: str | None = None) -> EventType:
    """A new active entry, or a deprecated one made active again; Refused if an active one has the name.

    Without `description`, that of a deprecated entry stays.
    """
    values = {"name": name, "status": "active"} | ({} if description is None else {"description": description})
    statement = insert(registry).values(values)
    row = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[registry.c.name], set_=values, where=registry.c.status == "deprecated"
        ).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise Refused(f"the event type {name!r} is registered and active already")
    return EventType(*row)


def deprecate(connection: Connection, name: str) -> EventType:
    """Refuse new events of this type; stored ones stay. NotFound if it is not registered."""
    row = connection.execute(
        update(registry).where(registry.c.name == name).values(status="deprecated").returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    return EventType(*row)


def all_of_them(connection: Connection) -> list[EventType]:
    """Every entry, by name."""
    return [EventType(*row) for row in connection.execute(select(*_COLUMNS).order_by(registry.c.name))]
