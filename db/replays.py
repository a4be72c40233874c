"""Replays: jobs that submit the rejected submissions of a filter again. One worker works on a job, in slices.

The worker that has taken a job writes a heartbeat. When it falls silent another one takes the job over, and from then
on nothing that the first one writes about it counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, case, delete, func, insert, select, text, update

from db import audit, rejected_submissions
from db.advisory_locks import AdvisoryLock, lock
from db.audit import Author
from db.errors import NotFound, Refused
from db.ids import new_id
from db.rejections import NEVER_REPLAYED, RejectionFilter, count_waiting
from db.tables import rejected_submissions as rejected
from db.tables import replays as table

KIND = "rejected submissions"
"""What the audit log calls them."""
TAKEOVER_SECONDS = 15.0
"""A worker that has written no heartbeat for so long is taken for dead."""
KEPT_DAYS = 90
"""Jobs that have ended are forgotten after so many days, when another one begins."""
_LAST_POSITION = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM positions")
_COLUMNS = (
    table.c.id,
    table.c.created_by,
    table.c.why,
    table.c.filter,
    table.c.state,
    table.c.fault,
    table.c.total,
    table.c.stored,
    table.c.rejected,
    table.c.skipped,
    table.c.position,
    table.c.last_position,
    table.c.created_at,
    table.c.started_at,
    table.c.heartbeat_at,
    table.c.finished_at,
)


class TakenOver(Exception):
    """The job was cancelled, or another worker has taken it: nothing was written."""


@dataclass(frozen=True, slots=True)
class Replay:
    """One job. Of `total` rejections some are `stored`, `rejected` again or `skipped`; `fault` says why it failed."""

    id: UUID
    created_by: str
    why: str | None
    filter: Mapping[str, Any]
    state: str
    fault: str | None
    total: int
    stored: int
    rejected: int
    skipped: int
    position: int
    last_position: int
    created_at: datetime
    started_at: datetime | None
    heartbeat_at: datetime | None
    finished_at: datetime | None

    @property
    def done(self) -> int:
        """The rejections that were looked at."""
        return min(self.total, self.stored + self.rejected + self.skipped)

    @property
    def left(self) -> int:
        """Those that were not."""
        return self.total - self.done


@dataclass(frozen=True, slots=True)
class Progress:
    """What a slice came to, up to `position`: `stored_as` and `reasons` by rejection, and how many were skipped."""

    position: int
    stored_as: Mapping[UUID, str]
    reasons: Mapping[UUID, Mapping[str, str | None]]
    skipped: int


def start(connection: Connection, author: Author, asked: RejectionFilter) -> UUID:
    """Begin to replay what waits now and `asked` describes; returns the id of the job.

    If a job for the same filter has not ended it is that one. Refused if nothing waits.
    """
    lock(connection, AdvisoryLock.REPLAYS)
    same = (table.c.filter == asked.values) & table.c.finished_at.is_(None)
    running: UUID | None = connection.scalar(select(table.c.id).where(same).limit(1))
    if running is not None:
        return running
    last = connection.execute(_LAST_POSITION).scalar_one()  # before the count: nothing that is counted is later
    if not (total := count_waiting(connection, asked)):
        raise Refused("no rejection like that waits for a replay")
    is_old = table.c.finished_at < func.now() - timedelta(days=KEPT_DAYS)
    connection.execute(delete(table).where(is_old))
    identifier = UUID(new_id())
    values = {"created_by": author.name, "why": author.reason, "filter": asked.values, "total": total}
    connection.execute(insert(table).values(id=identifier, last_position=last, **values))
    audit.note(connection, author, "replay", KIND, str(identifier), filter=asked.values, total=total)
    return identifier


def find(connection: Connection, identifier: UUID) -> Replay | None:
    """One job; None if it is absent."""
    row = connection.execute(select(*_COLUMNS).where(table.c.id == identifier)).one_or_none()
    return _replay(row) if row else None


def unfinished(connection: Connection, limit: int) -> list[Replay]:
    """The jobs that have not ended, oldest first."""
    statement = select(*_COLUMNS).where(table.c.finished_at.is_(None)).order_by(table.c.created_at).limit(limit)
    return [_replay(row) for row in connection.execute(statement)]


def newest(connection: Connection, limit: int) -> list[Replay]:
    """The jobs that were begun last, newest first."""
    statement = select(*_COLUMNS).order_by(table.c.created_at.desc()).limit(limit)
    return [_replay(row) for row in connection.execute(statement)]


def begun_by(connection: Connection, name: str, limit: int) -> list[Replay]:
    """The newest jobs of the author `name`."""
    statement = select(*_COLUMNS).where(table.c.created_by == name).order_by(table.c.created_at.desc()).limit(limit)
    return [_replay(row) for row in connection.execute(statement)]


def of_hub(connection: Connection, name: str, hub_id: UUID, limit: int) -> list[Replay]:
    """The newest jobs of the author `name`, and those of others for the hub alone."""
    is_theirs = (table.c.created_by == name) | (table.c.filter["hub_id"].astext == str(hub_id))
    statement = select(*_COLUMNS).where(is_theirs).order_by(table.c.created_at.desc()).limit(limit)
    return [_replay(row) for row in connection.execute(statement)]


def cancel(connection: Connection, author: Author, identifier: UUID) -> Replay:
    """End a job; what it has stored stays. Refused if it has ended, NotFound if it is absent."""
    values = {"state": "cancelled", "finished_at": func.now(), "worker": None}
    is_unfinished = (table.c.id == identifier) & table.c.finished_at.is_(None)
    row = connection.execute(update(table).where(is_unfinished).values(values).returning(*_COLUMNS)).one_or_none()
    if row is None:
        if (ended := find(connection, identifier)) is None:
            raise NotFound(f"there is no replay {identifier}")
        raise Refused(f"the replay has ended already: it is {ended.state}")
    replay = _replay(row)
    _note_end(connection, author, "cancel replay", replay)
    return replay


# What workers do


def take(connection: Connection, worker: UUID) -> Replay | None:
    """The oldest job that no living worker works on: from now on `worker` does. None if there is none."""
    is_silent = table.c.heartbeat_at < func.clock_timestamp() - timedelta(seconds=TAKEOVER_SECONDS)
    is_free = table.c.finished_at.is_(None) & (table.c.worker.is_(None) | is_silent)
    free = select(table.c.id).where(is_free).order_by(table.c.created_at).limit(1).with_for_update(skip_locked=True)
    values = {
        "worker": worker,
        "state": "running",
        "heartbeat_at": func.clock_timestamp(),
        "started_at": func.coalesce(table.c.started_at, func.now()),
    }
    statement = update(table).where(table.c.id == free.scalar_subquery()).values(values).returning(*_COLUMNS)
    row = connection.execute(statement).one_or_none()
    return _replay(row) if row else None


def beat(connection: Connection, identifier: UUID, worker: UUID) -> None:
    """Note that the worker lives."""
    _write(connection, identifier, worker, {})


def rows(connection: Connection, replay: Replay, position: int, limit: int) -> Sequence[RowMapping]:
    """The next rejections of a job after `position`, oldest first, without their content."""
    chosen = (
        select(rejected.c.id)
        .where(rejected.c.replayed_at.is_(None), rejected.c.kind.not_in(NEVER_REPLAYED))
        .where(rejected.c.position > position, rejected.c.position <= replay.last_position)
        .where(*RejectionFilter.of(replay.filter).conditions())
        .order_by(rejected.c.position)
        .limit(limit)
    )
    columns = *rejected_submissions.COLUMNS, rejected.c.hub_id, rejected.c.contract_version, rejected.c.position
    statement = select(*columns).where(rejected.c.id.in_(chosen)).order_by(rejected.c.position)
    return connection.execute(statement).mappings().all()


def settle(connection: Connection, identifier: UUID, worker: UUID, progress: Progress) -> Replay:
    """Record what a slice came to, and count it, in one transaction; TakenOver if the worker has lost the job."""
    counts = {
        "stored": table.c.stored + len(progress.stored_as),
        "rejected": table.c.rejected + len(progress.reasons),
        "skipped": table.c.skipped + progress.skipped,
        "position": progress.position,
    }
    replay = _write(connection, identifier, worker, counts)
    rejected_submissions.settle(connection, progress.stored_as, progress.reasons)
    return replay


def finish(connection: Connection, identifier: UUID, worker: UUID, fault: str | None = None) -> Replay:
    """Record that nothing is left, or that the job has failed for a `fault`; the audit log gets the outcome."""
    left = table.c.total - table.c.stored - table.c.rejected
    values: dict[str, Any] = {"state": "failed" if fault else "finished", "fault": fault, "finished_at": func.now()}
    if not fault:  # what no longer waited when its turn came was not tried either
        values["skipped"] = case((left > table.c.skipped, left), else_=table.c.skipped)
    replay = _write(connection, identifier, worker, {**values, "worker": None})
    _note_end(connection, Author(replay.created_by, replay.why), "finish replay", replay)
    return replay


def release(connection: Connection, worker: UUID) -> None:
    """Give back what a worker that ends works on, so that another one goes on at once."""
    is_own = (table.c.worker == worker) & table.c.finished_at.is_(None)
    connection.execute(update(table).where(is_own).values(worker=None))


def _write(connection: Connection, identifier: UUID, worker: UUID, values: Mapping[str, Any]) -> Replay:
    """Change a job that `worker` works on; TakenOver if it no longer does."""
    is_own = (table.c.id == identifier) & (table.c.worker == worker) & table.c.finished_at.is_(None)
    changed = {"heartbeat_at": func.clock_timestamp(), **values}
    row = connection.execute(update(table).where(is_own).values(changed).returning(*_COLUMNS)).one_or_none()
    if row is None:
        raise TakenOver
    return _replay(row)


def _replay(row: Any) -> Replay:
    return Replay(**row._mapping)


def _note_end(connection: Connection, author: Author, action: str, replay: Replay) -> None:
    """Tell the audit log who began the job, with which filter, and what came of it."""
    counts = {name: getattr(replay, name) for name in ("total", "stored", "rejected", "skipped")}
    outcome = {"state": replay.state, "fault": replay.fault, "begun_by": replay.created_by, **counts}
    audit.note(connection, author, action, KIND, str(replay.id), filter=dict(replay.filter), **outcome)
