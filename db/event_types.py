"""The event type registry: the names that events may carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, RowMapping, Select, delete, func, select, union_all, update
from sqlalchemy.dialects.postgresql import insert

from db.advisory_locks import AdvisoryLock, lock
from db.errors import NotFound, Refused
from db.json_text import sorted_text
from db.tables import event_type_deletions as deletions
from db.tables import event_type_registry as registry

PUBLIC = ("active", "deprecated")
"""The statuses of the entries that anybody may see."""
SEARCHED = 10_000
"""Limit on the names that one search looks at: it reads them in the index, some 150 to a block."""


@dataclass(frozen=True, slots=True)
class EventType:
    """One entry of the registry.

    `hub_id` is the hub whose manifest registered it; None if the framework or an operator did.

    `status` is active, deprecated or pending. A pending entry waits for its first approval. An approved entry
    may have a `proposal` that waits: another description, version and metadata_schema. Its events are kept for
    `keep_days` days; None: as long as all others.
    """

    name: str
    description: str
    status: str
    created_at: datetime
    hub_id: UUID | None
    version: int
    proposal: dict[str, Any] | None
    keep_days: int | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry in a list that anybody may see; `is_of_hub` is True if a manifest registered it."""

    name: str
    description: str
    status: str
    version: int
    is_of_hub: bool


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
    registry.c.version,
    registry.c.proposal,
    registry.c.keep_days,
)
_name = registry.c.name.collate("C")
"""Names in the order of their code points, which is that of the index by status."""


def register(connection: Connection, name: str, description: str | None = None) -> EventType:
    """Add an active entry, or reactivate a deprecated one; Refused if an active or pending entry has the name.

    Without `description`, a deprecated entry keeps its own.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    values: dict[str, Any] = {"name": name, "status": "active", "left_out": False, "proposal": None}
    values |= {} if description is None else {"description": description}
    statement = insert(registry).values(values)
    row = connection.execute(
        statement.on_conflict_do_update(
            index_elements=[registry.c.name], set_=values, where=registry.c.status == "deprecated"
        ).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        status = connection.scalar(select(registry.c.status).where(registry.c.name == name))
        state = "is already registered and active" if status == "active" else "waits for approval: approve it"
        raise Refused(f"the event type {name!r} {state}")
    return EventType(*row)


def keep(connection: Connection, name: str, days: int | None) -> EventType:
    """Keep the events of a type for `days` days, or as long as all others; NotFound if it is not registered.

    All of its stored events are looked through again.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    statement = update(registry).where(registry.c.name == name).values(keep_days=days).returning(*_COLUMNS)
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    connection.execute(delete(deletions).where(deletions.c.event_type == name))
    return EventType(*row)


def is_registered(connection: Connection, name: str) -> bool:
    """Whether the registry has an entry of that name, active or not."""
    return connection.scalar(select(registry.c.name).where(registry.c.name == name)) is not None


def deprecate(connection: Connection, name: str) -> EventType:
    """Refuse new events of this type; stored ones stay. NotFound if it is not registered.

    A definition that waits for approval is discarded, and no manifest makes the type active again.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    values = {"status": "deprecated", "left_out": False, "proposal": None}
    row = connection.execute(
        update(registry).where(registry.c.name == name).values(values).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    return EventType(*row)


def approve(connection: Connection, name: str) -> EventType:
    """Activate a pending event type, or put the proposal of an approved one in force; Refused if nothing waits."""
    lock(connection, AdvisoryLock.EVENT_TYPES)
    row = _required(connection, name)
    if (row.status != "pending" or row.left_out) and row.proposal is None:
        raise Refused(f"the event type {name!r} has nothing that waits for approval")
    values = {**(row.proposal or {}), "status": "active", "left_out": False, "proposal": None}
    statement = update(registry).where(registry.c.name == name).values(values).returning(*_COLUMNS)
    return EventType(*connection.execute(statement).one())


def count_waiting(connection: Connection) -> int:
    """The number of entries that wait for approval: new ones, and proposals of approved ones."""
    is_new = (registry.c.status == "pending") & ~registry.c.left_out
    return connection.execute(
        select(func.count()).where(is_new | registry.c.proposal.is_not(None)).select_from(registry)
    ).scalar_one()


def refuse(connection: Connection, name: str) -> EventType:
    """Discard what waits for approval; Refused if nothing waits.

    A pending event type becomes deprecated, so that no manifest submits it again. An approved one stays as it is.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    row = _required(connection, name)
    is_pending = row.status == "pending" and not row.left_out
    if not is_pending and row.proposal is None:
        raise Refused(f"the event type {name!r} has nothing that waits for approval")
    values = {"status": "deprecated" if is_pending else row.status, "proposal": None}
    statement = update(registry).where(registry.c.name == name).values(values).returning(*_COLUMNS)
    return EventType(*connection.execute(statement).one())


def propose(
    connection: Connection, name: str, description: str, version: int, metadata_schema: dict[str, Any] | None
) -> EventType:
    """Let another definition of an active type of the framework wait for approval, in place of one that waits.

    Refused if a hub defines the type, if it is not active, if the version is lower, or if nothing would change.
    """
    lock(connection, AdvisoryLock.EVENT_TYPES)
    row = _required(connection, name)
    definition = {"description": description, "version": version, "metadata_schema": metadata_schema}
    if row.hub_id is not None:
        raise Refused(f"the event type {name!r} belongs to a hub, whose manifest defines it")
    if row.status != "active":
        raise Refused(f"the event type {name!r} is not active: register it first")
    if version < row.version:
        raise Refused(f"the event type {name!r} has version {row.version}: a definition has this or a higher one")
    if _is_same(definition, row.proposal or row):
        raise Refused(f"the event type {name!r} is defined like this already, or waits to be")
    statement = update(registry).where(registry.c.name == name).values(proposal=definition).returning(*_COLUMNS)
    return EventType(*connection.execute(statement).one())


def list_all(connection: Connection) -> list[EventType]:
    """Every entry, by name."""
    return [EventType(*row) for row in connection.execute(select(*_COLUMNS).order_by(registry.c.name))]


def active(connection: Connection, after: str, limit: int) -> Sequence[RowMapping]:
    """At most `limit` active entries with names after `after`, in name order."""
    statement = select(registry).where(registry.c.status == "active", _name > after)
    return connection.execute(statement.order_by(_name).limit(limit)).mappings().all()


def public(connection: Connection, name: str) -> RowMapping | None:
    """The entry `name`; None if absent, or not one that anybody may see."""
    statement = select(registry).where(registry.c.name == name, registry.c.status.in_(PUBLIC))
    return connection.execute(statement).mappings().one_or_none()


def page(connection: Connection, statuses: Sequence[str], part: str, after: str, limit: int) -> Page:
    """At most `limit` entries of `statuses` with `part` in their names, after the name `after`, in name order.

    Case does not count. After SEARCHED names a page ends, even if it is empty.
    """
    if not part:
        names = _names(connection, statuses, after, limit + 1)
        return Page(_listed(connection, names[:limit]), names[limit - 1] if len(names) > limit else None)
    names, folded = _names(connection, statuses, after, SEARCHED), part.casefold()
    matching = list(islice((name for name in names if folded in name.casefold()), limit + 1))
    if len(matching) > limit:
        return Page(_listed(connection, matching[:limit]), matching[limit - 1])
    return Page(_listed(connection, matching), names[-1] if len(names) == SEARCHED else None)


def _required(connection: Connection, name: str) -> Row[*tuple[Any, ...]]:
    """The row of an entry; NotFound if it is not registered."""
    row = connection.execute(select(registry).where(registry.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"the event type {name!r} is not registered")
    return row


def _is_same(definition: Mapping[str, Any], other: Mapping[str, Any] | Row[*tuple[Any, ...]]) -> bool:
    """True if two definitions are equal; as JSON, because in Python True == 1."""
    values = other if isinstance(other, Mapping) else other._mapping
    return sorted_text(definition) == sorted_text({key: values[key] for key in definition})


def _names(connection: Connection, statuses: Sequence[str], after: str, limit: int) -> Sequence[str]:
    """The first `limit` names after `after`. Each status is read by itself, because the index has them one by one."""
    parts = [_of_status(status, after, limit) for status in statuses]
    names = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return connection.scalars(select(names.c.name).order_by(names.c.name).limit(limit)).all()


def _of_status(status: str, after: str, limit: int) -> Select[str]:
    statement = select(_name.label("name")).where(registry.c.status == status, _name > after)
    return statement.order_by(_name).limit(limit)


def _listed(connection: Connection, names: Sequence[str]) -> list[Listed]:
    columns = registry.c.name, registry.c.description, registry.c.status, registry.c.version
    statement = select(*columns, registry.c.hub_id.is_not(None)).where(registry.c.name.in_(names)).order_by(_name)
    return [Listed(*row) for row in connection.execute(statement)]
