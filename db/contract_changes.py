"""Audit log of contract changes, written by triggers, so that it includes plain SQL."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from db.tables import interaction_reporting_contract_changes as changes


@dataclass(frozen=True, slots=True)
class Author:
    """The author of a change, and the reason; an empty name stands for the database's user."""

    name: str = ""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row; the digests are SHA-256 of its document's text, in hexadecimal."""

    changed_at: datetime
    changed_by: str
    reason: str | None
    action: str
    contract_version: str
    status_before: str | None
    status_after: str | None
    digest_before: str | None
    digest_after: str | None


_COLUMNS = (
    changes.c.changed_at,
    changes.c.changed_by,
    changes.c.reason,
    changes.c.action,
    changes.c.contract_version,
    changes.c.status_before,
    changes.c.status_after,
    changes.c.digest_before,
    changes.c.digest_after,
)


def attribute(connection: Connection, action: str, author: Author) -> None:
    """Attribute the changes from here to the end of the transaction to `author`, as parts of `action`."""
    settings = {"changed_by": author.name, "reason": author.reason or "", "action": action}
    connection.execute(
        select(*(func.set_config(f"interaction_reporting.{name}", value, True) for name, value in settings.items()))
    )


def history(connection: Connection) -> list[Change]:
    """All changes, in order."""
    return [Change(*row) for row in connection.execute(select(*_COLUMNS).order_by(changes.c.id))]
