"""Pages of a hub's submissions in the order of positions: each row once, however many rows are written in between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, LargeBinary, RowMapping, Select, Table, func, select

from db import positions
from db.errors import UnknownPosition
from db.partitions import lowest_id
from db.row_sizes import row_size

PAGE_BYTES = 1024 * 1024
"""Limit on the texts and JSON in a page, apart from its last row."""
FETCHED_ROWS = 32
SCANNED_ROWS = 20_000
"""Limit on the rows read for one page: if few of them match, the page says where the next one begins."""
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_CLOCKS_DIFFER_BY = timedelta(days=1)
"""A row's id has roughly the time of its receipt; the two differ by far less than this."""


@dataclass(frozen=True, slots=True)
class Query:
    """Selects rows with positions after `after`, up to and including `until`.

    `equal` has values by column; the range of `occurred_at` includes its start but not its end.
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
    """Some rows, the start of the next page (after position `last`), and whether there are more rows.

    `size` of a row is the number of bytes of its texts and JSON; a binary column has its length, as `bytes`, instead.
    """

    rows: Sequence[RowMapping]
    last: int
    has_more: bool


def page(connection: Connection, table: Table, query: Query, limit: int) -> Page:
    """At most `limit` rows of `table` that match `query`; a page may be empty although there are more.

    UnknownPosition if `query` begins after a position that was never given out.
    """
    horizon = positions.horizon(connection)
    if query.after > horizon and not positions.is_given_out(connection, query.after):
        raise UnknownPosition(f"{query.after} is beyond the last position")
    scanned = _scanned(table, query, horizon).subquery()
    conditions = list(_conditions(scanned.c, query))
    statement = select(scanned, row_size(scanned.c)).where(*conditions).order_by(scanned.c.position)
    rows, is_full = _filled(connection, statement, limit)
    last, count = (rows[-1]["position"] if rows else query.after), len(rows)
    if conditions and not is_full:
        last, count = connection.execute(select(func.max(scanned.c.position), func.count())).one()
        # If rows were deleted in between, later ones moved into the scan unread: read again, up to its last row.
        rows, is_full = _filled(connection, statement.where(scanned.c.position <= (last or 0)), limit)
    if is_full:
        return Page(rows, rows[-1]["position"], has_more=True)
    return Page(rows, query.after if last is None else last, has_more=count == SCANNED_ROWS)


def _filled(connection: Connection, statement: Select[Any], limit: int) -> tuple[list[RowMapping], bool]:
    """The rows of a page, and whether it is full."""
    rows: list[RowMapping] = []
    size = 0
    with connection.execute(
        statement.limit(limit + 1).execution_options(yield_per=FETCHED_ROWS)
    ).mappings() as matching:
        for row in matching:
            if len(rows) == limit or size > PAGE_BYTES:
                return rows, True
            rows.append(row)
            size += row["size"]
    return rows, False


def get(connection: Connection, table: Table, hub_id: UUID, identifier: UUID) -> RowMapping | None:
    """The row `identifier` of `table`; None unless it is the hub's own."""
    return (
        connection.execute(select(table).where(table.c.id == identifier, table.c.hub_id == hub_id)).mappings().first()
    )


def _scanned(table: Table, query: Query, horizon: int) -> Select[Any]:
    """The hub's next rows, without the other conditions of `query`."""
    until = horizon if query.until is None else min(horizon, query.until)
    statement = select(*_lengths_for_bytes(table)).where(
        table.c.hub_id == query.hub_id, table.c.position > query.after, table.c.position <= until
    )
    if query.received_since is not None and query.received_since > _EARLIEST:  # skips older partitions
        statement = statement.where(table.c.id >= lowest_id(query.received_since - _CLOCKS_DIFFER_BY))
    return statement.order_by(table.c.position).limit(SCANNED_ROWS)


def _lengths_for_bytes(table: Table) -> Iterator[ColumnElement[Any]]:
    """The columns of `table`; a binary column is replaced by its length in bytes, labelled `bytes`."""
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
