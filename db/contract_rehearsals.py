"""Rehearsals that pages began: a row says how far one is, and keeps its result."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update

from db.errors import NotFound
from db.ids import new_id
from db.tables import contract_rehearsals as rehearsals

KEPT = 10
"""The rehearsals of a version that stay."""


@dataclass(frozen=True, slots=True)
class ContractRehearsal:
    """One rehearsal, without its result. `document` and `governing_document` are digests of contracts.

    It waits while `total` is None, and runs until `ended_at`; then it has a `fault`, or the counts.
    One of an earlier release has None in place of the counts of stored rows that the contract could not answer with.
    """

    id: UUID
    contract_version: str
    document: str
    last: int
    begun_by: str
    begun_at: datetime
    attempts: int
    total: int | None
    done: int
    ended_at: datetime | None
    fault: str | None
    governing: str | None
    governing_document: str | None
    newly_fails: int | None
    newly_passes: int | None
    unanswerable: int | None
    newly_unanswerable: int | None

    @property
    def status(self) -> str:
        """The state in a word: waiting, running, failed or done."""
        if self.ended_at is None:
            return "waiting" if self.total is None else "running"
        return "failed" if self.fault else "done"


_COLUMNS = tuple(rehearsals.c[field.name] for field in fields(ContractRehearsal))
_IS_UNENDED = rehearsals.c.ended_at.is_(None)


def begin(connection: Connection, version: str, document: str, last: int, begun_by: str) -> UUID:
    """Ask for a rehearsal of the `document` of `version`; the id of the one that waits or runs, if there is one.

    One of another number of submissions is as good: it shows that, and another one can be begun after it.

    Only the newest rehearsals of a version stay.
    """
    is_same = (rehearsals.c.contract_version == version) & (rehearsals.c.document == document)
    if known := connection.scalar(select(rehearsals.c.id).where(is_same, _IS_UNENDED)):
        return UUID(str(known))
    newest = (
        select(rehearsals.c.id)
        .where(rehearsals.c.contract_version == version)
        .order_by(rehearsals.c.begun_at.desc())
        .limit(KEPT - 1)
    )
    connection.execute(
        delete(rehearsals).where(
            rehearsals.c.contract_version == version, ~_IS_UNENDED, rehearsals.c.id.not_in(newest.scalar_subquery())
        )
    )
    identifier = UUID(new_id())
    values = {"id": identifier, "contract_version": version, "document": document, "last": last, "begun_by": begun_by}
    connection.execute(insert(rehearsals).values(values))
    return identifier


def of_version(connection: Connection, version: str) -> list[ContractRehearsal]:
    """The rehearsals of a version, newest first."""
    statement = select(*_COLUMNS).where(rehearsals.c.contract_version == version).order_by(rehearsals.c.begun_at.desc())
    return [ContractRehearsal(*row) for row in connection.execute(statement.limit(2 * KEPT))]


def get(connection: Connection, identifier: UUID) -> tuple[ContractRehearsal, dict[str, Any] | None]:
    """A rehearsal and its result; NotFound if absent."""
    row = connection.execute(select(*_COLUMNS, rehearsals.c.result).where(rehearsals.c.id == identifier)).one_or_none()
    if row is None:
        raise NotFound("there is no such rehearsal")
    return ContractRehearsal(*row[:-1]), row[-1]


def next_one(connection: Connection) -> ContractRehearsal | None:
    """The oldest rehearsal that waits, or that runs nowhere any more; None without one."""
    row = connection.execute(
        select(*_COLUMNS).where(_IS_UNENDED).order_by(rehearsals.c.begun_at).limit(1)
    ).one_or_none()
    return ContractRehearsal(*row) if row else None


def attempt(connection: Connection, identifier: UUID, total: int) -> None:
    """Count an attempt, which tries `total` submissions from the beginning."""
    _change(connection, identifier, attempts=rehearsals.c.attempts + 1, total=total, done=0)


def take_back(connection: Connection, identifier: UUID) -> None:
    """Let another worker begin again: this attempt does not count."""
    _change(connection, identifier, attempts=rehearsals.c.attempts - 1, total=None, done=0)


def advance(connection: Connection, identifier: UUID, done: int) -> None:
    """Note how many submissions were tried."""
    _change(connection, identifier, done=done)


def finish(connection: Connection, identifier: UUID, outcome: Mapping[str, Any]) -> None:
    """Keep the `outcome`, columns by name: the counts, the result, and what it was compared with."""
    _change(connection, identifier, ended_at=func.now(), **outcome)


def refuse(connection: Connection, identifier: UUID, fault: str) -> None:
    """Say why there is no result."""
    _change(connection, identifier, ended_at=func.now(), fault=fault)


def _change(connection: Connection, identifier: UUID, **values: Any) -> None:
    connection.execute(update(rehearsals).where(rehearsals.c.id == identifier, _IS_UNENDED).values(values))
