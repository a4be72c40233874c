"""What a writer has done since it was made: counted in memory, for an operator."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from db.errors import DatabaseError
from db.histograms import ROWS, SECONDS, Histogram

LOST = "connection"
"""In place of a class of SQLSTATE, for a database that cannot be reached."""


class WriteCounts:
    """The waits of rows, the commits, and the writes that failed, by the class of SQLSTATE."""

    def __init__(self) -> None:
        self.waits = Histogram(SECONDS)
        self.batches = Histogram(ROWS)
        self.commits = Histogram(SECONDS)
        self.errors: Counter[str] = Counter()

    def taken(self, since: Sequence[float], now: float) -> None:
        """The rows that were added at the times `since` are sent `now`."""
        parts = self.waits.parts
        for added_at in since:  # inline: each event passes here
            parts[bisect_left(SECONDS, now - added_at)] += 1
            parts[-1] += now - added_at

    def committed(self, rows: int, seconds: float) -> None:
        """A batch of `rows` was committed, `seconds` after it was sent."""
        self.batches.add(rows)
        self.commits.add(seconds)

    def refused(self, error: DatabaseError) -> None:
        """The database refused a statement."""
        self.errors[error.sqlstate[:2] if error.sqlstate else LOST] += 1

    def lost(self) -> None:
        """The database could be reached until now."""
        self.errors[LOST] += 1
