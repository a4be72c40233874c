"""When each hub was last seen: its last authenticated request, accurate to about a second."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, text

from db.tables import hub_totals as table

# By the slower of two clocks, and replaced by the next request: one that is ahead for a while leaves no trace. One
# statement for all hubs, which updates the rows in the order of the ids, so that transactions cannot deadlock.
_SEEN = text("""
    INSERT INTO hub_totals (hub_id, last_seen_at)
    SELECT hub_id, least(now(), CAST(:now AS timestamptz)) FROM unnest(CAST(:hub_ids AS uuid[])) AS hub_id
    ON CONFLICT (hub_id) DO UPDATE SET last_seen_at = excluded.last_seen_at
""")


def see(connection: Connection, hub_ids: Collection[UUID], now: datetime) -> None:
    """Record that these hubs were seen just now."""
    connection.execute(_SEEN, {"hub_ids": sorted(hub_ids), "now": now})


def last_seen(connection: Connection, hub_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """The last authenticated request of each of these hubs; one that sent none is absent."""
    statement = select(table.c.hub_id, table.c.last_seen_at).where(table.c.hub_id.in_(hub_ids))
    rows = connection.execute(statement)
    return {row.hub_id: row.last_seen_at for row in rows}
