"""Durations of requests by minute, for the last two days, as counts by bucket.

A percentile that is read from them is an upper bound.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from db import usage_minutes
from db.counting import Counting
from db.engine import Database
from db.tables import latency_minutes as table
from db.versions import major_of

Key = tuple[str, float | None]
"""The contract version, and the upper bound of a bucket in seconds, infinity for the last.

None instead of a bound: the requests that were answered 429, which are also in their buckets.
"""


class Latencies(Counting[Key]):
    """The counts that are not written yet: what totals have grown by, so that a request costs nothing for them."""

    def __init__(self, database: Database, totals: Callable[[], Counter[Key]]) -> None:
        """`totals` returns the requests since the start of the process: those until now are not counted."""
        super().__init__(database, "durations of requests", add)
        self._totals = totals
        self._read = totals()

    async def write(self) -> None:
        """Write what the totals have grown by; what cannot be written is kept for the next time."""
        totals = self._totals()
        self._counts.update(totals - self._read)
        self._read = totals
        await super().write()


def add(connection: Connection, counts: Counter[Key], now: datetime) -> None:
    """Add `counts` to the minute of `now`."""
    durations: Counter[tuple[int, float]] = Counter()
    throttled: Counter[usage_minutes.Key] = Counter()
    for (version, bound), count in counts.items():
        if bound is None:
            throttled[major_of(version), usage_minutes.REQUEST, usage_minutes.THROTTLED] += count
        else:
            durations[major_of(version), bound] += count
    minute = now.replace(second=0, microsecond=0)
    # Rows are updated in one order, so that transactions cannot deadlock.
    rows = [
        {"minute": minute, "major": major, "bucket": bound, "count": count}
        for (major, bound), count in sorted(durations.items())
    ]
    if rows:
        statement = insert(table)
        upsert = statement.on_conflict_do_update(
            constraint=table.primary_key, set_={"count": table.c.count + statement.excluded.count}
        )
        connection.execute(upsert, rows)
    if throttled:
        usage_minutes.add(connection, throttled, now)


def latency(connection: Connection, since: datetime, until: datetime, major: int | None = None) -> dict[float, int]:
    """The requests of the minutes from `since` until before `until` by the upper bound of their bucket, in seconds.

    Ascending; the last bound is infinity. Of the contract with `major`, or of all.
    """
    statement = select(table.c.bucket, func.sum(table.c.count)).where(table.c.minute >= since, table.c.minute < until)
    if major is not None:
        statement = statement.where(table.c.major == major)
    rows = connection.execute(statement.group_by(table.c.bucket).order_by(table.c.bucket))
    return {bound: int(count) for bound, count in rows}


def at_most(counts: Mapping[float, int], share: float) -> float | None:
    """The seconds that this share of the requests took at most, such as 0.99; None without requests.

    `counts` are as `latency` returns them.
    """
    wanted, passed = math.ceil(sum(counts.values()) * share), 0
    for bound, count in counts.items():
        passed += count
        if passed >= wanted > 0:
            return bound
    return None
