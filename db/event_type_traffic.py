"""What hubs sent of one event type: its newest events, which hubs sent it, and what was rejected with its name."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select, text

from db import type_usage
from db.partitions import lowest_id
from db.tables import hubs
from db.tables import interaction_events as events

LOOKED_AT = 5000
"""Events of any type that one statement looks at: no index has the type."""
MOST_COUNTED = 1000
"""Beyond this, rejections with a name are not counted."""
MOST_SENDERS = 1000
"""Counts, of one hub in one hour, that a list of senders reads."""
_NEWEST_ID = UUID(int=2**128 - 1)
_CLOCKS_DIFFER_BY = timedelta(hours=1)

_OF_TYPE = text("""
    WITH looked_at AS MATERIALIZED (
        SELECT id, event_type FROM interaction_events WHERE id < :before ORDER BY id DESC LIMIT :limit
    )
    SELECT (SELECT count(*) FROM looked_at), (SELECT id FROM looked_at ORDER BY id LIMIT 1),
        ARRAY(SELECT id FROM looked_at WHERE event_type = :name ORDER BY id DESC)
""")
_REJECTED = text("""
    SELECT name, (
        SELECT count(*) FROM (
            SELECT FROM rejected_submissions WHERE event_type = name AND replayed_at IS NULL LIMIT :limit
        ) AS counted
    ) AS number FROM unnest(CAST(:names AS text[])) AS name
""")
_BY_HUB = text("""
    SELECT hubs.name, count(*) FROM (
        SELECT hub_id FROM rejected_submissions WHERE event_type = :name AND replayed_at IS NULL
        ORDER BY event_type, hub_id LIMIT :limit
    ) AS counted JOIN hubs ON hubs.id = hub_id GROUP BY hubs.name ORDER BY count(*) DESC, hubs.name
""")
_SENDERS = text("""
    SELECT hubs.name, sum(count) FROM (
        SELECT hub_id, count FROM usage
        WHERE kind = 'event' AND reason = :name AND hour >= :since AND outcome IN ('created', 'duplicate')
        ORDER BY hour DESC LIMIT :limit
    ) AS newest JOIN hubs ON hubs.id = hub_id GROUP BY hubs.name ORDER BY sum(count) DESC, hubs.name
""")


@dataclass(frozen=True, slots=True)
class Part:
    """The ids of the events of a type among `looked_at` events, newest first; the next part is before `before`."""

    looked_at: int
    before: UUID | None
    ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class HubCount:
    """How often a hub sent something."""

    hub: str
    count: int


def beginning(connection: Connection, name: str) -> UUID:
    """The id before which the newest event of a type is: that of the end of the last hour that has one."""
    last = type_usage.of_types(connection, [name], datetime.now(UTC))[name].last_hour
    return lowest_id(last + timedelta(hours=1) + _CLOCKS_DIFFER_BY) if last else _NEWEST_ID


def part(connection: Connection, name: str, before: UUID) -> Part:
    """The events of a type among the LOOKED_AT newest before the id `before`."""
    return Part(*connection.execute(_OF_TYPE, {"name": name, "before": before, "limit": LOOKED_AT}).one())


def metadata(connection: Connection, ids: Collection[UUID]) -> Sequence[Row[UUID, str, datetime, Any]]:
    """The id, the name of the hub, the time of receipt and the metadata of each of these events, newest first."""
    columns = events.c.id, hubs.c.name, events.c.received_at, events.c.metadata
    statement = select(*columns).join(hubs, hubs.c.id == events.c.hub_id).where(events.c.id.in_(ids))
    return connection.execute(statement.order_by(events.c.id.desc())).all()


def rejected_with(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """For each name: how many rejections have it and were not replayed; MOST_COUNTED at most."""
    rows = connection.execute(_REJECTED, {"names": list(names), "limit": MOST_COUNTED})
    return {row.name: row.number for row in rows}


def rejected_by_hub(connection: Connection, name: str) -> list[HubCount]:
    """Which hubs the first MOST_COUNTED rejections with a name are of; replayed ones do not count."""
    rows = connection.execute(_BY_HUB, {"name": name, "limit": MOST_COUNTED})
    return [HubCount(*row) for row in rows]


def senders(connection: Connection, name: str, since: datetime) -> list[HubCount]:
    """The hubs that sent events of a type that were stored since an instant, those with the most first.

    Beyond the newest MOST_SENDERS counts none is read.
    """
    rows = connection.execute(_SENDERS, {"name": name, "since": since, "limit": MOST_SENDERS})
    return [HubCount(hub, int(count)) for hub, count in rows]
