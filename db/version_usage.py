"""Requests of each hub to each major version by day in UTC, counted here and added up in the database."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from db import hub_totals
from db.counting import Counting
from db.engine import Database
from db.registry import Caller
from db.tables import hub_requests as requests
from db.tables import hubs
from db.versions import major_of

Key = tuple[int, str]
"""The hub and the contract version; the hub is an integer, because a dict finds it faster than a UUID."""


@dataclass(frozen=True, slots=True)
class Requests:
    """The number of requests that a hub sent to a major version on a day."""

    hub_id: UUID
    major: int
    day: date
    count: int


@dataclass(frozen=True, slots=True)
class Sender:
    """A hub, the number of its requests to a major version, and the time of the last one."""

    hub: str
    count: int
    last_seen_at: datetime


class VersionUsage(Counting[Key]):
    """The counts that are not written yet."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "requests of hubs", add)

    def on_request(self, caller: Caller, version: str) -> None:
        """Count a request of `caller` to the contract of `version`."""
        self._counts[caller.id.int, version] += 1


def add(connection: Connection, counts: Counter[Key], now: datetime) -> None:
    """Add `counts` to the day of `now`, which is in UTC, and let their hubs be seen then."""
    totals: Counter[tuple[int, int]] = Counter()
    for (hub, version), count in counts.items():
        totals[hub, major_of(version)] += count
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
    hub_totals.see(connection, {UUID(int=hub) for hub, _ in totals}, now)


def since(connection: Connection, day: date, hub_ids: Collection[UUID] | None = None) -> list[Requests]:
    """The requests from `day` on, of the hubs with these ids or of every hub."""
    columns = (requests.c.hub_id, requests.c.major, requests.c.day, requests.c.count)
    statement = select(*columns).where(requests.c.day >= day, *_of(hub_ids))
    return [Requests(*row) for row in connection.execute(statement)]


def totals(connection: Connection, day: date) -> dict[int, tuple[int, int]]:
    """The requests to each major version from `day` on, and the hubs that sent them."""
    of_hubs = (
        select(requests.c.major, func.sum(requests.c.count).label("count"))
        .where(requests.c.day >= day)
        .group_by(requests.c.major, requests.c.hub_id)
        .subquery()
    )
    statement = select(of_hubs.c.major, func.sum(of_hubs.c.count), func.count()).group_by(of_hubs.c.major)
    return {major: (int(count), hub_count) for major, count, hub_count in connection.execute(statement)}


def senders(connection: Connection, major: int, day: date, limit: int) -> list[Sender]:
    """The hubs that sent most of the requests to a major version from `day` on, at most `limit`."""
    count = func.sum(requests.c.count).label("count")
    busiest = (
        select(requests.c.hub_id, count, func.max(requests.c.last_seen_at).label("last_seen_at"))
        .where(requests.c.day >= day, requests.c.major == major)
        .group_by(requests.c.hub_id)
        .order_by(count.desc(), requests.c.hub_id)
        .limit(limit)
        .subquery()
    )
    columns = hubs.c.name, busiest.c.count, busiest.c.last_seen_at
    statement = select(*columns).join(hubs, hubs.c.id == busiest.c.hub_id).order_by(busiest.c.count.desc(), hubs.c.name)
    return [Sender(name, int(number), at) for name, number, at in connection.execute(statement)]


def last_seen(connection: Connection, hub_ids: Collection[UUID] | None = None) -> dict[tuple[UUID, int], datetime]:
    """The time of each hub's last request to each major version, accurate to about a second.

    A row that both clocks left in the future counts only where there is no other.
    """
    seen_at = requests.c.last_seen_at
    latest = func.coalesce(func.max(seen_at).filter(seen_at <= func.now()), func.max(seen_at))
    statement = select(requests.c.hub_id, requests.c.major, latest).where(*_of(hub_ids))
    rows = connection.execute(statement.group_by(requests.c.hub_id, requests.c.major))
    return {(hub_id, major): at for hub_id, major, at in rows}


def leaving(connection: Connection, majors: Collection[int], day: date, after: str, limit: int) -> Sequence[str]:
    """The first `limit` names after `after` of hubs that sent requests to one of `majors` from `day` on.

    A hub that is disabled or cut over is not among them.
    """
    statement = select(hubs.c.name).where(_leaves(majors, day), hubs.c.name > after)
    return connection.scalars(statement.order_by(hubs.c.name).limit(limit)).all()


def count_leaving(connection: Connection, majors: Collection[int], day: date) -> int:
    """The number of such hubs."""
    return connection.execute(select(func.count()).select_from(hubs).where(_leaves(majors, day))).scalar_one()


def _of(hub_ids: Collection[UUID] | None) -> list[ColumnElement[bool]]:
    return [] if hub_ids is None else [requests.c.hub_id.in_(hub_ids)]


def _leaves(majors: Collection[int], day: date) -> ColumnElement[bool]:
    uses = exists().where(requests.c.hub_id == hubs.c.id, requests.c.major.in_(majors), requests.c.day >= day)
    return uses & hubs.c.disabled_at.is_(None) & hubs.c.cut_over_at.is_(None)


def is_seen(connection: Connection, hub_id: UUID, majors: Sequence[int]) -> bool:
    """True if the hub ever sent a request to one of `majors`."""
    seen = exists().where(requests.c.hub_id == hub_id, requests.c.major.in_(majors))
    return bool(connection.scalar(select(seen)))


def of_hub(connection: Connection, hub_id: UUID) -> dict[int, datetime]:
    """The time of the hub's last request to each major version that it ever used, in ascending order."""
    last = func.max(requests.c.last_seen_at)
    statement = select(requests.c.major, last).where(requests.c.hub_id == hub_id).group_by(requests.c.major)
    return {row.major: row[1] for row in connection.execute(statement.order_by(requests.c.major))}
