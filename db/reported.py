"""Everything that hubs have reported: a mock forgets it between tests. The service deletes none of it this way."""

from sqlalchemy import Connection, delete

from db.tables import (
    annotations,
    hub_requests,
    hub_totals,
    idempotency_keys,
    interaction_events,
    rejected_submissions,
    type_usage,
    usage,
    usage_minutes,
)

TABLES = (
    idempotency_keys,
    interaction_events,
    annotations,
    rejected_submissions,
    usage,
    type_usage,
    usage_minutes,
    hub_requests,
    hub_totals,
)


def forget(connection: Connection) -> None:
    """Delete all submissions, their keys, rejections and counts; hubs, clients, widgets and event types stay.

    No table is locked: what is being stored at the same time may stay.
    """
    for table in TABLES:
        connection.execute(delete(table))
