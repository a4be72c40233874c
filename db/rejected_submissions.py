"""Rejected submissions, kept so that hubs can read them and submit them again."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, func, or_, select, update

from db import clocks
from db.engine import Database
from db.ids import new_id
from db.json_text import encoded
from db.tables import rejected_submissions as table
from db.timelines import NOTE
from db.writer import EncodedRow, Statements, Writer

_INSERT = """
    INSERT INTO rejected_submissions
        (id, hub_id, kind, batch_index, code, error, help, pointer, raw, request_key, contract_version)
    SELECT id, hub_id, kind, batch_index, code, error, help, pointer, decode(raw, 'base64'), request_key,
        contract_version
    FROM json_to_recordset($1::json) AS given(id uuid, hub_id uuid, kind text, batch_index int, code text, error text,
        help text, pointer text, raw text, request_key text, contract_version text)
    ON CONFLICT (id) DO NOTHING
"""


_COLUMNS = (
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


def writer(database: Database) -> Writer:
    """A writer of rows, as `row` returns them."""
    return Writer(database, Statements(_INSERT, on_connection=NOTE))


def row(rejection: Mapping[str, Any], raw: bytes) -> EncodedRow:
    """The row of one rejection for a writer.

    `raw` has the rejected bytes, `rejection` a JSON value for each other column that is not null.
    """
    identifier = new_id()
    return identifier, encoded({**rejection, "id": identifier, "raw": base64.b64encode(raw).decode()})


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
    statement = select(*_COLUMNS).where(
        table.c.hub_id == hub_id, table.c.replayed_at.is_(None), table.c.kind.in_(kinds)
    )
    if code is not None:
        statement = statement.where(table.c.code == code)
    ordered = statement.order_by(table.c.attempted_at.nulls_first(), table.c.position)
    return connection.execute(ordered.limit(limit)).mappings().all()


def named(connection: Connection, hub_id: UUID, ids: Collection[UUID]) -> dict[UUID, RowMapping]:
    """The hub's own rejections among `ids`, by id, replayed or not."""
    statement = select(*_COLUMNS).where(table.c.hub_id == hub_id, table.c.id.in_(ids))
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
