"""The file of an outbox: one SQLite connection in a process, behind one lock, and closed before each fork.

A child that went on with the connection of its parent would write to a log that the parent removes (measured with
SQLite 3.40: half of what the child had added was gone).
"""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from openapi.clients.python.errors import OutboxError, OutboxFull, OutboxLocked
from openapi.clients.python.forks import watch
from openapi.clients.python.outbox_files.file_locks import exclusive
from openapi.clients.python.outbox_files.file_systems import require_local
from openapi.clients.python.outbox_files.rescue import take_over

VERSION = 1
"""The layout of the file, as its `user_version`."""
LAYOUT = """
CREATE TABLE items (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, key TEXT NOT NULL, is_own INTEGER NOT NULL,
    body BLOB NOT NULL, added_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, not_before REAL NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX items_with_own_keys ON items (kind, key) WHERE is_own;
CREATE TABLE refused (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, is_own INTEGER NOT NULL, body BLOB NOT NULL,
    added_at REAL NOT NULL, refused_at REAL NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""
_SPOILED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_UNUSABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}


class Database:
    """The connection; it opens when it is needed."""

    def __init__(self, path: Path, *, power_safe: bool, lock_timeout: float, log: logging.Logger) -> None:
        """`lock_timeout` is in seconds. With `power_safe` a commit is on the disk, not only in the system's memory."""
        self._path = path
        self._power_safe = power_safe
        self._lock_timeout = lock_timeout
        self._log = log
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._is_checked = False
        self._left: list[sqlite3.Connection] = []
        self._lost: list[sqlite3.Connection] = []
        watch(self)

    def __del__(self) -> None:
        self._close()

    def before_fork(self) -> None:
        """Wait for the transaction that is under way, and close the file."""
        self._lock.acquire()
        self._save_and_close()

    def after_fork(self, is_child: bool) -> None:
        """Let the parent go on; the child has a lock of its own, because its threads are other ones."""
        if not is_child:
            self._lock.release()
            return
        if self._connection:  # the fork was made outside of Python, and nothing was closed before it
            self._left.append(self._connection)
            self._connection = None
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the file, until it is used again."""
        with self._lock:
            self._save_and_close()

    @contextmanager
    def held(self) -> Generator[None, None, None]:
        """The lock of the connection, which is for one thread alone."""
        with self._lock:
            yield

    @contextmanager
    def connected(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection, for this thread alone; raises OutboxError."""
        with self._lock, self._translated():
            yield self._opened()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection in a transaction that writes; nothing of it stays if it raises."""
        with self.connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _save_and_close(self) -> None:
        """Close the file; of one that was deleted, the items are saved before."""
        if self._lost or (self._connection and not self._is_there()):
            with suppress(OutboxError), self.connected():
                pass
        self._close()

    def _close(self) -> None:
        for connection in (*self._lost, self._connection):
            if connection:
                connection.close()
        self._lost, self._connection = [], None

    def _opened(self) -> sqlite3.Connection:
        if self._connection and not self._is_there():
            self._lost.append(self._connection)
            self._connection = None
        connection = self._connection = self._connection or self._open_or_put_aside()
        while self._lost:  # what cannot be saved now, as on a full disk, stays for the next time
            count = take_over(self._lost[-1], connection)
            self._lost.pop().close()
            self._log.error("%s was deleted or replaced while it was used; %d items are saved", self._path, count)
        return connection

    def _open_or_put_aside(self) -> sqlite3.Connection:
        with exclusive(self._path):
            try:
                return self._open()
            except sqlite3.DatabaseError as error:
                if _code(error) not in _SPOILED:
                    raise
                self._put_aside(error)
                return self._open()

    def _is_there(self) -> bool:
        """False if the file is another one, or none: it was deleted, or replaced."""
        try:
            status = os.stat(self._path)  # noqa: PTH116 - three times as fast, and called for each item
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _open(self) -> sqlite3.Connection:
        require_local(self._path.parent)
        if not self._path.exists():
            for suffix in ("-wal", "-shm"):  # of a file that was deleted: they would spoil the new one
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
        elif not os.access(self._path, os.W_OK):  # SQLite would open it, and refuse the first item
            raise OutboxError(f"{self._path} cannot be opened and written")
        connection = sqlite3.connect(
            self._path, timeout=self._lock_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        status = self._path.stat()
        self._identity = (status.st_dev, status.st_ino)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise OutboxError(f"{self._path} is of a newer version of this package: update the package")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._power_safe else 'NORMAL'}")
        connection.execute("PRAGMA secure_delete = ON")
        if not self._is_checked:
            result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if result != "ok":
                raise _spoiled(result)
            self._is_checked = True
        if version < VERSION:
            connection.executescript(f"BEGIN IMMEDIATE; {LAYOUT} PRAGMA user_version = {VERSION}; COMMIT")

    def _put_aside(self, error: sqlite3.Error) -> None:
        """Rename a file that cannot be read, so that the next start does not stumble over it again."""
        suffix = time.strftime(".unreadable-%Y%m%dT%H%M%S-", time.gmtime())
        aside = self._path.with_name(f"{self._path.name}{suffix}{uuid4().hex[:8]}")
        self._path.replace(aside)
        for part in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                self._path.with_name(self._path.name + part).replace(aside.with_name(aside.name + part))
        self._is_checked = True
        self._log.error("%s cannot be read (%s): it is now %s, and a new one takes its place", self._path, error, aside)

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        """Raise OutboxError for an error of SQLite; a file that turns out to be spoiled is put aside."""
        try:
            yield
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error as error:
            code = _code(error)
            if code in _SPOILED:
                if self._connection:
                    self._connection.close()
                    self._connection = None
                with exclusive(self._path):
                    if self._is_there():  # else another process has put it aside
                        self._put_aside(error)
            raise _outbox_error(self._path, code, error) from error
        except OSError as error:
            raise OutboxError(f"{self._path}: {error.strerror}") from error


def _code(error: sqlite3.Error) -> int:
    """The primary result code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _spoiled(reason: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _outbox_error(path: Path, code: int, error: sqlite3.Error) -> OutboxError:
    if code in _FULL:
        return OutboxFull(f"{path} cannot grow, the disk may be full: {error}")
    if code == sqlite3.SQLITE_BUSY:
        return OutboxLocked(f"{path} is locked by another program")
    if code in _UNUSABLE:
        return OutboxError(f"{path} cannot be opened and written: {error}")
    return OutboxError(f"{path}: {error}")
