"""The events that hubs report."""

from sqlalchemy import Connection, select

from db.submissions import SubmissionTable
from db.tables import interaction_events

TABLE = SubmissionTable(interaction_events, own_key="client_event_id", kind="event")


def exist(connection: Connection) -> bool:
    """True if an event is stored."""
    return connection.scalar(select(interaction_events.c.id).limit(1)) is not None
