"""Runs the rehearsals that pages began, one after the other, in one process among all workers and replicas.

A rehearsal goes on when the page is closed. If its worker ends, another one begins it again.
"""

import asyncio
import dataclasses
import logging
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from db import contract_rehearsals, contracts
from db.advisory_locks import AdvisoryLock, try_session_lock
from db.background import running_task
from db.contract_rehearsals import ContractRehearsal
from db.engine import Database
from db.errors import DatabaseError, NotFound
from handlers.contracts.rehearsing.records import UnanswerableRow
from handlers.contracts.rehearsing.rehearsals import (
    NEWLY_FAILS,
    NEWLY_PASSES,
    OUTCOMES,
    UNCHANGED,
    Example,
    Group,
    Rehearsal,
    rehearse,
    total,
)
from handlers.contracts.serving_plan import read
from openapi.contract import Contract, ContractError

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 2
"""Attempts that may end with their worker, before a rehearsal counts as one that cannot be done."""
MOST_GROUPS = 500
"""Limit on the groups in a row, those with most failures first."""
LOOK_SECONDS = 10.0
"""Between two looks: another process may have taken a rehearsal with it when it ended."""
ADVANCE_SECONDS = 0.5
"""Between two notes of the progress."""
LONGEST_PAUSE = 0.05
"""After a page of submissions the thread pauses as long as that took, at most so many seconds: requests go on."""


class _Stopped(Exception):
    """The worker is about to end."""


class RehearsalRuns:
    """The rehearsals in the rows of `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begun = asyncio.Event()
        self._stopped = threading.Event()

    def begun(self) -> None:
        """Look for a rehearsal now."""
        self._begun.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what waits, until the context ends: that gives back the rehearsal that is under way."""
        async with running_task(self._keep_up()):
            try:
                yield
            finally:
                self._stopped.set()

    async def _keep_up(self) -> None:
        while True:
            self._begun.clear()
            await asyncio.to_thread(self._try)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._begun.wait()

    def _try(self) -> None:
        """As `run_waiting`; errors are logged, because the next attempt may succeed."""
        try:
            self.run_waiting()
        except _Stopped:
            return
        except Exception as error:
            is_expected = isinstance(error, DatabaseError)
            logger.warning("a rehearsal cannot be run, trying again: %s", error, exc_info=not is_expected)

    def run_waiting(self) -> bool:
        """Run every rehearsal that has not ended; False, at once, if another process runs them."""
        with self._database.session() as session:
            waiting = contract_rehearsals.next_one(session)
            session.commit()
            if waiting is None:
                return True
            if not try_session_lock(session, AdvisoryLock.REHEARSALS):
                return False
            session.commit()
            while waiting := contract_rehearsals.next_one(session):
                session.commit()
                self._run(session, waiting)
            session.commit()
            return True

    def _run(self, session: Connection, asked: ContractRehearsal) -> None:
        """Run one rehearsal, and keep its result or its fault."""
        try:
            candidate = _candidate(session, asked)
            count = total(self._database, asked.last)
            contract_rehearsals.attempt(session, asked.id, count)
            session.commit()
            progress = _Progress(session, asked.id, self._stopped)
            result = rehearse(self._database, candidate, asked.last, progress)
        except _Stopped:
            contract_rehearsals.take_back(session, asked.id)
            session.commit()
            raise
        except (ContractError, NotFound) as error:
            contract_rehearsals.refuse(session, asked.id, str(error)[:1000])
        else:
            contract_rehearsals.finish(session, asked.id, {"done": progress.done, **_outcome(result)})
        session.commit()


class _Progress:
    """Notes the progress of one rehearsal, and lets requests go on between two pages; _Stopped if the worker ends."""

    def __init__(self, session: Connection, identifier: UUID, stopped: threading.Event) -> None:
        self._session = session
        self._id = identifier
        self._stopped = stopped
        self.done = 0
        self._noted_at = self._paused_at = time.monotonic()

    def __call__(self, rows: int) -> None:
        self.done += rows
        now = time.monotonic()
        if now - self._noted_at > ADVANCE_SECONDS:
            contract_rehearsals.advance(self._session, self._id, self.done)
            self._session.commit()
            self._noted_at = now
        if self._stopped.wait(min(now - self._paused_at, LONGEST_PAUSE)):
            raise _Stopped
        self._paused_at = time.monotonic()


def _candidate(session: Connection, asked: ContractRehearsal) -> Contract:
    """The contract to try; ContractError if it is not the one that was asked for, or brought down its workers."""
    if asked.attempts >= MOST_ATTEMPTS:
        raise ContractError("each attempt ended with its worker")
    candidate = read(contracts.get(session, asked.contract_version))
    if candidate.digest != asked.document:
        raise ContractError(f"the row of contract {candidate.version} was changed after this rehearsal was asked for")
    return candidate


def _outcome(rehearsal: Rehearsal) -> dict[str, Any]:
    """The columns of a row that keep a rehearsal."""
    changed = [group for group in rehearsal.groups.values() if set(group.counts) - {UNCHANGED}]
    worst = sorted(changed, key=lambda group: (-group.counts[NEWLY_FAILS], group.hub, group.kind, group.name))
    return {
        "governing": rehearsal.governing,
        "governing_document": rehearsal.governing_digest,
        "newly_fails": rehearsal.count(NEWLY_FAILS),
        "newly_passes": rehearsal.count(NEWLY_PASSES),
        "unanswerable": rehearsal.unanswerable.count,
        "newly_unanswerable": rehearsal.unanswerable.new,
        "result": {
            "counts": {outcome: rehearsal.count(outcome) for outcome in OUTCOMES},
            "groups": [_group(group) for group in worst[:MOST_GROUPS]],
            "left_out": max(0, len(worst) - MOST_GROUPS),
            "unanswerable": [_example(example) for example in rehearsal.unanswerable.examples],
        },
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "hub": _storable(group.hub),
        "kind": group.kind,
        "name": _storable(group.name),
        "counts": {outcome: group.counts[outcome] for outcome in OUTCOMES},
        "examples": [_example(example) for example in group.examples],
    }


def _example(example: Example | UnanswerableRow) -> dict[str, str | None]:
    return {name: _storable(value) for name, value in dataclasses.asdict(example).items()}


def _storable(text: str | None) -> str | None:
    """`text` without what JSON in PostgreSQL cannot have: a hub's submission may have anything."""
    return text and text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
