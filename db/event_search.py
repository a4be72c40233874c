"""The stored events of all hubs, as operators look for them: one by its id, or those of a hub in a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select, text

from db.tables import hubs, widgets
from db.tables import interaction_events as table

_FIRST_AT = text("SELECT received_at FROM interaction_events WHERE position >= :position ORDER BY position LIMIT 1")
_COLUMNS = (
    table.c.id,
    table.c.hub_id,
    hubs.c.name.label("hub"),
    table.c.widget_id,
    widgets.c.name.label("widget"),
    table.c.event_type,
    table.c.occurred_at,
    table.c.received_at,
    table.c.contract_version,
    table.c.client_event_id,
    table.c.actor_id,
    table.c.actor_type,
    table.c.view_context_ref,
    table.c.metadata,
    table.c.additional_fields,
    table.c.position,
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event; the names of its hub and its widget are None if these are not registered."""

    id: UUID
    hub_id: UUID
    hub: str | None
    widget_id: UUID
    widget: str | None
    event_type: str
    occurred_at: datetime
    received_at: datetime
    contract_version: str
    client_event_id: str | None
    actor_id: UUID | None
    actor_type: str | None
    view_context_ref: str | None
    metadata: dict[str, Any] | None
    additional_fields: dict[str, Any] | None
    position: int


def get(connection: Connection, identifier: UUID) -> StoredEvent | None:
    """The event with an id; None if absent."""
    row = connection.execute(_events().where(table.c.id == identifier)).one_or_none()
    return _event(row) if row else None


def of_hub(
    connection: Connection, hub_id: UUID, between: tuple[datetime, datetime], before: int | None, limit: int
) -> Sequence[StoredEvent]:
    """The newest events of a hub that were received `between` two instants, at most `limit`, before a position.

    It reads the index of the hub alone: the positions of the instants are found first.
    """
    first, last = (_position_at(connection, instant) for instant in between)
    highest = min(last, before) if before is not None else last
    chosen = select(table.c.id).where(table.c.hub_id == hub_id, table.c.position >= first, table.c.position < highest)
    chosen = chosen.order_by(table.c.position.desc()).limit(limit)
    statement = _events().where(table.c.id.in_(chosen)).order_by(table.c.position.desc())
    return [_event(row) for row in connection.execute(statement)]


def of_widget(connection: Connection, widget_id: UUID, limit: int) -> Sequence[StoredEvent]:
    """The events about a widget that occurred last, at most `limit`, the last one first."""
    chosen = select(table.c.id).where(table.c.widget_id == widget_id)
    chosen = chosen.order_by(table.c.occurred_at.desc(), table.c.id.desc()).limit(limit)
    statement = _events().where(table.c.id.in_(chosen)).order_by(table.c.occurred_at.desc(), table.c.id.desc())
    return [_event(row) for row in connection.execute(statement)]


def _position_at(connection: Connection, instant: datetime) -> int:
    """The lowest position of an event that was received at `instant` or later, as positions and times go together."""
    low, high = 0, (connection.scalar(select(func.max(table.c.position))) or 0) + 1
    while high - low > 1:
        middle = (low + high) // 2
        received_at = connection.scalar(_FIRST_AT, {"position": middle})
        low, high = (middle, high) if received_at is not None and received_at < instant else (low, middle)
    return high


def _events() -> Any:
    joined = select(*_COLUMNS).join_from(table, hubs, hubs.c.id == table.c.hub_id, isouter=True)
    return joined.join(widgets, widgets.c.id == table.c.widget_id, isouter=True)


def _event(row: Row[Any]) -> StoredEvent:
    return StoredEvent(**row._mapping)
