"""The partitions of submissions: a week each, from Monday 00:00 UTC to the next, named by its Monday."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, count
from uuid import UUID

from sqlalchemy import Connection, text

from db.advisory_locks import AdvisoryLock, lock, try_lock
from db.engine import Database

TABLES = ("interaction_events", "annotations")
WEEK = timedelta(weeks=1)
AHEAD = 4 * WEEK
"""Partitions are created this far ahead: events can be stored for so long even if no worker creates new ones."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOME_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_LOCK_MILLISECONDS = 250
_PATIENCE_MILLISECONDS = 1000
_BOUNDS = re.compile(r"FOR VALUES FROM \('([0-9a-f-]{36})'\) TO \('([0-9a-f-]{36})'\)")

# Both row counts lag behind. Rows are only ever added, so the greater count is the closer one.
_PARTITIONS = text("""
    SELECT inhparent::regclass::text, p.oid::regclass::text, pg_get_expr(p.relpartbound, p.oid),
        greatest(p.reltuples, pg_stat_get_live_tuples(p.oid))::bigint, pg_total_relation_size(p.oid)
    FROM pg_inherits JOIN pg_class p ON p.oid = inhrelid
    WHERE inhparent = ANY (CAST(:tables AS regclass[]))
""")
_FORGET = text("DELETE FROM idempotency_keys WHERE id < :lowest")


@dataclass(frozen=True, slots=True)
class Partition:
    """The rows that `table` received from `since` until before `until`. `bytes` includes the indexes."""

    table: str
    name: str
    since: datetime
    until: datetime
    estimated_rows: int
    bytes: int


def lowest_id(instant: datetime) -> UUID:
    """The lowest UUID version 7 (RFC 9562) of `instant`: ids of earlier instants are lower."""
    return UUID(int=max(0, (instant - _EPOCH) // timedelta(milliseconds=1)) << 80)


def list_all(connection: Connection) -> list[Partition]:
    """Every partition with two bounds, oldest first. Others were created by hand, and are left alone."""
    weeks = [
        Partition(table, name, _instant(bounds[1]), _instant(bounds[2]), rows, size)
        for table, name, bound, rows, size in connection.execute(_PARTITIONS, {"tables": list(TABLES)})
        if size is not None and (bounds := _BOUNDS.fullmatch(bound or ""))  # NULL: it was dropped in between
    ]
    return sorted(weeks, key=lambda partition: (partition.since, partition.name))


def wholly_before(connection: Connection, instant: datetime) -> list[Partition]:
    """The partitions whose rows were all received before `instant`."""
    return [partition for partition in list_all(connection) if partition.until <= instant]


def ensure(connection: Connection, first: datetime, last: datetime) -> list[str]:
    """Create the missing partitions from the week of `first` to that of `last`; returns their names."""
    if not _missing(connection, first, last):
        return []
    lock(connection, AdvisoryLock.PARTITIONS)
    # Another worker may have created some in between.
    return [_make(connection, table, monday) for table, monday in _missing(connection, first, last)]


def ensure_for(connection: Connection, identifiers: Iterable[str]) -> list[str]:
    """Create the missing partitions for rows with these ids; returns their names. Unavailable if others are at it.

    Rows wait for this: it gives up after a second in a queue for a lock.
    """
    connection.execute(text(f"SET LOCAL lock_timeout = {_PATIENCE_MILLISECONDS}"))
    mondays = {_monday(_instant(identifier)) for identifier in identifiers}
    return [name for monday in sorted(mondays) for name in ensure(connection, monday, monday)]


def ensure_coming(connection: Connection, now: datetime) -> list[str]:
    """Create the missing partitions for this week and the next four; returns their names."""
    return ensure(connection, now, now + AHEAD)


def drop_before(connection: Connection, instant: datetime) -> list[Partition]:
    """Drop the partitions whose rows were all received before `instant`, and their keys; returns the dropped ones.

    Unavailable if a transaction reads them for so long that inserts would have to wait, too.
    """
    lock(connection, AdvisoryLock.PARTITIONS)
    dropped = wholly_before(connection, instant)
    if dropped:
        # DROP locks the whole table: inserts queue behind it for as long as it waits.
        connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}"))
        connection.execute(text(f"DROP TABLE {', '.join(partition.name for partition in dropped)}"))
        connection.execute(_FORGET, {"lowest": lowest_id(max(partition.until for partition in dropped))})
    return dropped


def create_coming(database: Database, *instants: datetime) -> list[str]:
    """Create the missing partitions for the weeks of `instants` and the next four; returns their names.

    Creates none while another process does.
    """
    with database.begin() as connection:
        if not try_lock(connection, AdvisoryLock.PARTITIONS):
            return []
        return [name for instant in instants for name in ensure_coming(connection, instant)]


def drop_expired(database: Database, now: datetime, retention_days: int) -> list[Partition]:
    """Drop the partitions that are older than the retention; returns them. Drops none while another process does."""
    with database.begin() as connection:
        if not try_lock(connection, AdvisoryLock.PARTITIONS):
            return []
        return drop_before(connection, now - timedelta(days=retention_days))


def covered_until(connection: Connection, now: datetime) -> dict[str, datetime]:
    """For each table, the end of its partitions that follow `now` without a gap; `now` if there is none."""
    covered = dict.fromkeys(TABLES, now)
    for partition in list_all(connection):
        if partition.since <= covered[partition.table] < partition.until:
            covered[partition.table] = partition.until
    return covered


def weeks_with_rows(connection: Connection) -> list[datetime]:
    """The Mondays of the weeks in which rows were received, oldest first, by one look into an index for each."""
    return sorted({monday for table in TABLES for monday in _weeks_with_rows(connection, table)})


def _weeks_with_rows(connection: Connection, table: str) -> Iterator[datetime]:
    query = text(f"SELECT id FROM {table} WHERE id >= :lowest ORDER BY id LIMIT 1")  # noqa: S608 (a table of ours)
    lowest = UUID(int=0)
    while (first := connection.scalar(query, {"lowest": lowest})) is not None:
        yield (monday := _monday(_instant(str(first))))
        lowest = lowest_id(monday + WEEK)


def _missing(connection: Connection, first: datetime, last: datetime) -> list[tuple[str, datetime]]:
    """The tables and Mondays of the weeks from `first` to `last` that have no partition."""
    existing = {(partition.table, partition.since) for partition in list_all(connection)}
    needed = [(table, monday) for monday in _mondays(first, last) for table in TABLES]
    return [partition for partition in needed if partition not in existing]


def _monday(instant: datetime) -> datetime:
    """The beginning of the week of `instant`."""
    return _SOME_MONDAY + (instant - _SOME_MONDAY) // WEEK * WEEK


def _mondays(first: datetime, last: datetime) -> Iterator[datetime]:
    monday = _monday(first)
    while monday <= last:
        yield monday
        monday += WEEK


def _make(connection: Connection, table: str, monday: datetime) -> str:
    """Create the partition of `table` for the week that begins on `monday`; returns its name.

    CREATE TABLE ... PARTITION OF would lock the whole table against inserts. ATTACH does not, and it has nothing to
    check in a new table.
    """
    name = _free_name(connection, f"{table}_{monday:%Y_%m_%d}")
    connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
    bounds = f"FROM ('{lowest_id(monday)}') TO ('{lowest_id(monday + WEEK)}')"
    connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES {bounds}"))
    return name


def _free_name(connection: Connection, name: str) -> str:
    """`name`, or with a number if a table has it: a partition that was detached keeps its name."""
    names = chain([name], (f"{name}_{number}" for number in count(2)))
    taken = text("SELECT to_regclass(:name) IS NOT NULL")
    return next(name for name in names if not connection.scalar(taken, {"name": name}))


def _instant(identifier: str) -> datetime:
    """The instant of a UUID version 7."""
    return _EPOCH + timedelta(milliseconds=UUID(identifier).int >> 80)
