"""The tail: what all hubs have submitted, accepted or rejected, in the one order of positions."""

from collections.abc import Sequence
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
_EVENT = ("occurred_at", "actor_type", "actor_id", "view_context_ref", "client_event_id", "contract_version")
_ANNOTATION = ("category", "severity", "body", "event_id", "occurred_at", "actor_type", "actor_id", "contract_version")
_JSON = ("metadata", "additional_fields")


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


def horizon(connection: Connection) -> int:
    """The last position that can be read."""
    return positions.horizon(connection)


def page(connection: Connection, after: int, limit: int) -> Page:
    """The next rows after position `after`, at most `limit`; UnknownPosition if it was never given out."""
    last = positions.horizon(connection)
    if after >= last:
        if after > last and not positions.is_given_out(connection, after):
            raise UnknownPosition(f"{after} is beyond the last position")
        return Page((), after, last)
    rows = connection.execute(statement(after, last, limit)).mappings().all()
    return Page(rows, rows[-1]["position"] if len(rows) == limit else last, last)


def newest(connection: Connection, until: int, limit: int) -> Page:
    """The newest rows up to position `until`, at most `limit`, the newest first; `last` is that of the first one.

    The rest, up to the horizon if `until` is LAST_POSITION, has no row.
    """
    last = min(until, positions.horizon(connection))
    rows = connection.execute(statement(0, last, limit, newest_first=True)).mappings().all()
    return Page(rows, last, last)


def statement(after: int, until: int, limit: int, *, newest_first: bool = False) -> Select[Any]:
    """Selects rows after position `after`, up to and including `until`."""
    selects = (
        _accepted(interaction_events, "event", interaction_events.c.event_type, _EVENT),
        _accepted(annotations, "annotation", null(), _ANNOTATION),
        _rejected(),
    )
    parts = []
    for table, part in zip((interaction_events, annotations, rejected_submissions), selects, strict=True):
        position = table.c.position
        within = part.where(position > after, position <= until)
        parts.append(within.order_by(desc(position) if newest_first else position).limit(limit).subquery().select())
    rows = union_all(*parts).subquery()
    order = desc(rows.c.position) if newest_first else rows.c.position
    chosen = select(rows).order_by(order).limit(limit).subquery()
    named = select(chosen, hubs.c.name.label("hub")).join(hubs, hubs.c.id == chosen.c.hub_id, isouter=True)
    return named.order_by(desc(chosen.c.position) if newest_first else chosen.c.position)


def _accepted(table: Table, kind: str, event_type: ColumnElement[Any], columns: Sequence[str]) -> Select[Any]:
    pairs = [part for name in (*columns, *_JSON) for part in (literal(name, Text), table.c[name])]
    payload = func.left(cast(func.jsonb_build_object(*pairs), Text), PAYLOAD_CHARACTERS + 1)
    return select(
        table.c.position,
        literal(kind, Text).label("kind"),
        literal(True).label("is_accepted"),
        table.c.id,
        table.c.hub_id,
        cast(event_type, Text).label("event_type"),
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
        table.c.event_type,
        cast(null(), Uuid).label("widget_id"),
        table.c.received_at,
        table.c.batch_index,
        table.c.code,
        func.left(table.c.error, PAYLOAD_CHARACTERS).label("error"),
        cast(null(), Text).label("payload"),
        func.substr(table.c.raw, 1, PAYLOAD_CHARACTERS + 1).label("raw"),
    )
