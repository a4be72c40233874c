"""Waits for locks, in short tries: behind a session that queues for a lock, all later ones queue, too."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg
import sqlalchemy.exc
from sqlalchemy import Connection, text

from db.engine import Database
from db.errors import Blocked, DatabaseError, Unavailable

T = TypeVar("T")

logger = logging.getLogger(__name__)

TRY_MILLISECONDS = 200
"""How long a try waits for a lock, and so the longest that it makes others wait."""
LONGEST_PAUSE = 2.0
"""In seconds, between two tries."""

_LOOK_SECONDS = 0.1
_LOG_SECONDS = 5
_FOR_WANT_OF_A_LOCK = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

# Never the text of a query, which may have data in it. Without pg_read_all_stats the ages of others are NULL.
_BLOCKERS = text("""
    SELECT coalesce(wanted.mode || ' on ' || wanted.relation::regclass::text, 'a lock'),
        holder.pid, holder.application_name, extract(epoch FROM clock_timestamp() - holder.xact_start)::float
    FROM pg_stat_activity AS waiting
    LEFT JOIN pg_locks AS wanted ON wanted.pid = waiting.pid AND NOT wanted.granted
    CROSS JOIN unnest(pg_blocking_pids(waiting.pid)) AS blocking
    JOIN pg_stat_activity AS holder ON holder.pid = blocking
    WHERE waiting.pid = :pid AND waiting.wait_event_type = 'Lock'
    ORDER BY holder.xact_start
""")


class Patience:
    """Pauses between tries, which grow, with words in the log about what is waited for."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is how long all pauses and tries may take; the time of what succeeds does not count."""
        self._seconds = self._left = seconds
        self._pause = 0.1
        self._next_log = 0.0

    def wait(self, words: str) -> None:
        """Sleep for a pause, because of `words`; Blocked if none is left."""
        if self._left < 0:
            raise Blocked(f"{words}; this has lasted for {self._seconds:g} s: end that session, or try again later")
        if time.monotonic() >= self._next_log:
            logger.warning("%s; trying again", words)
            self._next_log = time.monotonic() + _LOG_SECONDS
        pause = self._pause * random.uniform(0.5, 1)  # noqa: S311 (so that two do not keep step)
        self._left -= pause + TRY_MILLISECONDS / 1000
        self._pause = min(1.5 * self._pause, LONGEST_PAUSE)
        time.sleep(pause)


class LockWaits:
    """What one session waits for, or last waited for."""

    def __init__(self) -> None:
        self.words = "a lock"
        self._next_log = 0.0

    def look(self, observer: Connection, pid: int) -> None:
        """See what the session `pid` waits for, if it waits; log a statement that waits for long."""
        rows = observer.execute(_BLOCKERS, {"pid": pid}).all()
        observer.rollback()
        now = time.monotonic()
        if not rows:
            self._next_log = now + _LOG_SECONDS
            return
        holders = ", ".join(dict.fromkeys(_session(holder, name, age) for _, holder, name, age in rows))
        self.words = f"{rows[0][0]}, which another session holds or waits for: {holders}"
        if now >= self._next_log:
            logger.warning("the migration waits for %s", self.words)
            self._next_log = now + _LOG_SECONDS


@contextmanager
def watched(database: Database, session: Connection) -> Iterator[LockWaits]:
    """What `session` waits for until the end of the block, as seen by a session of its own."""
    pid, waits, is_over = backend_of(session), LockWaits(), threading.Event()

    def watch() -> None:
        if is_over.wait(_LOOK_SECONDS):
            return
        with suppress(DatabaseError), database.session() as observer:  # without it the words say less
            while not is_over.wait(_LOOK_SECONDS):
                waits.look(observer, pid)

    thread = threading.Thread(target=watch, daemon=True, name="lock waits")
    thread.start()
    try:
        yield waits
    finally:
        is_over.set()
        thread.join(1)


def with_locks(
    session: Connection, attempt: Callable[[], T], step: Callable[[], str], waits: LockWaits, limit: float
) -> T:
    """The result of `attempt`, which is repeated until it has its locks; Blocked after `limit` seconds in one `step`.

    `session` is outside a transaction then; what `attempt` has committed stays.
    """
    patience, current = Patience(limit), step()
    while True:
        try:
            return attempt()
        except sqlalchemy.exc.PendingRollbackError:  # of what was to be undone outside a transaction
            raise Unavailable("the session of the migration was lost") from None
        except sqlalchemy.exc.DBAPIError as error:
            session.rollback()
            if not isinstance(error.orig, _FOR_WANT_OF_A_LOCK):
                raise
        if (reached := step()) != current:
            patience, current = Patience(limit), reached
        patience.wait(f"{current} waits for {waits.words}")


def backend_of(session: Connection) -> int:
    """The number of the server process of `session`, which is outside a transaction then."""
    pid = int(session.scalar(text("SELECT pg_backend_pid()")) or 0)
    session.rollback()
    return pid


def _session(pid: int, application: str | None, age: float | None) -> str:
    since = "" if age is None else f", in a transaction for {age:.0f} s"
    return f"pid {pid} ({application or 'unnamed application'}{since})"
