"""Widgets, the subjects of interactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from db.advisory_locks import AdvisoryLock, lock
from db.errors import NotFound, Refused
from db.tables import widgets


@dataclass(frozen=True, slots=True)
class Widget:
    """One governed widget. `status` is active or retired."""

    id: UUID
    name: str
    status: str
    created_at: datetime


_COLUMNS = (widgets.c.id, widgets.c.name, widgets.c.status, widgets.c.created_at)


def register(connection: Connection, name: str, widget_id: UUID | None = None) -> Widget:
    """A new active widget, with a new id unless one is given; Refused if that id is taken."""
    values = {"id": widget_id or uuid_utils.compat.uuid7(), "name": name}
    row = connection.execute(insert(widgets).values(values).on_conflict_do_nothing().returning(*_COLUMNS)).one_or_none()
    if row is None:
        raise Refused(f"a widget with the id {values['id']} already exists")
    return Widget(*row)


def retire(connection: Connection, widget_id: UUID) -> Widget:
    """Refuse new events about a widget; stored ones stay, and no manifest brings it back. NotFound if absent."""
    lock(connection, AdvisoryLock.EVENT_TYPES)
    values = {"status": "retired", "left_out": False}
    row = connection.execute(
        update(widgets).where(widgets.c.id == widget_id).values(values).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no widget with the id {widget_id}")
    return Widget(*row)


def list_all(connection: Connection) -> list[Widget]:
    """Every widget, in the order of ids."""
    return [Widget(*row) for row in connection.execute(select(*_COLUMNS).order_by(widgets.c.id))]


def active(connection: Connection, after: UUID, limit: int) -> Sequence[RowMapping]:
    """At most `limit` active widgets with ids after `after`, in id order."""
    statement = select(widgets).where(widgets.c.status == "active", widgets.c.id > after)
    return connection.execute(statement.order_by(widgets.c.id).limit(limit)).mappings().all()
