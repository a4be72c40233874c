"""The entries of the event type registry as operators see them: who registered each, and what waits for approval."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, union_all

from db.event_types import SEARCHED
from db.tables import event_type_registry as registry
from db.tables import hubs

STATUSES = ("active", "deprecated", "pending")
WAITS = or_(registry.c.proposal.is_not(None), and_(registry.c.status == "pending", ~registry.c.left_out))
"""That an entry waits for approval, as the index of these says it."""
_name = registry.c.name.collate("C")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `hub` is the name of the hub whose manifest registered it, None if the framework or an operator did.

    A pending entry that its hub has `left_out` of its last manifest does not wait for approval any longer.
    """

    name: str
    description: str
    status: str
    created_at: datetime
    hub_id: UUID | None
    hub: str | None
    version: int
    metadata_schema: dict[str, Any] | None
    proposal: dict[str, Any] | None
    keep_days: int | None
    left_out: bool

    @property
    def is_pending(self) -> bool:
        """True if it waits for its first approval."""
        return self.status == "pending" and not self.left_out

    @property
    def waits(self) -> bool:
        """True if an operator can approve or refuse something."""
        return self.is_pending or self.proposal is not None


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry in a list; `waits` as in Entry."""

    name: str
    description: str
    status: str
    version: int
    hub: str | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is limited to: a part of the name, a status, those that wait, and a hub or the framework."""

    part: str = ""
    status: str = ""
    only_waiting: bool = False
    hub: str = ""
    only_framework: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Entries sorted by name, and the name after which the next page begins; None on the last page."""

    entries: list[Listed]
    next_after: str | None


_COLUMNS = (
    registry.c.name,
    registry.c.description,
    registry.c.status,
    registry.c.created_at,
    registry.c.hub_id,
    hubs.c.name.label("hub"),
    registry.c.version,
    registry.c.metadata_schema,
    registry.c.proposal,
    registry.c.keep_days,
    registry.c.left_out,
)
_WITH_HUBS = registry.outerjoin(hubs, hubs.c.id == registry.c.hub_id)


def get(connection: Connection, name: str) -> Entry | None:
    """The entry `name`, whatever its status; None if absent."""
    statement = select(*_COLUMNS).select_from(_WITH_HUBS).where(registry.c.name == name)
    row = connection.execute(statement).one_or_none()
    return Entry(*row) if row else None


def has_active(connection: Connection) -> bool:
    """True if events can have a type: one is active."""
    return bool(connection.scalar(select(exists().where(registry.c.status == "active"))))


def waiting(connection: Connection, limit: int) -> list[Entry]:
    """The first entries that wait for approval, by name."""
    statement = select(*_COLUMNS).select_from(_WITH_HUBS).where(WAITS).order_by(_name).limit(limit)
    return [Entry(*row) for row in connection.execute(statement)]


def page(connection: Connection, asked: Asked, after: str, limit: int) -> Page:
    """At most `limit` entries that are as `asked`, after the name `after`, in name order.

    Case does not count in the part. After SEARCHED names a page ends, even if it is empty.
    """
    origin = _origin(connection, asked)
    if origin is None:
        return Page([], None)
    if not asked.part:
        names = _names(connection, asked, origin, after, limit + 1)
        return Page(_listed(connection, names[:limit]), names[limit - 1] if len(names) > limit else None)
    names, folded = _names(connection, asked, origin, after, SEARCHED), asked.part.casefold()
    matching = list(islice((name for name in names if folded in name.casefold()), limit + 1))
    if len(matching) > limit:
        return Page(_listed(connection, matching[:limit]), matching[limit - 1])
    return Page(_listed(connection, matching), names[-1] if len(names) == SEARCHED else None)


def _origin(connection: Connection, asked: Asked) -> list[ColumnElement[bool]] | None:
    """The condition on who registered an entry; None if no entry satisfies it."""
    if not asked.hub:
        return [registry.c.hub_id.is_(None)] if asked.only_framework else []
    hub_id = connection.scalar(select(hubs.c.id).where(hubs.c.name == asked.hub))
    return None if hub_id is None or asked.only_framework else [registry.c.hub_id == hub_id]


def _names(
    connection: Connection, asked: Asked, origin: list[ColumnElement[bool]], after: str, limit: int
) -> Sequence[str]:
    """The first `limit` names after `after`. Each status is read by itself: the indexes have them one by one."""
    statuses = [registry.c.status == status for status in STATUSES if asked.status in ("", status)]
    conditions = [and_(WAITS, *statuses) if asked.status else WAITS] if asked.only_waiting else statuses
    parts = [
        select(_name.label("name")).where(condition, *origin, _name > after).order_by(_name).limit(limit)
        for condition in conditions
    ]
    names = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return connection.scalars(select(names.c.name).order_by(names.c.name).limit(limit)).all()


def _listed(connection: Connection, names: Sequence[str]) -> list[Listed]:
    columns = registry.c.name, registry.c.description, registry.c.status, registry.c.version, hubs.c.name, WAITS
    statement = select(*columns).select_from(_WITH_HUBS).where(registry.c.name.in_(names)).order_by(_name)
    return [Listed(*row) for row in connection.execute(statement)]
