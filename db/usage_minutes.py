"""Submissions of all hubs by minute, for the last two days: the one account that totals over all hubs are read from."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from db import clocks
from db.tables import latency_minutes
from db.tables import usage_minutes as table

Key = tuple[int, str, str]
"""The major version, the kind and the outcome."""
Step = Literal["minute", "hour", "day"]

KEPT = timedelta(hours=48)
"""How long minutes are kept at least; the upkeep runs each hour."""

REQUEST, THROTTLED = "request", "throttled"
"""The kind and the outcome of a request that was answered 429, whatever it asks for.

If it submits, its items are counted under their own kind, too.
"""


@dataclass(frozen=True, slots=True)
class Minutes:
    """The number of submissions with one outcome in the minute, hour or day, in UTC, that begins at `start`.

    `kind` is event or annotation, and `outcome` created, duplicate, rejected or throttled; the sum of the four was
    received. The kind `request` has no outcome but throttled, and is no submission.
    """

    start: datetime
    major: int
    kind: str
    outcome: str
    count: int


def add(connection: Connection, counts: Counter[Key], now: datetime) -> None:
    """Add `counts` to the minute of `now`.

    All processes update these rows: do it last in a transaction, so that the others hardly wait.
    """
    minute = now.replace(second=0, microsecond=0)
    # Rows are updated in one order, so that transactions cannot deadlock.
    rows = [
        {"minute": minute, "major": major, "kind": kind, "outcome": outcome, "count": count}
        for (major, kind, outcome), count in sorted(counts.items())
    ]
    statement = insert(table)
    upsert = statement.on_conflict_do_update(
        constraint=table.primary_key, set_={"count": table.c.count + statement.excluded.count}
    )
    connection.execute(upsert, rows)


def minutes(connection: Connection, since: datetime, until: datetime, step: Step = "minute") -> list[Minutes]:
    """The counts of the minutes from `since` until before `until`, summed by `step`, oldest first.

    Where nothing was counted there is no row. Minutes are kept for two days.
    """
    columns = (
        func.date_trunc(step, table.c.minute, "UTC").label("start"),
        table.c.major,
        table.c.kind,
        table.c.outcome,
    )
    statement = select(*columns, func.sum(table.c.count)).where(table.c.minute >= since, table.c.minute < until)
    rows = connection.execute(statement.group_by(*columns).order_by(*columns))
    return [Minutes(begin, major, kind, outcome, int(count)) for begin, major, kind, outcome, count in rows]


def delete_old(connection: Connection) -> int:
    """Delete the minutes, and their latencies, of before the last two days by both clocks; returns their number."""
    now, _ = clocks.both(connection)
    tables = (table, latency_minutes)
    return sum(connection.execute(delete(each).where(each.c.minute < now - KEPT)).rowcount for each in tables)
