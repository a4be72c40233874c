"""Submissions of all hubs, newest first, to try a contract on.

Rows are in the order of ids, which begin with the time of receipt: ids have an index, positions over all hubs have
none. Each page is a separate statement, so that no lock is held between two pages.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, Text, Uuid, cast, func, select

from db.row_sizes import row_size

PAGE_BYTES = 256 * 1024
"""Limit on the texts, JSON and bytes in a page, apart from its last row."""
PAGE_ROWS = 1000
STRETCH_ROWS = 20_000
"""Rows that one statement of a search looks through."""


def count(connection: Connection, table: Table, last: int) -> int:
    """The number of rows of `table`, at most `last`."""
    newest = _newest(table, None, last).with_only_columns(table.c.id).subquery()
    number: int = connection.execute(select(func.count()).select_from(newest)).scalar_one()
    return number


def page(
    connection: Connection, table: Table, before: UUID | None, limit: int, *where: ColumnElement[bool]
) -> Sequence[RowMapping]:
    """At most `limit` of the newest rows of `table`, or of those before the row `before`, with UUIDs as text.

    Only rows that satisfy the conditions `where`.
    """
    newest = _newest(table, before, min(limit, PAGE_ROWS), *where).add_columns(row_size(table.columns)).subquery()
    newer = func.sum(newest.c.size).over(order_by=newest.c.id.desc()) - newest.c.size
    measured = select(newest, newer.label("newer_bytes")).subquery()
    columns = [_uuid_as_text(measured.c[column.name]) for column in table.columns]
    statement = select(*columns).where(measured.c.newer_bytes <= PAGE_BYTES).order_by(measured.c.id.desc())
    return connection.execute(statement).mappings().all()


def stretch(connection: Connection, table: Table, before: UUID | None, since: UUID) -> UUID | None:
    """The lowest id among the STRETCH_ROWS newest rows of `table` before `before` and from `since` on; None if none.

    A search for few rows looks through one stretch in each statement, so that none takes long.
    """
    ids = _newest(table, before, STRETCH_ROWS, table.c.id >= since).with_only_columns(table.c.id).subquery()
    lowest = select(ids.c.id).order_by(ids.c.id).limit(1)
    found: UUID | None = connection.execute(lowest).scalar_one_or_none()
    return found


def _newest(table: Table, before: UUID | None, limit: int, *where: ColumnElement[bool]) -> Select[Any]:
    statement = select(table).where(*where) if before is None else select(table).where(table.c.id < before, *where)
    return statement.order_by(table.c.id.desc()).limit(limit)


def _uuid_as_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, Text).label(column.key) if isinstance(column.type, Uuid) else column
