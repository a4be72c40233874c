"""Sweeps: rows of a table are read in the order of their ids, some at a time, to find those that are to be deleted.

No transaction holds locks for long, and no index is needed but the primary key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, text

from db.advisory_locks import AdvisoryLock, lock

ROWS = 5000
"""Rows that a transaction reads at most, and so deletes at most."""
FIRST = UUID(int=0)
END = UUID(int=2**128 - 1)

_READ = """
    WITH seen AS MATERIALIZED (
        SELECT id, hub_id, coalesce({condition}, false) AS is_meant FROM {table}
        WHERE id > :after AND id < :until ORDER BY id LIMIT :limit
    )
    SELECT (SELECT id FROM seen ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM seen),
        ARRAY(SELECT id FROM seen WHERE is_meant ORDER BY id), ARRAY(SELECT DISTINCT hub_id FROM seen WHERE is_meant)
"""


_DELETE = "DELETE FROM {table} WHERE id = ANY(:ids)"


class Swept(NamedTuple):
    """The rows up to the id `last`: how many were read, the ids of those that were deleted, and their hubs."""

    last: UUID | None
    read: int
    deleted: list[UUID]
    hubs: list[UUID]

    @property
    def is_end(self) -> bool:
        """True if no row follows."""
        return self.read < ROWS


@dataclass(frozen=True, slots=True)
class Sweep:
    """Deletes the rows of `table` with ids before `until` for which `condition` holds.

    `condition` is SQL of ours, with parameters for `values`.
    """

    table: str
    condition: str
    values: Mapping[str, Any]
    until: UUID = END

    def after(self, connection: Connection, identifier: UUID) -> Swept:
        """Delete among the next rows after `identifier`. Sweeps take turns, so that they cannot deadlock."""
        lock(connection, AdvisoryLock.DELETIONS)
        bounds = {"after": identifier, "until": self.until, "limit": ROWS}
        statement = text(_READ.format(table=self.table, condition=self.condition))
        swept = Swept(*connection.execute(statement, {**self.values, **bounds}).one())
        if swept.deleted:
            connection.execute(text(_DELETE.format(table=self.table)), {"ids": swept.deleted})
        return swept
