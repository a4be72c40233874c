"""The stored events of all hubs by type and hour. Types are registered, so nothing that a hub makes up is counted."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from db.tables import type_usage as table

Key = tuple[str, str]
"""The event type and the outcome: created or duplicate."""

# An event from before the table is found in `usage`, by its index: PostgreSQL looks only if the table has none.
_OF_TYPES = text("""
    SELECT name, created, duplicate, coalesce(
        (SELECT max(hour) FROM type_usage WHERE event_type = name),
        (SELECT hour FROM usage WHERE kind = 'event' AND reason = name AND outcome IN ('created', 'duplicate')
            ORDER BY hour DESC LIMIT 1)
    ) FROM unnest(CAST(:names AS text[])) AS name CROSS JOIN LATERAL (
        SELECT coalesce(sum(count) FILTER (WHERE outcome = 'created'), 0) AS created,
            coalesce(sum(count) FILTER (WHERE outcome = 'duplicate'), 0) AS duplicate
        FROM type_usage WHERE event_type = name AND hour >= :since
    ) AS counted
""")


@dataclass(frozen=True, slots=True)
class TypeUsage:
    """How often events of a type were sent: `created` and `duplicate` ones, since an instant.

    `last_hour` is the beginning of the hour, in UTC, of the last one ever; None if there was none.
    """

    created: int
    duplicate: int
    last_hour: datetime | None


def add(connection: Connection, counts: Counter[Key], now: datetime) -> None:
    """Add `counts` to the hour of `now`."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    # Rows are updated in one order, so that transactions cannot deadlock.
    rows = [
        {"event_type": event_type, "hour": hour, "outcome": outcome, "count": count}
        for (event_type, outcome), count in sorted(counts.items())
    ]
    statement = insert(table)
    upsert = statement.on_conflict_do_update(
        constraint=table.primary_key, set_={"count": table.c.count + statement.excluded.count}
    )
    connection.execute(upsert, rows)


def of_types(connection: Connection, names: Collection[str], since: datetime) -> dict[str, TypeUsage]:
    """The usage of the types `names` in the hours from `since` on, by name."""
    rows = connection.execute(_OF_TYPES, {"names": list(names), "since": since})
    return {name: TypeUsage(int(created), int(duplicate), at) for name, created, duplicate, at in rows}
