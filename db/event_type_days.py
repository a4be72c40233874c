"""The days that the events of some types are kept: older events are deleted, some thousand in a transaction.

An event is old if both clocks say so: its id has the time of receipt by a worker's clock, `received_at` by the
database's. Each run goes on where the last one ended, less a day, because these clocks may differ.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects.postgresql import insert

from db import clocks, sweeps
from db.advisory_locks import AdvisoryLock, try_session_lock
from db.engine import Database
from db.partitions import lowest_id
from db.sweeps import Sweep, Swept
from db.tables import event_type_deletions as deletions
from db.tables import event_type_registry as registry

CLOCKS_DIFFER_BY = timedelta(days=1)

_IS_OLD = "event_type = ANY(:types) AND received_at < :before"
_COUNT = text("""
    SELECT count(*) FROM interaction_events
    WHERE id < :until AND event_type = :event_type AND received_at < :before
""")
# The index of claims is by blocks (BRIN): without the bounds the whole table would be read.
_FORGET = text("DELETE FROM idempotency_keys WHERE id BETWEEN :first AND :last AND id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class Deletion:
    """The events of a type that are older than its `keep_days`: those received before `before`."""

    event_type: str
    keep_days: int
    before: datetime
    events: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Types with the same days, and how far they were looked through."""

    types: list[str]
    before: datetime
    since: datetime | None

    @property
    def first(self) -> UUID:
        """The id after which the events are looked through."""
        return lowest_id(self.since - CLOCKS_DIFFER_BY) if self.since else sweeps.FIRST


def delete_old(database: Database) -> int:
    """Delete the events of types that are older than the days of their type; returns their number.

    Annotations stay, as they do when a week of events is dropped; claims of keys go with their events.
    Deletes none while another process does.
    """
    with database.session() as session:
        if not try_session_lock(session, AdvisoryLock.EVENT_TYPE_DAYS):
            return 0
        session.commit()
        with database.begin() as connection:
            groups = list(_groups(connection))
        return sum(_delete(database, group) for group in groups)


def list_old(connection: Connection) -> list[Deletion]:
    """For each type with days of its own, what `delete_old` would delete now."""
    now, _ = clocks.both(connection)
    counted = []
    for name, days in _kept(connection):
        before = now - timedelta(days=days)
        values = {"event_type": name, "before": before, "until": lowest_id(before)}
        counted.append(Deletion(name, days, before, connection.execute(_COUNT, values).scalar_one()))
    return counted


def _kept(connection: Connection) -> Sequence[tuple[str, int]]:
    """The types with days of their own."""
    statement = select(registry.c.name, registry.c.keep_days).where(registry.c.keep_days.is_not(None))
    return [(name, days) for name, days in connection.execute(statement.order_by(registry.c.name))]


def _groups(connection: Connection) -> Iterator[_Group]:
    now, _ = clocks.both(connection)
    done = {row.event_type: row.done_until for row in connection.execute(select(deletions))}
    groups = defaultdict[tuple[int, datetime | None], list[str]](list)
    for name, days in _kept(connection):
        groups[days, done.get(name)].append(name)
    for (days, since), types in groups.items():
        yield _Group(types, now - timedelta(days=days), since)


def _delete(database: Database, group: _Group) -> int:
    sweep = Sweep(
        "interaction_events", _IS_OLD, {"types": group.types, "before": group.before}, until=lowest_id(group.before)
    )
    after, deleted = group.first, 0
    while True:
        with database.begin() as connection:
            swept = sweep.after(connection, after)
            _forget(connection, swept)
            deleted += len(swept.deleted)
            if swept.is_end or swept.last is None:
                _note_done(connection, group)
                return deleted
        after = swept.last


def _forget(connection: Connection, swept: Swept) -> None:
    if swept.deleted:
        bounds = {"first": swept.deleted[0], "last": swept.deleted[-1]}
        connection.execute(_FORGET, {"ids": swept.deleted, **bounds})


def _note_done(connection: Connection, group: _Group) -> None:
    """Let the next run go on from here."""
    values = [{"event_type": name, "done_until": group.before} for name in group.types]
    statement = insert(deletions).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[deletions.c.event_type], set_={"done_until": statement.excluded.done_until}
        )
    )
