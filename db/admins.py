"""The people who operate the service: their names, roles, and the hashes of their passwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from db.advisory_locks import AdvisoryLock, lock
from db.errors import NotFound, Refused
from db.tables import admins, page_sessions

Role = Literal["viewer", "editor", "owner"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what those before it may."""


@dataclass(frozen=True, slots=True)
class Admin:
    """One account. `has_password` is False if only an issuer signs them in; `disabled_at` is None if they may."""

    id: UUID
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool


_COLUMNS = (
    admins.c.id,
    admins.c.name,
    admins.c.role,
    admins.c.created_at,
    admins.c.disabled_at,
    admins.c.password.is_not(None),
)


def create(connection: Connection, name: str, role: Role, password: str | None) -> Admin:
    """A new account, with the hash `password`; Refused if the name is taken, or cannot be part of a path."""
    if name in {".", ".."}:
        raise Refused(f"an admin cannot be named {name!r}: browsers leave it out of a path")
    values = {"id": uuid_utils.compat.uuid7(), "name": name, "role": role, "password": password}
    statement = insert(admins).values(values).on_conflict_do_nothing(index_elements=[admins.c.name])
    row = connection.execute(statement.returning(*_COLUMNS)).one_or_none()
    if row is None:
        raise Refused(f"an admin named {name!r} already exists")
    return Admin(*row)


def get(connection: Connection, name: str) -> Admin:
    """The account `name`; NotFound if absent."""
    return _admin(connection.execute(select(*_COLUMNS).where(admins.c.name == name)).one_or_none(), name)


def named(connection: Connection, names: Sequence[str]) -> Sequence[Admin]:
    """Those of the accounts `names` that exist, in this order."""
    rows = connection.execute(select(*_COLUMNS).where(admins.c.name.in_(names)))
    return sorted((Admin(*row) for row in rows), key=lambda admin: names.index(admin.name))


def password(connection: Connection, name: str) -> str | None:
    """The hash of the password of `name`; None if there is no such account, it has none, or it is disabled."""
    statement = select(admins.c.password).where(admins.c.name == name, admins.c.disabled_at.is_(None))
    return connection.scalar(statement)


def may_sign_in(connection: Connection, admin_id: UUID, hashed: str | None) -> bool:
    """True if an account is not disabled, and still has the password with the hash `hashed`, if one is given.

    The row stays locked until the transaction ends.
    """
    statement = select(admins.c.id).where(admins.c.id == admin_id, admins.c.disabled_at.is_(None))
    if hashed is not None:
        statement = statement.where(admins.c.password == hashed)
    return connection.scalar(statement.with_for_update()) is not None


def set_role(connection: Connection, name: str, role: Role) -> Admin:
    """Give `name` another role, from their next request on; Refused if that leaves no owner."""
    return _changed(connection, name, role=role)


def set_password(connection: Connection, name: str, password: str) -> Admin:
    """Give `name` another password, whose hash is given, and end their sessions."""
    return _signed_out(connection, _changed(connection, name, password=password))


def disable(connection: Connection, name: str) -> Admin:
    """Refuse `name` from now on, and end their sessions; Refused if that leaves no owner."""
    admin = _changed(connection, name, disabled_at=func.coalesce(admins.c.disabled_at, func.now()))
    return _signed_out(connection, admin)


def enable(connection: Connection, name: str) -> Admin:
    """Accept `name` again."""
    return _changed(connection, name, disabled_at=None)


def exist(connection: Connection) -> bool:
    """True if there is an account that is not disabled."""
    return connection.scalar(select(admins.c.id).where(admins.c.disabled_at.is_(None)).limit(1)) is not None


def list_all(connection: Connection) -> Sequence[Admin]:
    """Every account, by name."""
    return [Admin(*row) for row in connection.execute(select(*_COLUMNS).order_by(admins.c.name))]


def _changed(connection: Connection, name: str, **values: Any) -> Admin:
    """Set `values` in the row of `name`; NotFound if absent, Refused if that leaves no owner."""
    lock(connection, AdvisoryLock.ADMINS)
    had_owners = _has_owners(connection)
    statement = update(admins).where(admins.c.name == name).values(values).returning(*_COLUMNS)
    admin = _admin(connection.execute(statement).one_or_none(), name)
    if had_owners and not _has_owners(connection):
        raise Refused(f"{name!r} is the last owner: make another admin an owner first")
    return admin


def _signed_out(connection: Connection, admin: Admin) -> Admin:
    connection.execute(delete(page_sessions).where(page_sessions.c.admin_id == admin.id))
    return admin


def _has_owners(connection: Connection) -> bool:
    owners = select(admins.c.id).where(admins.c.role == "owner", admins.c.disabled_at.is_(None)).limit(1)
    return connection.scalar(owners) is not None


def _admin(row: Any, name: str) -> Admin:
    """The account in `row`; NotFound if None."""
    if row is None:
        raise NotFound(f"there is no admin named {name!r}")
    return Admin(*row)
