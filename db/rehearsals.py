"""What hubs have submitted, newest first, whichever hub it was: what a contract can be tried on.

The order is that of ids, in which the time of receipt stands: there is an index for it, and none of positions over all
hubs. Each page is a statement of its own, so that nothing is held up between two of them.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, Text, Uuid, cast, func, select

from db.row_sizes import row_size

PAGE_BYTES = 256 * 1024
"""How much a page has of texts, JSON and bytes, and of one row more."""
PAGE_ROWS = 1000


def count(connection: Connection, table: Table, last: int) -> int:
    """How many rows `table` has, or `last` if it has more."""
    newest = _newest(table, None, last).with_only_columns(table.c.id).subquery()
    number: int = connection.execute(select(func.count()).select_from(newest)).scalar_one()
    return number


def page(connection: Connection, table: Table, before: UUID | None, limit: int) -> Sequence[RowMapping]:
    """The newest rows of `table`, or those before the row `before`: none if there is none, and at most `limit`.

    UUIDs are texts in them.
    """
    newest = _newest(table, before, min(limit, PAGE_ROWS)).add_columns(row_size(table.columns)).subquery()
    newer = func.sum(newest.c.size).over(order_by=newest.c.id.desc()) - newest.c.size
    measured = select(newest, newer.label("newer_bytes")).subquery()
    columns = [_uuid_as_text(measured.c[column.name]) for column in table.columns]
    chosen = select(*columns).where(measured.c.newer_bytes <= PAGE_BYTES).order_by(measured.c.id.desc())
    return connection.execute(chosen).mappings().all()


def _newest(table: Table, before: UUID | None, limit: int) -> Select[Any]:
    chosen = select(table) if before is None else select(table).where(table.c.id < before)
    return chosen.order_by(table.c.id.desc()).limit(limit)


def _uuid_as_text(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(column, Text).label(column.key) if isinstance(column.type, Uuid) else column
