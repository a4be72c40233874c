"""The rejected submissions of all hubs, as operators see them: counted by code, filtered, and one by one.

Every statement reads an index with all columns of its filter, so that few rows are read, however many there are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, select, text

from db.tables import hubs
from db.tables import rejected_submissions as table

KINDS = ("event", "annotation", "event-batch", "annotation-batch")
State = Literal["waiting", "replayed"]
NEVER_REPLAYED = ("event-batch", "annotation-batch")
"""Batches that were refused as a whole: they are no submissions of their own."""

# The codes are found one after the other in the index, and the rows of each are read from it alone.
_BY_CODE = text("""
    WITH RECURSIVE codes AS (
        (SELECT code FROM rejected_submissions WHERE replayed_at IS NULL ORDER BY code LIMIT 1)
        UNION ALL
        SELECT (
            SELECT code FROM rejected_submissions WHERE replayed_at IS NULL AND code > codes.code ORDER BY code LIMIT 1
        ) FROM codes WHERE code IS NOT NULL
    )
    SELECT codes.code, sum(rows)::bigint, count(*), max(newest),
        (SELECT name FROM hubs WHERE id = (array_agg(hub_id ORDER BY rows DESC, hub_id))[1]), max(rows)
    FROM codes CROSS JOIN LATERAL (
        SELECT hub_id, count(*) AS rows, max(received_at) AS newest FROM (
            SELECT hub_id, received_at FROM rejected_submissions WHERE replayed_at IS NULL AND code = codes.code
            ORDER BY code, position DESC LIMIT :limit
        ) AS counted GROUP BY hub_id
    ) AS by_hub
    WHERE codes.code IS NOT NULL
    GROUP BY codes.code ORDER BY sum(rows) DESC, codes.code
""")
MOST_COUNTED = 10_000
"""Of each code so many rejections are counted: the newest."""
MOST_SORTED = 1000
"""Of the replayed rejections of a hub so many are sorted by the time of their replay."""
_COLUMNS = (
    table.c.id,
    table.c.hub_id,
    hubs.c.name.label("hub"),
    table.c.kind,
    table.c.batch_index,
    table.c.code,
    table.c.error,
    table.c.help,
    table.c.pointer,
    table.c.event_type,
    table.c.request_key,
    table.c.contract_version,
    table.c.received_at,
    table.c.attempted_at,
    table.c.replayed_at,
    table.c.replayed_as,
    table.c.position,
    func.octet_length(table.c.raw).label("bytes"),
)


@dataclass(frozen=True, slots=True)
class CodeCount:
    """The rejections with one code that wait for a replay: how many, of how many hubs, and when the newest came.

    `hub` has the most of them, `most`; it is None if that hub is no longer there. Of more than MOST_COUNTED the newest
    are counted.
    """

    code: str
    rows: int
    hubs: int
    newest: datetime
    hub: str | None
    most: int

    @property
    def is_cut(self) -> bool:
        """True if there may be more."""
        return self.rows >= MOST_COUNTED


@dataclass(frozen=True, slots=True)
class RejectionFilter:
    """What rejections have in common; None stands for any value. `ids` are those of single ones."""

    code: str | None = None
    hub_id: UUID | None = None
    event_type: str | None = None
    kind: str | None = None
    ids: tuple[UUID, ...] | None = None

    @property
    def values(self) -> dict[str, Any]:
        """What is not None, as JSON."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {name: str(value) for name, value in given.items() if value is not None and name != "ids"}
        return values | ({"ids": [str(identifier) for identifier in self.ids]} if self.ids is not None else {})

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The filter with these `values`."""
        hub_id = values.get("hub_id")
        ids = values.get("ids")
        return cls(
            values.get("code"),
            UUID(hub_id) if hub_id else None,
            values.get("event_type"),
            values.get("kind"),
            tuple(map(UUID, ids)) if ids is not None else None,
        )

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter in SQL."""
        names = ("code", "hub_id", "event_type", "kind")
        equal = [table.c[name] == value for name in names if (value := getattr(self, name)) is not None]
        return [*equal, table.c.id.in_(self.ids)] if self.ids is not None else equal


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejection of a hub, without its content; `hub` is None if the hub is no longer there."""

    id: UUID
    hub_id: UUID
    hub: str | None
    kind: str
    batch_index: int | None
    code: str
    error: str
    help: str
    pointer: str | None
    event_type: str | None
    request_key: str | None
    contract_version: str
    received_at: datetime
    attempted_at: datetime | None
    replayed_at: datetime | None
    replayed_as: UUID | None
    position: int
    bytes: int

    @property
    def may_be_replayed(self) -> bool:
        """True if it waits for a replay, and is no whole batch."""
        return self.replayed_at is None and self.kind not in NEVER_REPLAYED


def by_code(connection: Connection) -> list[CodeCount]:
    """The rejections that wait for a replay, by code: the most frequent one first."""
    return [CodeCount(*row) for row in connection.execute(_BY_CODE, {"limit": MOST_COUNTED})]


def page(
    connection: Connection, asked: RejectionFilter, state: State, before: int | None, limit: int
) -> Sequence[Rejection]:
    """The newest rejections of a filter, at most `limit`, with positions lower than `before`."""
    chosen = _rows(asked, state).order_by(table.c.position.desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(table.c.position < before)
    statement = _with_hub().where(table.c.id.in_(chosen.with_only_columns(table.c.id)))
    return [Rejection(**row) for row in connection.execute(statement.order_by(table.c.position.desc())).mappings()]


def replayed_last(connection: Connection, hub_id: UUID, limit: int) -> Sequence[Rejection]:
    """The `limit` rejections of a hub that were replayed last, by the hub or by an operator.

    Of the replayed ones the MOST_SORTED that were received last are looked at.
    """
    replayed = _rows(RejectionFilter(hub_id=hub_id), "replayed").add_columns(table.c.replayed_at, table.c.position)
    looked_at = replayed.order_by(table.c.position.desc()).limit(MOST_SORTED).subquery()
    order = looked_at.c.replayed_at.desc(), looked_at.c.position.desc()
    chosen = select(looked_at.c.id).order_by(*order).limit(limit)
    newest_first = table.c.replayed_at.desc(), table.c.position.desc()
    statement = _with_hub().where(table.c.id.in_(chosen)).order_by(*newest_first)
    return [Rejection(**row) for row in connection.execute(statement).mappings()]


def find(connection: Connection, identifier: UUID) -> tuple[Rejection, bytes] | None:
    """One rejection and its content; None if it is absent."""
    row = connection.execute(_with_hub(table.c.raw).where(table.c.id == identifier)).mappings().one_or_none()
    if row is None:
        return None
    values = dict(row)
    raw = bytes(values.pop("raw"))
    return Rejection(**values), raw


def count_waiting(connection: Connection, asked: RejectionFilter) -> int:
    """The rejections of a filter that a replay would try."""
    rows = _rows(asked, "waiting").where(table.c.kind.not_in(NEVER_REPLAYED))
    return int(connection.execute(rows.with_only_columns(func.count())).scalar_one())


def _rows(asked: RejectionFilter, state: State) -> Select[Any]:
    is_waiting = table.c.replayed_at.is_(None) if state == "waiting" else table.c.replayed_at.is_not(None)
    return select(table.c.id).where(is_waiting, *asked.conditions())


def _with_hub(*more: ColumnElement[Any]) -> Select[Any]:
    return select(*_COLUMNS, *more).join_from(table, hubs, hubs.c.id == table.c.hub_id, isouter=True)
