"""Keeps rejected submissions, within bounds, for the hubs that sent them."""

import logging
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from db import interaction_events, rejected_submissions
from db.engine import Database
from db.errors import DatabaseError
from db.rejected_submissions import Bounds
from db.submissions import key_within
from openapi.problems import Problem
from openapi.serving.messages import Request
from openapi.standards import ijson

logger = logging.getLogger(__name__)

KEPT = frozenset({400, 409, 413, 422})
"""Submissions with these statuses are kept: they were read, and are at fault."""
TRIMMED_AFTER = 8
"""The bounds of a hub are enforced each time it has added this fraction of them: one eighth."""


class Rejections:
    """Keeps rejected submissions: for each hub at most its bounds, and up to one eighth more."""

    def __init__(self, database: Database, bounds: Bounds) -> None:
        self._database = database
        self._bounds = bounds
        self._added: Counter[UUID] = Counter()
        self._added_bytes: Counter[UUID] = Counter()
        self.writer = rejected_submissions.writer(database)

    async def keep(self, request: Request, kind: str, refused: Sequence[tuple[int | None, Problem, bytes]]) -> None:
        """Store `refused`: index in a batch, problem and bytes of each. A failure is logged, not raised."""
        hub_id, key = request.caller.id, request.parameters.get("Idempotency-Key")
        rows = [
            rejected_submissions.row(
                {
                    **reason(problem),
                    "hub_id": hub_id,
                    "kind": kind,
                    "batch_index": index,
                    "request_key": key if key is None or index is None else key_within(key, index),
                    "contract_version": request.contract_version,
                    "event_type": _event_type(kind, raw),
                },
                raw,
            )
            for index, problem, raw in refused
            if problem.status in KEPT and raw
        ]
        if rows:
            try:
                await self.writer.add_all(rows)
                await self._trim(hub_id, len(rows), sum(len(raw) for _, _, raw in refused))
            except DatabaseError as error:
                logger.warning("rejected submissions cannot be stored, or not within their limits: %s", error)

    async def _trim(self, hub_id: UUID, count: int, size: int) -> None:
        self._added[hub_id] += count
        self._added_bytes[hub_id] += size
        is_much = self._added[hub_id] * TRIMMED_AFTER > self._bounds.count
        if is_much or self._added_bytes[hub_id] * TRIMMED_AFTER > self._bounds.bytes:
            await self._database.run(rejected_submissions.trim, hub_id, self._bounds)
            self._added[hub_id] = self._added_bytes[hub_id] = 0


def reason(problem: Problem) -> dict[str, str | None]:
    """The columns of a rejection that `problem` fills."""
    return {
        "code": problem.code,
        "error": problem.error,
        "help": problem.help or "",
        "pointer": problem.pointer,
    }


def _event_type(kind: str, raw: bytes) -> str | None:
    """The event type that the rejected bytes name, registered or not; None if they are no event that can be read."""
    if kind != interaction_events.TABLE.kind:
        return None
    try:
        value = ijson.loads(raw)
    except (ijson.MalformedJSON, ijson.UnstorableValue, RecursionError):
        return None
    event_type = value.get("event_type") if isinstance(value, dict) else None
    return event_type if isinstance(event_type, str) else None
