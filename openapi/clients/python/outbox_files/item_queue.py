"""The rows of an outbox: taken by one sender, settled after the answer."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import Any

from openapi.clients.python.errors import OutboxLocked
from openapi.clients.python.outbox_files.database import Database
from openapi.clients.python.outbox_files.items import Counts, Kind, Reason, Refused, Row, item_of

_TOO_FAR = 2 * 3600.0
"""Seconds: a time that is further ahead was written before the clock was set back, and has passed."""
_COUNTED = ("sent", "expired", "erased")


class Queue:
    """The rows; every method may be called by any thread, and raises OutboxError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, kind: Kind, most: int, after: int = 0) -> list[Row]:
        """The oldest items of a kind that may be sent now, as many as one request may have, at most `most`.

        With `after` only those that were added after the one with that number.
        """
        now = time.time()
        rows: list[Row] = []
        size = 2
        query = (
            "SELECT seq, key, body, attempts, added_at FROM items"
            " WHERE seq > ? AND kind = ? AND (not_before <= ? OR not_before > ?) ORDER BY seq LIMIT ?"
        )
        values = (after, kind.name, now, now + _TOO_FAR, min(most, kind.limits.items))
        with self._database.connected() as connection, closing(connection.execute(query, values)) as found:
            for row in map(Row._make, found):
                size += len(row.body) + 1
                if rows and size > kind.limits.bytes:
                    break
                rows.append(row)
        return rows

    def settle(self, sent: Sequence[Row], refused: Sequence[tuple[Row, Reason]], later: Mapping[int, float]) -> None:
        """After an answer: remove what is stored, keep what is refused, and put off the rows (by seq) of `later`."""
        now = time.time()
        with self._database.transaction() as connection:
            gone = [(row.seq, row.key) for row in sent]
            deleted = connection.executemany("DELETE FROM items WHERE seq = ? AND key = ?", gone).rowcount
            _count(connection, "sent", deleted)
            for row, reason in refused:
                _refuse(connection, row, reason, now)
            connection.executemany(
                "UPDATE items SET attempts = attempts + 1, not_before = ? WHERE seq = ?",
                [(now + seconds, seq) for seq, seconds in later.items()],
            )

    def has_items(self, upto: int | None = None) -> bool:
        """True if an item waits, of those up to the number `upto`."""
        with self._database.connected() as connection:
            found = connection.execute("SELECT 1 FROM items WHERE seq <= ? LIMIT 1", (upto or 2**62,)).fetchone()
        return found is not None

    def last(self) -> int:
        """The number of the item that was added last."""
        with self._database.connected() as connection:
            return _added(connection)

    def next_due(self) -> float | None:
        """Seconds until an item may be sent; None if there is none."""
        now = time.time()
        with self._database.connected() as connection:
            is_due = "SELECT EXISTS (SELECT 1 FROM items WHERE not_before <= ? OR not_before > ?)"
            if connection.execute(is_due, (now, now + _TOO_FAR)).fetchone()[0]:
                return 0.0
            (found,) = connection.execute("SELECT min(not_before) FROM items").fetchone()  # it reads all of them
        return None if found is None else max(0.0, found - now)

    def expire(self, max_age: float) -> int:
        """Delete everything that is older than `max_age` seconds; returns how many items had not been sent."""
        before = time.time() - max_age
        with self._database.transaction() as connection:
            deleted = connection.execute("DELETE FROM items WHERE added_at < ?", (before,)).rowcount
            deleted_refused = connection.execute("DELETE FROM refused WHERE added_at < ?", (before,)).rowcount
            _count(connection, "expired", deleted + deleted_refused)
        return deleted

    def refused(self) -> Iterator[Refused]:
        """What was refused, oldest first."""
        last = 0
        while True:
            with self._database.connected() as connection:
                rows = connection.execute(
                    "SELECT seq, kind, key, body, reason, added_at, refused_at FROM refused WHERE seq > ?"
                    " ORDER BY seq LIMIT 500",
                    (last,),
                ).fetchall()
            for last, kind, key, body, reason, added_at, refused_at in rows:  # noqa: B007
                yield Refused(kind, key, item_of(body), Reason(**json.loads(reason)), added_at, refused_at)
            if not rows:
                return

    def replay(self, keys: Sequence[str] | None) -> int:
        """Let refused items, or those with some keys, wait again; returns how many."""
        count = 0
        with self._database.transaction() as connection:
            for seq, key in connection.execute("SELECT seq, key FROM refused").fetchall():
                if keys is None or key in keys:
                    moved = connection.execute(
                        "INSERT OR IGNORE INTO items (seq, kind, key, is_own, body, added_at)"
                        " SELECT seq, kind, key, is_own, body, added_at FROM refused WHERE seq = ?",
                        (seq,),
                    ).rowcount
                    connection.execute("DELETE FROM refused WHERE seq = ?", (seq,))
                    count += moved
                    _count(connection, "erased", 1 - moved)  # the same key was added again since
        return count

    def erase(self, is_meant: Callable[[Mapping[str, Any]], bool]) -> int:
        """Delete the items that `is_meant` picks, refused ones, too, without a trace in the file; returns how many.

        OutboxLocked if another program reads for so long that the log keeps their bytes: then call it again.
        """
        count = 0
        with self._database.transaction() as connection:
            for table in ("items", "refused"):
                with closing(connection.execute(f"SELECT seq, body FROM {table}")) as rows:  # noqa: S608 - one of two words
                    meant = [(seq,) for seq, body in rows if is_meant(item_of(body))]
                connection.executemany(f"DELETE FROM {table} WHERE seq = ?", meant)  # noqa: S608
                count += len(meant)
            _count(connection, "erased", count)
        with self._database.connected() as connection:
            (is_busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()  # the log has them still
        if is_busy:
            raise OutboxLocked("the items are deleted, but another program keeps the log that has their bytes")
        return count

    def counts(self) -> Counts:
        """How many items are where."""
        with self._database.connected() as connection:
            connection.execute("BEGIN")
            try:
                state = dict(connection.execute("SELECT name, value FROM state").fetchall())
                pending, oldest = connection.execute("SELECT count(*), min(added_at) FROM items").fetchone()
                (refused,) = connection.execute("SELECT count(*) FROM refused").fetchone()
                added = _added(connection)
            finally:
                connection.execute("COMMIT")
        sent, expired, erased = (int(state.get(name, 0)) for name in _COUNTED)
        age = None if oldest is None else max(0.0, time.time() - oldest)
        skew = state.get("clock_skew")
        return Counts(added, sent, refused, pending, expired, erased, age, str(state.get("last_error", "")), skew)


def _refuse(connection: sqlite3.Connection, row: Row, reason: Reason, now: float) -> None:
    text = json.dumps(asdict(reason))
    moved = connection.execute(
        "INSERT OR REPLACE INTO refused SELECT seq, kind, key, is_own, body, added_at, ?, ?, ? FROM items"
        " WHERE seq = ? AND key = ?",
        (now, reason.status, text, row.seq, row.key),
    ).rowcount
    if moved:
        connection.execute("DELETE FROM items WHERE seq = ?", (row.seq,))


def _added(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'items'").fetchone()
    return found[0] if found else 0


def _count(connection: sqlite3.Connection, name: str, more: int) -> None:
    if more:
        connection.execute(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (name, more),
        )
