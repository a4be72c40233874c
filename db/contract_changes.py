"""Audit log of contract changes, written by triggers, so that it includes plain SQL."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from db.tables import interaction_reporting_contract_changes as changes


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


def history(connection: Connection) -> list[Change]:
    """All changes, in order."""
    return [Change(*row) for row in connection.execute(select(*_COLUMNS).order_by(changes.c.id))]


def newest(connection: Connection, limit: int) -> list[Change]:
    """The last changes, at most `limit`, newest first."""
    statement = select(*_COLUMNS).order_by(changes.c.id.desc()).limit(limit)
    return [Change(*row) for row in connection.execute(statement)]
