"""What of the last traffic would newly fail: a proposed schema is tried on the newest stored events of its type."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any
from uuid import UUID

from db import event_type_traffic
from db.event_type_entries import Entry
from handlers.admin.visits import Visit
from openapi.metadata.trial import Trial

EVENTS = 1000
"""The newest events of the type that are tried."""
MOST_LOOKED_AT = 100_000
"""The newest events of all types that are looked through for them."""
SECONDS = 3.0
"""A hub's own patterns may take long: after this time the trial ends early, and says so."""
FIRST = 10
"""Events that would newly fail, and are shown."""
_TOGETHER = 100
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Failing:
    """An event that the proposed schema refuses, and why."""

    id: UUID
    hub: str
    received_at: datetime
    error: str


@dataclass(slots=True)
class Outcome:
    """The outcome of a trial: the events that were tried, and how many of them would newly fail.

    `looked_at` events of all types were looked through. `fault` says why the schema cannot be tried at all.
    """

    events: int = 0
    failing: int = 0
    first: list[Failing] = field(default_factory=list)
    looked_at: int = 0
    is_cut: bool = False
    fault: str = ""

    def add(self, trial: Trial, rows: Iterable[Sequence[Any]], until: float) -> None:
        """Try `rows`, until an instant of the monotonic clock."""
        for identifier, hub, received_at, metadata in rows:
            if monotonic() > until:
                self.is_cut = True
                return
            self.events += 1
            if problem := trial.newly_fails(metadata):
                self.failing += 1
                if len(self.first) < FIRST:
                    self.first.append(Failing(identifier, hub, received_at, problem.error[:_LONGEST]))


async def tried(visit: Visit, entry: Entry) -> Outcome:
    """The outcome of the proposal of `entry` on its newest events."""
    outcome, until = Outcome(), monotonic() + SECONDS
    try:
        trial = await asyncio.to_thread(Trial, entry.metadata_schema, (entry.proposal or {}).get("metadata_schema"))
    except ValueError as error:
        outcome.fault = str(error)
        return outcome
    before: UUID | None = await visit.read(event_type_traffic.beginning, entry.name)
    while before and outcome.events < EVENTS and outcome.looked_at < MOST_LOOKED_AT and not outcome.is_cut:
        part = await visit.read(event_type_traffic.part, entry.name, before)
        ids = part.ids[: EVENTS - outcome.events]
        for start in range(0, len(ids), _TOGETHER):
            rows = await visit.read(event_type_traffic.metadata, ids[start : start + _TOGETHER])
            await asyncio.to_thread(outcome.add, trial, rows, until)
        outcome.looked_at += part.looked_at
        outcome.is_cut = outcome.is_cut or monotonic() > until
        before = part.before if part.looked_at == event_type_traffic.LOOKED_AT else None
    return outcome
