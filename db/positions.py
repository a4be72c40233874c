"""Positions: the order in which rows are read, so that a reader misses none that is committed late.

A transaction takes positions when it inserts and makes them visible when it commits, and of two transactions the one
that took the lower positions may commit last. So each statement that inserts into such a table holds a lock, which
names the position before its own (the trigger `hold_position`), and nothing is read beyond the lowest of these. An
insert into a partition by its own name holds none.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, text

_LOCK_CLASS = 1347375955
_KEYS = 2**31
"""Locks carry that many low bits of a position."""

_LAST = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM positions")
_HELD = text(
    "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = :lock_class "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


def horizon(connection: Connection) -> int:
    """The position up to which the next statement sees every row: none will be added there later.

    The order of the two statements matters: what took a position before the first is seen by the second, or is done.
    """
    last: int = connection.execute(_LAST).scalar_one()
    held: Iterable[int] = connection.execute(_HELD, {"lock_class": _LOCK_CLASS}).scalars()
    behind = [(last - key) % _KEYS for key in held]
    # What seems to be half of all keys behind has begun since then, and is ahead.
    return last - max([0, *(distance for distance in behind if distance < _KEYS // 2)])
