"""Submissions of each hub by hour, counted here and added up in the database."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.dialects.postgresql import insert

from db.counting import Counting
from db.engine import Database
from db.tables import usage

Key = tuple[int, str, str, str]
"""The hub, kind, outcome and reason; the hub is an integer, because a dict finds it faster than a UUID."""
Counted = Callable[[str, str, str, int], None]
"""Called with the kind of submissions, their outcome, its reason and their number."""


class SubmissionUsage(Counting[Key]):
    """The counts that are not written yet; `counted` receives each count, too."""

    def __init__(self, database: Database, counted: Counted) -> None:
        super().__init__(database, "usage", add)
        self._counted = counted

    def add(self, hub_id: UUID, kind: str, outcome: str, reason: str, count: int = 1) -> None:
        """Count `count` submissions."""
        self._counts[hub_id.int, kind, outcome, reason] += count
        self._counted(kind, outcome, reason, count)


def add(connection: Connection, counts: Counter[Key], now: datetime) -> None:
    """Add `counts` to the hour of `now`."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    # Rows are updated in one order, so that transactions cannot deadlock.
    rows = [
        {"hub_id": UUID(int=hub), "hour": hour, "kind": kind, "outcome": outcome, "reason": reason, "count": count}
        for (hub, kind, outcome, reason), count in sorted(counts.items())
    ]
    statement = insert(usage)
    upsert = statement.on_conflict_do_update(
        constraint=usage.primary_key, set_={"count": usage.c.count + statement.excluded.count}
    )
    # One by one: a statement takes at most 65,535 values, and there may be more after an outage.
    connection.execute(upsert, rows)


def of_hub(connection: Connection, hub_id: UUID, since: datetime, until: datetime, limit: int) -> list[RowMapping]:
    """The hub's counts of the hours from `since` until before `until`, oldest first, at most `limit`."""
    columns = (usage.c.hour, usage.c.kind, usage.c.outcome, usage.c.reason, usage.c.count)
    statement = select(*columns).where(usage.c.hub_id == hub_id, usage.c.hour >= since, usage.c.hour < until)
    return list(connection.execute(statement.order_by(*columns[:-1]).limit(limit)).mappings())
