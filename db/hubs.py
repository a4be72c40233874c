"""Hubs: the systems that report, and the digests of their API keys."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import Connection, case, func, select, update
from sqlalchemy.dialects import postgresql

from db import keys
from db.errors import NotFound, Refused
from db.tables import hubs

HIGHEST_RATE = 10**8
"""Limit on the rate limit of a hub, in items a second."""
_OVERLAPS = hubs.c.previous_key_until > func.now()
_COLUMNS = (
    hubs.c.id,
    hubs.c.name,
    hubs.c.created_at,
    hubs.c.rotated_at,
    hubs.c.disabled_at,
    hubs.c.rate_limit,
    hubs.c.cut_over_at,
    hubs.c.cut_over_why,
    case((_OVERLAPS & hubs.c.disabled_at.is_(None) & hubs.c.cut_over_at.is_(None), hubs.c.previous_key_until)).label(
        "previous_key_until"
    ),
)


@dataclass(frozen=True, slots=True)
class Hub:
    """One registered hub; `rate_limit` is in items a second, None for the service's default.

    From `cut_over_at` on its keys are refused, because it has moved to access tokens. The key before the last rotation
    is also accepted until `previous_key_until`, None if it is refused now.
    """

    id: UUID
    name: str
    created_at: datetime
    rotated_at: datetime | None
    disabled_at: datetime | None
    rate_limit: int | None
    cut_over_at: datetime | None = None
    cut_over_why: str | None = None
    previous_key_until: datetime | None = None


def create(connection: Connection, name: str) -> tuple[Hub, str]:
    """A new hub and its key, which is not stored; Refused if the name is taken."""
    key = keys.new()
    statement = postgresql.insert(hubs).values(id=uuid_utils.compat.uuid7(), name=name, api_key=keys.digest(key))
    row = connection.execute(
        statement.on_conflict_do_nothing(index_elements=[hubs.c.name]).returning(*_COLUMNS)
    ).one_or_none()
    if row is None:
        raise Refused(f"a hub named {name!r} already exists")
    return Hub(*row), key


def of_key(connection: Connection, key: str) -> Hub | None:
    """The hub that `key` belongs to, as its key or, during an overlap, as the one before; None if disabled."""
    digest = keys.digest(key)
    is_its_key = (hubs.c.api_key == digest) | ((hubs.c.previous_key == digest) & _OVERLAPS)
    row = connection.execute(select(*_COLUMNS).where(is_its_key, hubs.c.disabled_at.is_(None))).one_or_none()
    return Hub(*row) if row else None


def rotate_key(connection: Connection, name: str, overlap: timedelta = timedelta()) -> tuple[Hub, str]:
    """A new key for the hub named `name`; the previous one is accepted for `overlap`, older ones no longer.

    Without an overlap the previous one is refused from now on. A disabled hub stays disabled.
    """
    key = keys.new()
    row = _changed(
        connection,
        name,
        previous_key=hubs.c.api_key if overlap else None,
        previous_key_until=func.now() + overlap if overlap else None,
        api_key=keys.digest(key),
        rotated_at=func.now(),
    )
    return row, key


def disable(connection: Connection, name: str) -> Hub:
    """Refuse the keys of the hub named `name` from now on; its events stay."""
    return _changed(connection, name, disabled_at=func.coalesce(hubs.c.disabled_at, func.now()))


def enable(connection: Connection, name: str) -> Hub:
    """Accept the key of the hub named `name` again, and the previous one if its overlap has not ended."""
    return _changed(connection, name, disabled_at=None)


def limit(connection: Connection, name: str, rate: int | None) -> Hub:
    """Limit the hub named `name` to `rate` items a second; None restores the service's default."""
    return _changed(connection, name, rate_limit=rate)


def get(connection: Connection, name: str) -> Hub:
    """The hub named `name`; NotFound if absent."""
    row = connection.execute(select(*_COLUMNS).where(hubs.c.name == name)).one_or_none()
    return _hub(row, name)


def name_of(connection: Connection, hub_id: UUID) -> str | None:
    """The name of the hub `hub_id`; None if it is absent."""
    return connection.scalar(select(hubs.c.name).where(hubs.c.id == hub_id))


def cut_over(connection: Connection, name: str, why: str | None) -> Hub:
    """Refuse the keys, but not the access tokens, of the hub named `name` from now on."""
    values = {"cut_over_at": func.coalesce(hubs.c.cut_over_at, func.now()), "cut_over_why": why}
    return _changed(connection, name, **{column: value for column, value in values.items() if value is not None})


def restore_key(connection: Connection, name: str) -> Hub:
    """Undo the cut-over of the hub named `name`: accept its key again, as `enable` does."""
    return _changed(connection, name, cut_over_at=None, cut_over_why=None)


def names(connection: Connection, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of these hubs, by id."""
    rows = connection.execute(select(hubs.c.id, hubs.c.name).where(hubs.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


def list_all(connection: Connection) -> list[Hub]:
    """Every hub, oldest first."""
    return [Hub(*row) for row in connection.execute(select(*_COLUMNS).order_by(hubs.c.id))]


def names_after(connection: Connection, after: str, limit: int) -> Sequence[str]:
    """The first `limit` names after a name."""
    return connection.scalars(select(hubs.c.name).where(hubs.c.name > after).order_by(hubs.c.name).limit(limit)).all()


def named(connection: Connection, names: Collection[str]) -> list[Hub]:
    """The hubs with `names`."""
    return [Hub(*row) for row in connection.execute(select(*_COLUMNS).where(hubs.c.name.in_(names)))]


def _changed(connection: Connection, name: str, **values: Any) -> Hub:
    """Set `values` in the row of the hub named `name`; NotFound if absent."""
    statement = update(hubs).where(hubs.c.name == name).values(values).returning(*_COLUMNS)
    return _hub(connection.execute(statement).one_or_none(), name)


def _hub(row: Any, name: str) -> Hub:
    """The hub in `row`; NotFound if None."""
    if row is None:
        raise NotFound(f"there is no hub named {name!r}")
    return Hub(*row)
