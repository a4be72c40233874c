"""What hubs say about widgets and about their own events."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select

from db.submissions import SubmissionTable
from db.tables import interaction_events

TABLE = SubmissionTable(
    name="annotations",
    columns=(
        "id uuid, hub_id uuid, widget_id uuid, event_id uuid, category text, body text, severity text, "
        "occurred_at timestamptz, actor_id uuid, actor_type text, view_context_ref text, metadata jsonb, "
        "additional_fields jsonb, client_annotation_id text, contract_version text"
    ),
    own_key="client_annotation_id",
    kind="annotation",
)


def own_events(connection: Connection, hub_id: UUID, event_ids: Collection[str]) -> set[str]:
    """Those of `event_ids` that are the hub's own events."""
    event = interaction_events.c
    found = connection.scalars(select(event.id).where(event.id.in_(event_ids), event.hub_id == hub_id))
    return {str(identifier) for identifier in found}
