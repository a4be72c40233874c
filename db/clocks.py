"""The two clocks that rows depend on: that of this process, which makes ids, and that of the database."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select


def both(connection: Connection) -> tuple[datetime, datetime]:
    """The time by the slower and by the faster clock.

    Either may be weeks off for a while. What is deleted for its age is old by both, and what is made ahead of time is
    there for both.
    """
    ours, theirs = datetime.now(UTC), connection.execute(select(func.now())).scalar_one()
    return min(ours, theirs), max(ours, theirs)
