"""Submissions of each hub by hour, and of all hubs by minute and by type, counted here and added up in the database."""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select, text
from sqlalchemy.dialects.postgresql import insert

from db import type_usage, usage_minutes
from db.counting import Counting
from db.engine import Database
from db.tables import hub_outcomes, usage
from db.versions import major_of

Key = tuple[int, str, str, str, str]
"""The hub, contract version, kind, outcome and reason; the hub is an integer, which a dict finds faster than a UUID."""
_HourKey = tuple[int, str, str, str]
"""Likewise, without the version."""
STORED = frozenset({"created", "duplicate"})
"""The outcomes with which an event is stored: the reason is its type."""
# One statement for all hubs, which updates the rows in the order of its arrays, so that transactions cannot deadlock.
_OUTCOMES = text("""
    INSERT INTO hub_outcomes (hub_id, hour, outcome, count)
    SELECT hub_id, CAST(:hour AS timestamptz), outcome, count
    FROM unnest(CAST(:hub_ids AS uuid[]), CAST(:outcomes AS text[]), CAST(:counts AS bigint[]))
        AS given (hub_id, outcome, count)
    ON CONFLICT (hub_id, hour, outcome) DO UPDATE SET count = hub_outcomes.count + excluded.count
""")
Counted = Callable[[str, str, str, int], None]
"""Called with the kind of submissions, their outcome, its reason and their number."""


class SubmissionUsage(Counting[Key]):
    """The counts that are not written yet; `counted` receives each count, too."""

    def __init__(self, database: Database, counted: Counted) -> None:
        super().__init__(database, "usage", add)
        self._counted = counted

    def add(self, hub_id: UUID, version: str, kind: str, outcome: str, reason: str, count: int = 1) -> None:  # noqa: PLR0913, PLR0917 (as the columns)
        """Count `count` submissions to the contract of `version`."""
        self._counts[hub_id.int, version, kind, outcome, reason] += count
        self._counted(kind, outcome, reason, count)


def add(connection: Connection, counts: Counter[Key], now: datetime) -> None:
    """Add `counts` to the hour and to the minute of `now`."""
    hours: Counter[_HourKey] = Counter()
    types: Counter[type_usage.Key] = Counter()
    minutes: Counter[usage_minutes.Key] = Counter()
    for (hub, version, kind, outcome, reason), count in counts.items():
        hours[hub, kind, outcome, reason] += count
        minutes[major_of(version), kind, outcome] += count
        if kind == "event" and outcome in STORED:
            types[reason, outcome] += count
    hour = now.replace(minute=0, second=0, microsecond=0)
    _add_hours(connection, hours, hour)
    _add_outcomes(connection, hours, hour)
    if types:
        type_usage.add(connection, types, now)
    usage_minutes.add(connection, minutes, now)


def _add_hours(connection: Connection, counts: Counter[_HourKey], hour: datetime) -> None:
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


def _add_outcomes(connection: Connection, counts: Counter[_HourKey], hour: datetime) -> None:
    sums: Counter[tuple[int, str]] = Counter()
    for (hub, _, outcome, _), count in counts.items():
        sums[hub, outcome] += count
    rows = sorted(sums.items())
    values = {
        "hub_ids": [UUID(int=hub) for (hub, _), _ in rows],
        "outcomes": [outcome for (_, outcome), _ in rows],
        "counts": [count for _, count in rows],
    }
    connection.execute(_OUTCOMES, {"hour": hour, **values})


def of_hub(connection: Connection, hub_id: UUID, since: datetime, until: datetime, limit: int) -> list[RowMapping]:
    """The hub's counts of the hours from `since` until before `until`, oldest first, at most `limit`."""
    columns = (usage.c.hour, usage.c.kind, usage.c.outcome, usage.c.reason, usage.c.count)
    statement = select(*columns).where(usage.c.hub_id == hub_id, usage.c.hour >= since, usage.c.hour < until)
    return list(connection.execute(statement.order_by(*columns[:-1]).limit(limit)).mappings())


def outcomes(connection: Connection, hub_ids: Collection[UUID], since: datetime) -> dict[UUID, Counter[str]]:
    """For each of the hubs, the number of its submissions with each outcome in the hours from `since` on."""
    totals: dict[UUID, Counter[str]] = {hub_id: Counter() for hub_id in hub_ids}
    sums = hub_outcomes.c
    statement = (
        select(sums.hub_id, sums.outcome, func.sum(sums.count))
        .where(sums.hub_id.in_(hub_ids), sums.hour >= since)
        .group_by(sums.hub_id, sums.outcome)
    )
    for hub_id, outcome, count in connection.execute(statement):
        totals[hub_id][outcome] = int(count)
    return totals
