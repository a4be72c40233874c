"""Erasures: receipts of what was deleted of an actor. Instead of the actor's UUID they have its SHA-256."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_new

from db.ids import new_id
from db.tables import erasures


@dataclass(frozen=True, slots=True)
class Erasure:
    """A receipt. `completed_at` is None if it was interrupted, `repeated_at` if it was done once.

    `rows_deleted` has the rows by table, when it was first done.
    """

    id: UUID
    actor_sha256: str
    why: str | None
    requested_at: datetime
    completed_at: datetime | None
    repeated_at: datetime | None
    rows_deleted: Mapping[str, int]


_COLUMNS = (
    erasures.c.id,
    erasures.c.actor_sha256,
    erasures.c.why,
    erasures.c.requested_at,
    erasures.c.completed_at,
    erasures.c.repeated_at,
    erasures.c.rows_deleted,
)


def begin(connection: Connection, actor_sha256: str, why: str | None) -> UUID:
    """Record an erasure before anything is deleted, so that it is repeated if it is interrupted; returns its id."""
    identifier = UUID(new_id())
    connection.execute(insert(erasures).values(id=identifier, actor_sha256=actor_sha256, why=why))
    return identifier


def complete(connection: Connection, identifier: UUID, rows_deleted: Mapping[str, int]) -> Erasure:
    """Record that all is deleted."""
    values = {"completed_at": func.clock_timestamp(), "rows_deleted": rows_deleted}
    statement = update(erasures).where(erasures.c.id == identifier).values(values).returning(*_COLUMNS)
    return Erasure(*connection.execute(statement).one())


def add(connection: Connection, receipts: Sequence[Erasure]) -> None:
    """Record receipts that a restored database lacks."""
    for receipt in receipts:
        values = {column.name: getattr(receipt, column.name) for column in _COLUMNS}
        connection.execute(insert_new(erasures).values(values).on_conflict_do_nothing())


def repeated(connection: Connection, identifiers: Sequence[UUID]) -> list[Erasure]:
    """Record that erasures were done again; returns them, oldest first."""
    done_at = {"repeated_at": func.clock_timestamp()}
    completed = {"completed_at": func.coalesce(erasures.c.completed_at, func.clock_timestamp())}
    connection.execute(update(erasures).where(erasures.c.id.in_(identifiers)).values(done_at | completed))
    return [erasure for erasure in list_all(connection) if erasure.id in set(identifiers)]


def list_all(connection: Connection) -> list[Erasure]:
    """Every erasure, oldest first."""
    return [Erasure(*row) for row in connection.execute(select(*_COLUMNS).order_by(erasures.c.requested_at))]
