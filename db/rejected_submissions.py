"""Rejected submissions, kept so that hubs can read them and submit them again."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, func, or_, select, text, update

from db import clocks
from db.engine import Database
from db.ids import new_id
from db.json_text import encoded
from db.tables import rejected_submissions as table
from db.timelines import NOTE
from db.writer import EncodedRow, Statements, Writer

_INSERT = """
    INSERT INTO rejected_submissions
        (id, hub_id, kind, batch_index, code, error, help, pointer, raw, request_key, contract_version,
        event_type)
    SELECT id, hub_id, kind, batch_index, code, error, help, pointer, decode(raw, 'base64'), request_key,
        contract_version, event_type
    FROM json_to_recordset($1::json) AS given(id uuid, hub_id uuid, kind text, batch_index int, code text, error text,
        help text, pointer text, raw text, request_key text, contract_version text, event_type text)
    ON CONFLICT (id) DO NOTHING
"""

# The usage of an hour has one row for a hub, however much of it was refused, and the names of each hub are taken in
# turn. So a hub that makes up names hides neither other hubs nor their names.
_UNREGISTERED = text("""
    WITH refused AS MATERIALIZED (
        SELECT hub_id FROM (
            SELECT hub_id, hour FROM usage WHERE kind = 'event' AND reason = :reason AND outcome = 'rejected'
            ORDER BY hour DESC LIMIT :hours
        ) AS newest GROUP BY hub_id ORDER BY max(hour) DESC, hub_id LIMIT :hubs
    ), tried AS (
        SELECT event_type, hub_id, count(*) AS count, max(received_at) AS last_at
        FROM refused CROSS JOIN LATERAL (
            SELECT event_type, received_at FROM rejected_submissions AS own
            WHERE own.hub_id = refused.hub_id AND replayed_at IS NULL
            ORDER BY position DESC LIMIT (SELECT :searched / greatest(count(*), 1) FROM refused)
        ) AS newest
        WHERE event_type IS NOT NULL GROUP BY event_type, hub_id
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY hub_id ORDER BY last_at DESC, event_type) AS rank FROM tried
        WHERE NOT EXISTS (SELECT FROM event_type_registry WHERE name = event_type)
    ), chosen AS (
        SELECT * FROM ranked ORDER BY rank, last_at DESC, event_type LIMIT :limit
    )
    SELECT event_type, hub_id, count, last_at FROM chosen ORDER BY last_at DESC, event_type, hub_id
""")
NOT_REGISTERED = "event_type_not_registered"
"""The code of a rejection for its event type, by which `usage` counts them."""
SEARCHED_HOURS = 300
"""The newest counts of hubs in hours that are searched for hubs that sent such names."""
MOST_HUBS = 50
"""The hubs that are looked at: those that sent such names last."""
EVENT_TYPE_CHARACTERS = 200
"""An event type is kept up to this length, which is that of a registered name."""
MOST_UNREGISTERED = 50
SEARCHED = 500
"""The rejections that are searched for such names: the newest of each hub, and as many of each."""

COLUMNS = (
    table.c.id,
    table.c.kind,
    table.c.request_key,
    table.c.replayed_at,
    table.c.replayed_as,
    func.octet_length(table.c.raw).label("bytes"),
)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits on the rejections of each hub: rows, days, and bytes of raw submissions."""

    count: int
    days: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Unregistered:
    """An event type that is not registered: `count` of the hub's newest rejections have it, the last from `last_at`."""

    event_type: str
    hub_id: UUID
    count: int
    last_at: datetime


def writer(database: Database) -> Writer:
    """A writer of rows, as `row` returns them."""
    return Writer(database, Statements(_INSERT, on_connection=NOTE))


def row(rejection: Mapping[str, Any], raw: bytes) -> EncodedRow:
    """The row of one rejection for a writer.

    `raw` has the rejected bytes, `rejection` a JSON value for each other column that is not null. Its `event_type` is
    cut.
    """
    identifier, event_type = new_id(), rejection.get("event_type")
    kept = {"id": identifier, "event_type": event_type and event_type[:EVENT_TYPE_CHARACTERS]}
    return identifier, encoded({**rejection, **kept, "raw": base64.b64encode(raw).decode()})


def trim(connection: Connection, hub_id: UUID, bounds: Bounds) -> int:
    """Delete the oldest rejections beyond `bounds`; returns their number."""
    now, _ = clocks.both(connection)
    newest_first = table.c.position.desc()
    ranked = (
        select(
            table.c.id,
            func.row_number().over(order_by=newest_first).label("number"),
            func.sum(func.octet_length(table.c.raw)).over(order_by=newest_first).label("bytes"),
        )
        .where(table.c.hub_id == hub_id)
        .subquery()
    )
    beyond = select(ranked.c.id).where(or_(ranked.c.number > bounds.count, ranked.c.bytes > bounds.bytes))
    too_old = table.c.received_at < now - timedelta(days=bounds.days)
    result = connection.execute(delete(table).where(table.c.hub_id == hub_id, or_(too_old, table.c.id.in_(beyond))))
    return result.rowcount


def hubs(connection: Connection) -> list[UUID]:
    """The hubs that have rejected submissions."""
    return list(connection.scalars(select(table.c.hub_id).distinct()))


def waiting(
    connection: Connection, hub_id: UUID, kinds: Collection[str], code: str | None, limit: int
) -> Sequence[RowMapping]:
    """Rejections of `kinds`, and of `code` if given, to submit again: untried ones first, then least recently tried."""
    statement = select(*COLUMNS).where(table.c.hub_id == hub_id, table.c.replayed_at.is_(None), table.c.kind.in_(kinds))
    if code is not None:
        statement = statement.where(table.c.code == code)
    ordered = statement.order_by(table.c.attempted_at.nulls_first(), table.c.position)
    return connection.execute(ordered.limit(limit)).mappings().all()


def newest(connection: Connection, hub_id: UUID, limit: int) -> Sequence[RowMapping]:
    """The hub's newest rejections, replayed or not, at most `limit` of them, the newest first."""
    columns = (table.c.id, table.c.kind, table.c.code, table.c.error, table.c.received_at, table.c.replayed_at)
    statement = select(*columns).where(table.c.hub_id == hub_id)
    return connection.execute(statement.order_by(table.c.position.desc()).limit(limit)).mappings().all()


def named(connection: Connection, hub_id: UUID, ids: Collection[UUID]) -> dict[UUID, RowMapping]:
    """The hub's own rejections among `ids`, by id, replayed or not."""
    statement = select(*COLUMNS).where(table.c.hub_id == hub_id, table.c.id.in_(ids))
    return {row["id"]: row for row in connection.execute(statement).mappings()}


def contents(connection: Connection, ids: Collection[UUID]) -> dict[UUID, bytes]:
    """The submitted bytes, by id."""
    return {
        row.id: bytes(row.raw) for row in connection.execute(select(table.c.id, table.c.raw).where(table.c.id.in_(ids)))
    }


def settle(
    connection: Connection, stored_as: Mapping[UUID, str], reasons: Mapping[UUID, Mapping[str, str | None]]
) -> None:
    """Record the outcome of a replay for each rejection: the id of the stored submission, or the new reason."""
    replayed = {
        identifier: {"replayed_at": func.now(), "replayed_as": UUID(stored)} for identifier, stored in stored_as.items()
    }
    attempted = {identifier: {**reason, "attempted_at": func.now()} for identifier, reason in reasons.items()}
    for identifier, values in sorted(
        (replayed | attempted).items()
    ):  # in one order, so that transactions cannot deadlock
        connection.execute(update(table).where(table.c.id == identifier).values(values))


def unregistered(connection: Connection, limit: int = MOST_UNREGISTERED) -> list[Unregistered]:
    """The event types that hubs tried and that are not registered, newest first; at most `limit` of them, or 50.

    SEARCHED rejections are looked at, of the MOST_HUBS hubs whose events were last refused for such a name; replayed
    ones do not count. If there are more names, each hub has its newest ones: all have a first before any has a second.
    """
    bounds = {"reason": NOT_REGISTERED, "hours": SEARCHED_HOURS, "hubs": MOST_HUBS, "searched": SEARCHED}
    rows = connection.execute(_UNREGISTERED, {"limit": min(limit, MOST_UNREGISTERED), **bounds})
    return [Unregistered(*row) for row in rows]
