"""The hubs as a list for operators: by name, with the state of each, and when it was last seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal, get_args
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, exists, select

from db.tables import hub_totals, hubs

SEARCHED = 10_000
"""The names that one search looks through."""
State = Literal["active", "disabled", "cut over", "never seen"]
STATES: tuple[State, ...] = get_args(State)
"""Filters: the keys of an active hub are accepted."""
_IS_SEEN = exists().where(hub_totals.c.hub_id == hubs.c.id)
_CONDITIONS: Mapping[State, tuple[ColumnElement[bool], ...]] = {
    "active": (hubs.c.disabled_at.is_(None), hubs.c.cut_over_at.is_(None)),
    "disabled": (hubs.c.disabled_at.is_not(None),),
    "cut over": (hubs.c.cut_over_at.is_not(None),),
    "never seen": (~_IS_SEEN,),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A hub in the list. `last_seen_at` is None if it never sent a request with its key or a token."""

    id: UUID
    name: str
    created_at: datetime
    disabled_at: datetime | None
    cut_over_at: datetime | None
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Hubs by name; `next_after` is the name after which the next page begins, None after the last one."""

    hubs: list[Listed]
    next_after: str | None


def page(connection: Connection, state: State | None, part: str, after: str | None, limit: int) -> Page:
    """At most `limit` hubs in `state`, any if None, with `part` in their names, after the name `after`, by name.

    Case does not count. After SEARCHED names a page ends, even if it is empty.
    """
    if not state and not part:
        statement = select(hubs.c.name).order_by(hubs.c.name).limit(limit + 1)
        names = connection.scalars(statement if after is None else statement.where(hubs.c.name > after)).all()
        return Page(_listed(connection, names[:limit]), names[limit - 1] if len(names) > limit else None)
    names, folded = _matching(connection, state, after), part.casefold()
    matching = list(islice((name for name in names if folded in name.casefold()), limit + 1))
    if len(matching) > limit:
        return Page(_listed(connection, matching[:limit]), matching[limit - 1])
    return Page(_listed(connection, matching), names[-1] if len(names) == SEARCHED else None)


def names(connection: Connection) -> tuple[str, ...]:
    """The first SEARCHED names."""
    return tuple(_matching(connection, None, None))


def _matching(connection: Connection, state: State | None, after: str | None) -> Sequence[str]:
    """The first SEARCHED names in `state`.

    They are read in the order of the table and sorted then: in the order of names each would be another block.
    """
    read = select(hubs.c.name).where(*(_CONDITIONS[state] if state else ())).cte("read").prefix_with("MATERIALIZED")
    statement = select(read.c.name).order_by(read.c.name).limit(SEARCHED)
    return connection.scalars(statement if after is None else statement.where(read.c.name > after)).all()


def _listed(connection: Connection, names: Sequence[str]) -> list[Listed]:
    columns = hubs.c.id, hubs.c.name, hubs.c.created_at, hubs.c.disabled_at, hubs.c.cut_over_at
    statement = (
        select(*columns, hub_totals.c.last_seen_at)
        .outerjoin(hub_totals, hub_totals.c.hub_id == hubs.c.id)
        .where(hubs.c.name.in_(names))
        .order_by(hubs.c.name)
    )
    return [Listed(*row) for row in connection.execute(statement)]
