"""The events that hubs report."""

from db.submissions import SubmissionTable
from db.tables import interaction_events

TABLE = SubmissionTable(interaction_events, own_key="client_event_id", kind="event")
