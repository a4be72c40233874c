"""How many requests each hub sends to each major version: counted here, added up in the database by day, in UTC."""

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
"""The hub, as an integer, and the version of the contract; an integer is found faster than a UUID."""


@dataclass(frozen=True, slots=True)
class Requests:
    """How many requests a hub sent to a major version on a day."""

    hub_id: UUID
    major: int
    day: date
    count: int


class HubRequests(Counting[Key]):
    """What this process has counted and not written."""

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
    # Everyone adds in the same order, so that nobody waits for who waits for them.
    rows = [
        {"hub_id": UUID(int=hub), "major": major, "day": now.date(), "count": count, "last_seen_at": now}
        for (hub, major), count in sorted(totals.items())
    ]
    statement = insert(requests)
    more = {
        "count": requests.c.count + statement.excluded.count,
        "last_seen_at": func.greatest(requests.c.last_seen_at, statement.excluded.last_seen_at),
    }
    connection.execute(statement.on_conflict_do_update(constraint=requests.primary_key, set_=more), rows)


def since(connection: Connection, day: date) -> list[Requests]:
    """What every hub sent from `day` on."""
    columns = (requests.c.hub_id, requests.c.major, requests.c.day, requests.c.count)
    return [Requests(*row) for row in connection.execute(select(*columns).where(requests.c.day >= day))]


def last_seen(connection: Connection) -> dict[tuple[UUID, int], datetime]:
    """When each hub was last on_request on each major version, to about a second."""
    latest = func.max(requests.c.last_seen_at)
    chosen = select(requests.c.hub_id, requests.c.major, latest).group_by(requests.c.hub_id, requests.c.major)
    return {(hub_id, major): at for hub_id, major, at in connection.execute(chosen)}


def is_seen(connection: Connection, hub_id: UUID, majors: Sequence[int]) -> bool:
    """Whether the hub was ever on_request on one of `majors`."""
    found = exists().where(requests.c.hub_id == hub_id, requests.c.major.in_(majors))
    return bool(connection.scalar(select(found)))
