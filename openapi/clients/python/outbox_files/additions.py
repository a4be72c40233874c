"""What threads add: those that add at the same time share a commit, within the bounds of the outbox."""

import sqlite3
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from openapi.clients.python.errors import InvalidItem, OutboxError, OutboxFull
from openapi.clients.python.outbox_files.database import Database
from openapi.clients.python.outbox_files.items import New

_CHECK_PART = 16
"""The bounds are checked again when a sixteenth of what was free may be used up, or another process wrote."""
_INSERT = "INSERT INTO items (kind, key, is_own, body, added_at) VALUES (?, ?, ?, ?, ?)"


@dataclass(slots=True, eq=False)
class _Waiting:
    """Items of one thread that wait for a commit; `error` says why they are not kept."""

    rows: Sequence[New]
    is_done: bool = False
    error: BaseException | None = None


class Additions:
    """Adds rows for the threads of one process."""

    def __init__(self, database: Database, max_items: int, max_bytes: int) -> None:
        self._database = database
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._free = 0
        self._seen: tuple[sqlite3.Connection, int] | None = None
        self._waiting: deque[_Waiting] = deque()

    def add(self, rows: Sequence[New]) -> None:
        """Add all of `rows`; or none, and raise OutboxError or InvalidItem."""
        mine = _Waiting(rows)
        self._waiting.append(mine)
        try:
            with self._database.held():
                if not mine.is_done:
                    self._commit([self._waiting.popleft() for _ in range(len(self._waiting))], mine)
        finally:
            if not mine.is_done:  # the thread was interrupted
                with suppress(ValueError):
                    self._waiting.remove(mine)
        if mine.error:
            raise mine.error

    def _commit(self, group: list[_Waiting], mine: _Waiting) -> None:
        """Insert the rows of each in `group`, in one transaction; a single row needs no statement to begin one."""
        is_single = len(group) == 1 and len(group[0].rows) == 1
        opened = self._database.connected if is_single else self._database.transaction
        try:
            with opened() as connection:
                if is_single and connection.in_transaction:
                    raise OutboxError("this thread is changing the outbox: add when that is done")
                for each in group:
                    each.error = self._inserted(connection, each.rows)
        except BaseException as error:
            for each in group:
                each.error = error if each is mine else each.error or _copy(error)
        finally:
            for each in group:
                each.is_done = True

    def _inserted(self, connection: sqlite3.Connection, rows: Sequence[New]) -> InvalidItem | OutboxFull | None:
        """Insert the rows of one thread; returns why none of them is kept, None if all are."""
        try:
            self._require_space(connection, len(rows))
        except OutboxFull as error:
            return error
        if len(rows) == 1:
            return _insert(connection, rows[0])
        if not any(row.is_own for row in rows):  # no two keys are equal
            connection.executemany(_INSERT, [(row.kind.name, *row[1:]) for row in rows])
            return None
        connection.execute("SAVEPOINT one")
        fault = None
        for index, row in enumerate(rows):
            if reason := _insert(connection, row):
                fault = InvalidItem(f"/{index}{reason.pointer}", reason.reason)
                connection.execute("ROLLBACK TO one")
                break
        connection.execute("RELEASE one")
        return fault

    def _require_space(self, connection: sqlite3.Connection, count: int) -> None:
        """OutboxFull if `count` more items are too many, or the file is too large already."""
        seen = connection, connection.execute("PRAGMA data_version").fetchone()[0]
        if seen == self._seen and count <= self._free:
            self._free -= count
            return
        items, used = self._items(connection, count), _used(connection)
        if items + count > self._max_items:
            raise OutboxFull(f"the outbox has {items} items, and may have {self._max_items}")
        if used >= self._max_bytes:
            raise OutboxFull(f"the outbox has {used} bytes, and may have {self._max_bytes}")
        room = min(self._max_items - items - count, (self._max_bytes - used) // max(1, used // max(1, items)))
        self._free, self._seen = room // _CHECK_PART, seen

    def _items(self, connection: sqlite3.Connection, count: int) -> int:
        """How many items wait, or as many or more if `count` more are allowed all the same."""
        first, last = connection.execute("SELECT (SELECT min(seq) FROM items), (SELECT max(seq) FROM items)").fetchone()
        most: int = 0 if first is None else last - first + 1
        if most + count <= self._max_items:
            return most
        exactly: int = connection.execute("SELECT count(*) FROM items").fetchone()[0]  # some in between may be gone
        return exactly


def _used(connection: sqlite3.Connection) -> int:
    """The bytes of the file that are in use."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    used: int = (pages - unused) * size
    return used


def _insert(connection: sqlite3.Connection, row: New) -> InvalidItem | None:
    """Insert a row; one that waits already under the same key, and is equal, is left as it is."""
    try:
        connection.execute(_INSERT, (row.kind.name, *row[1:]))
    except sqlite3.IntegrityError:
        (body,) = connection.execute(
            "SELECT body FROM items WHERE kind = ? AND key = ? AND is_own", (row.kind.name, row.key)
        ).fetchone()
        if body != row.body:
            reason = f"an item with the key {row.key!r} waits already, with other content"
            return InvalidItem(f"/{row.kind.key_field}", reason)
    return None


def _copy(error: BaseException) -> OutboxError:
    """An error for another thread than the one that has met `error`."""
    return type(error)(*error.args) if isinstance(error, OutboxError) else OutboxError(f"not kept: {error!r}")
