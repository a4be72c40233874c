"""Pages of a hub's submissions in the order of positions: each row once, however many are written in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, LargeBinary, RowMapping, Select, Table, func, select

from db import positions
from db.partitions import lowest_id
from db.row_sizes import row_size

PAGE_BYTES = 1024 * 1024
"""Of texts and JSON in a page, beside those of its last row."""
FETCHED_ROWS = 32
SCANNED_ROWS = 20_000
"""Read for one page at most: if few of them match, the page says where the next one begins."""
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_CLOCKS_DIFFER_BY = timedelta(days=1)
"""A row's id has about the time of its receipt; this is far more than the two may differ."""


@dataclass(frozen=True, slots=True)
class Query:
    """Selects rows of positions beyond `after`, and not beyond `until`.

    `equal` has values by column; the range of `occurred_at` has its start and not its end.
    """

    hub_id: UUID
    equal: dict[str, Any] = field(default_factory=dict)
    occurred_from: datetime | None = None
    occurred_until: datetime | None = None
    received_since: datetime | None = None
    after: int = 0
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, the position after which the next page begins, and whether there are more rows.

    `size` of a row is the number of bytes of its texts and JSON; in place of bytes it has their number as `bytes`.
    """

    rows: Sequence[RowMapping]
    last: int
    has_more: bool


def page(connection: Connection, table: Table, query: Query, limit: int) -> Page:
    """At most `limit` rows of `table` that match `query`; a page may have none although there are more."""
    scanned = _scanned(table, query, positions.horizon(connection)).subquery()
    conditions = list(_conditions(scanned.c, query))
    chosen = select(scanned, row_size(scanned.c)).where(*conditions).order_by(scanned.c.position)
    rows, is_full = _filled(connection, chosen, limit)
    last, count = (rows[-1]["position"] if rows else query.after), len(rows)
    if conditions and not is_full:
        last, count = connection.execute(select(func.max(scanned.c.position), func.count())).one()
        # If rows were deleted in between, later ones moved into the scan unread: read again, up to its last row.
        rows, is_full = _filled(connection, chosen.where(scanned.c.position <= (last or 0)), limit)
    if is_full:
        return Page(rows, rows[-1]["position"], has_more=True)
    return Page(rows, query.after if last is None else last, has_more=count == SCANNED_ROWS)


def _filled(connection: Connection, chosen: Select[Any], limit: int) -> tuple[list[RowMapping], bool]:
    """The rows of a page, and whether it is full."""
    rows: list[RowMapping] = []
    size = 0
    with connection.execute(chosen.limit(limit + 1).execution_options(yield_per=FETCHED_ROWS)).mappings() as matching:
        for row in matching:
            if len(rows) == limit or size > PAGE_BYTES:
                return rows, True
            rows.append(row)
            size += row["size"]
    return rows, False


def get(connection: Connection, table: Table, hub_id: UUID, identifier: UUID) -> RowMapping | None:
    """The row `identifier` of `table`, if it is the hub's."""
    return (
        connection.execute(select(table).where(table.c.id == identifier, table.c.hub_id == hub_id)).mappings().first()
    )


def _scanned(table: Table, query: Query, horizon: int) -> Select[Any]:
    """The hub's next rows, without the other conditions of `query`."""
    until = horizon if query.until is None else min(horizon, query.until)
    statement = select(*_lengths_for_bytes(table)).where(
        table.c.hub_id == query.hub_id, table.c.position > query.after, table.c.position <= until
    )
    if query.received_since is not None and query.received_since > _EARLIEST:  # spares older partitions
        statement = statement.where(table.c.id >= lowest_id(query.received_since - _CLOCKS_DIFFER_BY))
    return statement.order_by(table.c.position).limit(SCANNED_ROWS)


def _lengths_for_bytes(table: Table) -> Iterator[ColumnElement[Any]]:
    """The columns of `table`; in place of one of bytes, their number as `bytes`."""
    for column in table.columns:
        yield func.octet_length(column).label("bytes") if isinstance(column.type, LargeBinary) else column


def _conditions(columns: Any, query: Query) -> Iterator[ColumnElement[bool]]:
    yield from (columns[name] == value for name, value in query.equal.items())
    if query.occurred_from is not None:
        yield columns.occurred_at >= query.occurred_from
    if query.occurred_until is not None:
        yield columns.occurred_at < query.occurred_until
    if query.received_since is not None:
        yield columns.received_at >= query.received_since
