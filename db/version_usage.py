"""Requests of each hub to each major version by day in UTC, counted here and added up in the database."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from db.counting import Counting
from db.engine import Database
from db.registry import Caller
from db.tables import hub_requests as requests

Key = tuple[int, str]
"""The hub and the contract version; the hub is an integer, because a dict finds it faster than a UUID."""


@dataclass(frozen=True, slots=True)
class Requests:
    """The number of requests that a hub sent to a major version on a day."""

    hub_id: UUID
    major: int
    day: date
    count: int


class VersionUsage(Counting[Key]):
    """The counts that are not written yet."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "requests of hubs", add)

    def on_request(self, caller: Caller, version: str) -> None:
        """Count a request of `caller` to the contract of `version`."""
        self._counts[caller.id.int, version] += 1


def add(connection: Connection, counts: Counter[Key], now: datetime) -> None:
    """Add `counts` to the day of `now`, which is in UTC."""
    totals: Counter[tuple[int, int]] = Counter()
    for (hub, version), count in counts.items():
        totals[hub, int(version.partition(".")[0])] += count
    # Rows are updated in one order, so that transactions cannot deadlock.
    rows = [
        {"hub_id": UUID(int=hub), "major": major, "day": now.date(), "count": count}
        for (hub, major), count in sorted(totals.items())
    ]
    # By the slower of two clocks, and replaced by the next request: one that is ahead for a while leaves no trace.
    statement = insert(requests).values(last_seen_at=func.least(func.now(), now))
    set_values = {
        "count": requests.c.count + statement.excluded.count,
        "last_seen_at": statement.excluded.last_seen_at,
    }
    connection.execute(statement.on_conflict_do_update(constraint=requests.primary_key, set_=set_values), rows)


def since(connection: Connection, day: date) -> list[Requests]:
    """The requests of every hub from `day` on."""
    columns = (requests.c.hub_id, requests.c.major, requests.c.day, requests.c.count)
    return [Requests(*row) for row in connection.execute(select(*columns).where(requests.c.day >= day))]


def last_seen(connection: Connection) -> dict[tuple[UUID, int], datetime]:
    """The time of each hub's last request to each major version, accurate to about a second.

    A row that both clocks left in the future counts only where there is no other.
    """
    seen_at = requests.c.last_seen_at
    latest = func.coalesce(func.max(seen_at).filter(seen_at <= func.now()), func.max(seen_at))
    statement = select(requests.c.hub_id, requests.c.major, latest).group_by(requests.c.hub_id, requests.c.major)
    return {(hub_id, major): at for hub_id, major, at in connection.execute(statement)}


def is_seen(connection: Connection, hub_id: UUID, majors: Sequence[int]) -> bool:
    """True if the hub ever sent a request to one of `majors`."""
    seen = exists().where(requests.c.hub_id == hub_id, requests.c.major.in_(majors))
    return bool(connection.scalar(select(seen)))
