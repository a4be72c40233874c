"""The events that hubs report."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import Connection, exists, insert, select

from db.errors import NotRegistered
from db.tables import event_type_registry, interaction_events, widgets

FIELDS = frozenset({"widget_id", "event_type", "occurred_at", "actor_id", "actor_type", "view_context_ref", "metadata"})
"""The columns that a hub fills."""


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): ids of later events are greater."""
    return uuid_utils.compat.uuid7()


def add(connection: Connection, event: Mapping[str, Any]) -> None:
    """Keep `event`, a value for each column; NotRegistered if its type or widget is not registered and active."""
    checks = select(
        exists().where(event_type_registry.c.name == event["event_type"], event_type_registry.c.status == "active"),
        exists().where(widgets.c.id == event["widget_id"], widgets.c.status == "active"),
    )
    registered = zip(("event_type", "widget_id"), connection.execute(checks).one(), strict=True)
    if missing := [field for field, is_registered in registered if not is_registered]:
        raise NotRegistered(missing)
    connection.execute(insert(interaction_events).values(**event))
