"""The widgets as operators see them: a list by id, with a search, and who registered each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import Connection, exists, select

from db.tables import hubs, widgets

SEARCHED = 10_000
"""The widgets that one search looks through."""
Status = Literal["active", "retired"]
STATUSES: tuple[Status, ...] = get_args(Status)
_COLUMNS = (
    widgets.c.id,
    widgets.c.name,
    widgets.c.status,
    widgets.c.created_at,
    hubs.c.name.label("hub"),
    widgets.c.left_out,
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A widget; `hub` is the name of the hub whose manifest registered it, None if an operator did.

    A retired widget that its hub has `left_out` of its last manifest comes back when the hub lists it again.
    """

    id: UUID
    name: str
    status: str
    created_at: datetime
    hub: str | None
    left_out: bool

    @property
    def may_be_retired(self) -> bool:
        """True unless it is retired for good."""
        return self.status == "active" or self.left_out


@dataclass(frozen=True, slots=True)
class Page:
    """Widgets by id; `next_after` is the id after which the next page begins, None after the last one."""

    widgets: list[Listed]
    next_after: UUID | None


def find(connection: Connection, widget_id: UUID) -> Listed | None:
    """The widget with an id, whatever its status; None if absent."""
    listed = _listed(connection, [widget_id])
    return listed[0] if listed else None


def page(connection: Connection, status: Status | None, part: str, after: UUID | None, limit: int) -> Page:
    """At most `limit` widgets of `status`, any if None, with `part` in their names, after the id `after`, by id.

    Case does not count. After SEARCHED widgets a page ends, even if it is empty.
    """
    if not status and not part:
        statement = select(widgets.c.id).order_by(widgets.c.id).limit(limit + 1)
        ids = connection.scalars(statement if after is None else statement.where(widgets.c.id > after)).all()
        return Page(_listed(connection, ids[:limit]), ids[limit - 1] if len(ids) > limit else None)
    # They are read in the order of the table and sorted then: in the order of ids each would be another block.
    read = select(widgets.c.id, widgets.c.name).where(*([widgets.c.status == status] if status else []))
    named = read.cte("read").prefix_with("MATERIALIZED")
    ordered = select(named.c.id, named.c.name).order_by(named.c.id).limit(SEARCHED)
    rows = connection.execute(ordered if after is None else ordered.where(named.c.id > after)).all()
    folded = part.casefold()
    matching = list(islice((row.id for row in rows if folded in row.name.casefold()), limit + 1))
    if len(matching) > limit:
        return Page(_listed(connection, matching[:limit]), matching[limit - 1])
    return Page(_listed(connection, matching), rows[-1].id if len(rows) == SEARCHED else None)


def has_active(connection: Connection) -> bool:
    """True if events can be about a widget: one is active."""
    return bool(connection.scalar(select(exists().where(widgets.c.status == "active"))))


def _listed(connection: Connection, ids: Sequence[UUID]) -> list[Listed]:
    statement = select(*_COLUMNS).outerjoin(hubs, hubs.c.id == widgets.c.hub_id)
    rows = connection.execute(statement.where(widgets.c.id.in_(ids)).order_by(widgets.c.id))
    return [Listed(*row) for row in rows]
