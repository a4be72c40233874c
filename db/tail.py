"""The tail: what all hubs have submitted, accepted or rejected, in the one order of positions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    RowMapping,
    Select,
    Table,
    Text,
    Uuid,
    cast,
    desc,
    false,
    func,
    literal,
    null,
    select,
    union_all,
)

from db import positions
from db.errors import UnknownPosition
from db.tables import annotations, hubs, interaction_events, rejected_submissions

PAYLOAD_CHARACTERS = 1000
"""A row has one character of its payload more than this, at most; of a rejection so many bytes."""
LAST_POSITION = 2**63 - 1
SPAN = 5000
"""Limit on the positions that one page with a filter is searched for."""
_EVENT = ("occurred_at", "actor_type", "actor_id", "view_context_ref", "client_event_id", "contract_version")
_ANNOTATION = ("category", "severity", "body", "event_id", "occurred_at", "actor_type", "actor_id", "contract_version")
_NO_TYPE: ColumnElement[Any] = cast(null(), Text)
_JSON = ("metadata", "additional_fields")


@dataclass(frozen=True, slots=True)
class Filters:
    """The rows that a reader asks for; each filter is empty for all. `hub` and the types are names.

    Only events have a type: annotations pass `not_type`, and no `event_type`. `outcome` is accepted or rejected.
    """

    hub: str = ""
    event_type: str = ""
    not_type: str = ""
    outcome: str = ""

    def conditions(self, rows: Table, event_type: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
        """Those on the rows of one table, whose event type is `event_type`."""
        if self.hub:
            yield rows.c.hub_id.in_(select(hubs.c.id).where(hubs.c.name == self.hub))
        if self.event_type:
            yield event_type == self.event_type
        if self.not_type:
            yield event_type.is_distinct_from(self.not_type)
        if self.outcome and (self.outcome == "rejected") != (rows is rejected_submissions):
            yield false()


ALL = Filters()


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in the order of positions. Every row up to `last` is in this page or an earlier one.

    `horizon` is the last position that can be read. A row has `position`, `kind`, `is_accepted`, `id`, `hub`,
    `event_type`, `widget_id`, `received_at`, `batch_index`, `code`, `error`, and the beginning of its content:
    `payload` as text, or `raw` as the bytes that were rejected. What does not apply is None.
    """

    rows: Sequence[RowMapping]
    last: int
    horizon: int

    @property
    def behind(self) -> int:
        """How many positions are left to read; some may have no row."""
        return self.horizon - self.last


@dataclass(frozen=True, slots=True)
class Newest:
    """Rows as in a Page, the newest first: all that are asked for after position `after`, up to `last`."""

    rows: Sequence[RowMapping]
    after: int
    last: int


def horizon(connection: Connection) -> int:
    """The last position that can be read."""
    return positions.horizon(connection)


def page(connection: Connection, after: int, limit: int, asked: Filters = ALL) -> Page:
    """The next rows after position `after`, at most `limit`; UnknownPosition if it was never given out."""
    horizon = positions.horizon(connection)
    if after >= horizon:
        if after > horizon and not positions.is_given_out(connection, after):
            raise UnknownPosition(f"{after} is beyond the last position")
        return Page((), after, horizon)
    until = horizon if asked == ALL else min(horizon, after + SPAN)
    rows = connection.execute(statement(after, until, limit, asked)).mappings().all()
    return Page(rows, rows[-1]["position"] if len(rows) == limit else until, horizon)


def newest(connection: Connection, until: int, limit: int, asked: Filters = ALL) -> Newest:
    """The newest rows up to position `until`, at most `limit`."""
    last = min(until, positions.horizon(connection))
    after = 0 if asked == ALL else max(0, last - SPAN)
    rows = connection.execute(statement(after, last, limit, asked, newest_first=True)).mappings().all()
    return Newest(rows, rows[-1]["position"] - 1 if len(rows) == limit else after, last)


def statement(after: int, until: int, limit: int, asked: Filters = ALL, *, newest_first: bool = False) -> Select[Any]:
    """Selects rows after position `after`, up to and including `until`."""
    parts = []
    for table, event_type, part in (
        (interaction_events, interaction_events.c.event_type, _accepted(interaction_events, "event", _EVENT)),
        (annotations, _NO_TYPE, _accepted(annotations, "annotation", _ANNOTATION)),
        (rejected_submissions, rejected_submissions.c.event_type, _rejected()),
    ):
        position = table.c.position
        within = part.where(position > after, position <= until, *asked.conditions(table, event_type))
        typed = within.add_columns(event_type.label("event_type"))
        parts.append(typed.order_by(desc(position) if newest_first else position).limit(limit).subquery().select())
    rows = union_all(*parts).subquery()
    order = desc(rows.c.position) if newest_first else rows.c.position
    chosen = select(rows).order_by(order).limit(limit).subquery()
    named = select(chosen, hubs.c.name.label("hub")).join(hubs, hubs.c.id == chosen.c.hub_id, isouter=True)
    return named.order_by(desc(chosen.c.position) if newest_first else chosen.c.position)


def _accepted(table: Table, kind: str, columns: Sequence[str]) -> Select[Any]:
    pairs = [part for name in (*columns, *_JSON) for part in (literal(name, Text), table.c[name])]
    payload = func.left(cast(func.jsonb_build_object(*pairs), Text), PAYLOAD_CHARACTERS + 1)
    return select(
        table.c.position,
        literal(kind, Text).label("kind"),
        literal(True).label("is_accepted"),
        table.c.id,
        table.c.hub_id,
        table.c.widget_id,
        table.c.received_at,
        cast(null(), Integer).label("batch_index"),
        cast(null(), Text).label("code"),
        cast(null(), Text).label("error"),
        payload.label("payload"),
        cast(null(), LargeBinary).label("raw"),
    )


def _rejected() -> Select[Any]:
    table = rejected_submissions
    return select(
        table.c.position,
        table.c.kind,
        literal(False).label("is_accepted"),
        table.c.id,
        table.c.hub_id,
        cast(null(), Uuid).label("widget_id"),
        table.c.received_at,
        table.c.batch_index,
        table.c.code,
        func.left(table.c.error, PAYLOAD_CHARACTERS).label("error"),
        cast(null(), Text).label("payload"),
        func.substr(table.c.raw, 1, PAYLOAD_CHARACTERS + 1).label("raw"),
    )
