"""The events that hubs report."""

from db.submissions import SubmissionTable

TABLE = SubmissionTable(
    name="interaction_events",
    columns=(
        "id uuid, hub_id uuid, widget_id uuid, event_type text, occurred_at timestamptz, actor_id uuid, "
        "actor_type text, view_context_ref text, metadata jsonb, additional_fields jsonb, client_event_id text, "
        "contract_version text"
    ),
    own_key="client_event_id",
    kind="event",
)
