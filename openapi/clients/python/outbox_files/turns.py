"""Whose turn it is to send, and when: written in the file, so that all processes know."""

import os
import sqlite3
import time
from dataclasses import dataclass
from uuid import uuid4

from openapi.clients.python.outbox_files.database import Database

LEASE = 30.0
"""Seconds for which one process sends. Two may send after a clock was set: the service knows what it has stored."""
_LOOK = 2.0
"""Seconds between two looks at whether the process that has the lease lives."""
_LONGEST = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds to wait, 0 if this process may send now, and how many requests have failed since the last success."""

    wait: float
    failures: int


class Turns:
    """The lease of the sender, and the pause that the service or its absence demands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._owner = f"{os.getpid()}:{uuid4()}"
        self._has_lease = False

    def take(self) -> Turn:
        """Take the lease, or extend it, unless another process has it or there is a pause."""
        now = time.time()
        with self._database.transaction() as connection:
            state = dict(connection.execute("SELECT name, value FROM state").fetchall())
            failures = int(state.get("failures", 0))
            pause = _left(float(state.get("pause_until", 0.0)), now, _LONGEST)
            owner = str(state.get("owner", ""))
            lease = _left(float(state.get("lease_until", 0.0)), now, LEASE)
            if owner not in {"", self._owner} and lease and _is_alive(owner):
                self._has_lease = False
                return Turn(min(lease, _LOOK), failures)
            _put(connection, {"owner": self._owner, "lease_until": now + LEASE})
        self._has_lease = True
        return Turn(pause, failures)

    def leave(self) -> None:
        """Let another process send at once."""
        if not self._has_lease:
            return
        self._has_lease = False
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM state WHERE name IN ('owner', 'lease_until')"
                " AND EXISTS (SELECT 1 FROM state WHERE name = 'owner' AND value = ?)",
                (self._owner,),
            )

    def failed(self, reason: str, failures: int, pause: float) -> None:
        """Note a request that failed, and the seconds that no process sends."""
        self.note({"last_error": reason, "failures": failures, "pause_until": time.time() + pause})

    def rest(self, seconds: float) -> None:
        """Let no process send for some seconds, although nothing failed."""
        self.note({"pause_until": time.time() + seconds})

    def note(self, state: dict[str, object]) -> None:
        """Write some of the state."""
        with self._database.transaction() as connection:
            _put(connection, state)


def _put(connection: sqlite3.Connection, state: dict[str, object]) -> None:
    connection.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", list(state.items()))


def _left(until: float, now: float, most: float) -> float:
    """Seconds until `until`; 0 if that is further ahead than it can be, because a clock was set back."""
    left = until - now
    return left if 0 < left <= most else 0.0


def _is_alive(owner: str) -> bool:
    """False if the process of `owner` has ended; of another machine or container, its number may be of another one."""
    if os.name == "posix":
        try:
            os.kill(int(owner.partition(":")[0]), 0)
        except ProcessLookupError:
            return False
        except (PermissionError, ValueError, OverflowError):
            return True
    return True
