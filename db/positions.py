"""Positions: rows are read in their order, so that a reader misses no row that is committed late.

A transaction takes positions when it inserts and makes them visible when it commits. Of two transactions, the one with
the lower positions may commit last. So each statement that inserts into such a table holds a lock that names the
position before its own (the trigger `hold_position`), and nothing is read beyond the lowest of these positions. An
insert into a partition by its own name holds no lock.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

from db.timelines import NOTE

_LOCK_CLASS = 1347375955
_KEYS = 2**31
"""A lock carries a position modulo this number."""

_LAST = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM positions")
_HELD = text(
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = :lock_class "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def horizon(connection: Connection) -> int:
    """The last complete position: the next statement sees every row up to it, and no row will be added there later.

    The order of the two statements matters: if a transaction took a position before the first statement, it has ended,
    or the second statement sees its lock.
    """
    last: int = connection.execute(_LAST).scalar_one()
    keys: Iterable[int] = connection.execute(_HELD, {"lock_class": _LOCK_CLASS}).scalars()
    behind = [(last - key) % _KEYS for key in keys]
    # A lock that seems at least half of all keys behind was taken after `last` was read, and is ahead.
    return last - max([0, *(distance for distance in behind if distance < _KEYS // 2)])


def is_given_out(connection: Connection, position: int) -> bool:
    """Whether `position` has been given out here, or in what this database was restored from.

    If it is ahead, the database may have been restored just now, and jump past it only here.
    """
    connection.execute(text(NOTE))
    last: int = connection.execute(_LAST).scalar_one()
    return position <= last
