"""The audit log of what operators change. Triggers write it, so that it includes plain SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from db.tables import audit


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a change, the reason, and the address that it came from.

    An empty name stands for the database's user.
    """

    name: str = ""
    reason: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one row: the columns that differ, before and after; None if there was, or is, no such row.

    A secret is in neither, only that it was changed.
    """

    id: int
    at: datetime
    actor: str
    action: str
    kind: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    why: str | None
    address: str | None


def attribute(connection: Connection, action: str, author: Author) -> None:
    """Attribute the changes from here to the end of the transaction to `author`, as parts of `action`."""
    settings = {
        "changed_by": author.name,
        "reason": author.reason or "",
        "action": action,
        "address": author.address or "",
    }
    connection.execute(
        select(*(func.set_config(f"interaction_reporting.{name}", value, True) for name, value in settings.items()))
    )


def leave_out(connection: Connection) -> None:
    """Leave the changes from here to the end of the transaction out of the log: a hub makes them, not an operator."""
    connection.execute(select(func.set_config("interaction_reporting.audit", "off", True)))


def note(connection: Connection, author: Author, action: str, kind: str, subject: str, **after: Any) -> None:
    """Note what changes no row that the log follows, such as a sign-in; `after` says what came of it."""
    values = {
        "actor": author.name,
        "action": action,
        "kind": kind,
        "subject": subject,
        "after": after or None,
        "why": author.reason,
        "address": author.address,
    }
    connection.execute(insert(audit).values(values))


def entries(connection: Connection, limit: int, before: int | None, equal: Mapping[str, str]) -> Sequence[Entry]:
    """The newest entries, at most `limit`, older than the entry `before`; `equal` has values of columns."""
    statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    statement = statement.where(*(audit.c[name] == value for name, value in equal.items()))
    return [Entry(**row) for row in connection.execute(statement).mappings()]
