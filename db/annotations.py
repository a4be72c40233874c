"""Annotations: remarks of hubs on widgets and on their own events."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from db.submissions import SubmissionTable
from db.tables import annotations, interaction_events

TABLE = SubmissionTable(annotations, own_key="client_annotation_id", kind="annotation")


def own_events(connection: Connection, hub_id: UUID, event_ids: Collection[str]) -> set[str]:
    """Those of `event_ids` that are the hub's own events."""
    event = interaction_events.c
    own = connection.scalars(select(event.id).where(event.id.in_(event_ids), event.hub_id == hub_id))
    return {str(identifier) for identifier in own}
