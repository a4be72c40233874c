"""Works on replays in the background, in slices. Each worker looks for jobs; a job has one worker at a time."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Protocol
from uuid import UUID, uuid4

from sqlalchemy import RowMapping

from db import replays
from db.background import running_task
from db.engine import Database
from db.errors import DatabaseError, Unavailable
from db.outage_log import OutageLog
from db.registry import Caller
from db.replays import TAKEOVER_SECONDS, Progress, Replay, TakenOver
from handlers.operations import OPERATIONS
from handlers.rejected_submissions import KINDS, OPERATION_IDS, outcomes, parts, resubmitted
from handlers.resources import Resources
from handlers.submissions.single import Submission
from openapi.contract import Contract
from openapi.requests.body_validator import BodyValidator
from openapi.serving.messages import Request

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks for a job, and after a failure."""
SLICE_ROWS = 100
"""The rejections of a slice, which is recorded in one transaction."""
MOST_FAILURES = 5
"""Failures in a row after which a job is given up; a database that is away is none."""

Validators = dict[str, BodyValidator]


class Serves(Protocol):
    """What knows the contracts that are served now."""

    @property
    def contracts(self) -> Sequence[Contract]:
        """One for each major version."""


class ReplayWorker:
    """Replays what jobs ask for, as their hubs would: with their identity, and the contracts that are served now."""

    def __init__(self, resources: Resources, serving: Serves) -> None:
        self.id = uuid4()
        self._resources = resources
        self._serving = serving
        self._validators: dict[str, Validators] = {}  # by the digest of the contract
        self._outage = OutageLog(logger, over="replays go on")

    @property
    def _database(self) -> Database:
        return self._resources.database

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work on jobs until the context ends; then another worker goes on with what is left, at once."""
        try:
            async with running_task(self._keep_up()):
                yield
        finally:
            with suppress(DatabaseError):
                await self._database.run(replays.release, self.id)

    async def _keep_up(self) -> None:
        while True:
            try:
                if (replay := await self._database.run(replays.take, self.id)) is not None:
                    await self._work(replay)
                    continue
            except Unavailable as error:
                self._outage.fails("replays wait for the database: %s", error)
            except Exception as error:  # the worker serves on, and the next look may succeed
                logger.warning("replays failed, trying again: %s", error, exc_info=not isinstance(error, DatabaseError))
            await asyncio.sleep(LOOK_SECONDS)

    async def _work(self, replay: Replay) -> None:
        """Do one slice after the other until nothing is left, or the job has been cancelled or taken over."""
        failures = 0
        async with running_task(self._beat(replay)):
            while True:
                try:
                    if (next_ := await self._slice(replay)) is None:
                        ended = await self._database.run(replays.finish, replay.id, self.id)
                        counts = {"stored": ended.stored, "rejected": ended.rejected, "skipped": ended.skipped}
                        logger.info("replay finished", extra={"replay": str(ended.id), **counts})
                        return
                    replay, failures = next_, 0
                    continue
                except TakenOver:
                    return
                except Unavailable as error:
                    self._outage.fails("a replay waits for the database: %s", error)
                except Exception as error:
                    failures += 1
                    logger.warning("a slice of a replay failed: %s", error, exc_info=True)
                    if failures >= MOST_FAILURES:
                        await self._give_up(replay, error)
                        return
                await asyncio.sleep(LOOK_SECONDS)

    async def _give_up(self, replay: Replay, error: Exception) -> None:
        with suppress(TakenOver):
            await self._database.run(replays.finish, replay.id, self.id, f"{type(error).__name__}: see the log")

    async def _beat(self, replay: Replay) -> None:
        """Say that this worker lives, also during a long slice."""
        while True:
            await asyncio.sleep(TAKEOVER_SECONDS / 5)
            with suppress(DatabaseError, TakenOver):
                await self._database.run(replays.beat, replay.id, self.id)

    async def _slice(self, replay: Replay) -> Replay | None:
        """Submit the next rejections of a job, and record what came of them; None if there are none left.

        Until it is recorded nothing of it counts. If it is done again, what was stored is found by its keys.
        """
        rows = await self._database.run(replays.rows, replay, replay.position, SLICE_ROWS)
        if not rows:
            return None
        stored_as: dict[UUID, str] = {}
        reasons: dict[UUID, dict[str, str | None]] = {}
        await self._resources.registry.ensure_fresh()
        for request, kind, group in await self._requests(rows):
            for part in parts(group):
                submissions = await resubmitted(request, KINDS[kind], part)
                _require_judgement(submissions)
                stored, refused = outcomes(part, submissions)
                stored_as |= stored
                reasons |= refused
        skipped = len(rows) - len(stored_as) - len(reasons)
        progress = Progress(rows[-1]["position"], stored_as, reasons, skipped)
        return await self._database.run(replays.settle, replay.id, self.id, progress)

    async def _requests(self, rows: Sequence[RowMapping]) -> list[tuple[Request, str, list[RowMapping]]]:
        """A request for the rows of each hub, version and kind; none for those that cannot be submitted now."""
        groups: dict[tuple[UUID, str, str], list[RowMapping]] = defaultdict(list)
        for row in rows:
            groups[row["hub_id"], row["contract_version"].partition(".")[0], row["kind"]].append(row)
        contracts = {str(contract.major): contract for contract in self._serving.contracts}
        requests = []
        for (hub_id, major, kind), group in groups.items():
            caller, contract = self._resources.registry.caller(hub_id), contracts.get(major)
            if caller and contract and kind in KINDS:
                requests.append((await self._request(caller, contract), kind, group))
        return requests

    async def _request(self, caller: Caller, contract: Contract) -> Request:
        """A request of a hub under a contract, as one of its own; it takes nothing from the hub's rate."""
        if contract.digest not in self._validators:
            self._validators = {contract.digest: await asyncio.to_thread(_validators, contract), **self._of_served()}
        return Request(
            None, caller, self._resources, contract.version, partial(_valid, self._validators[contract.digest])
        )

    def _of_served(self) -> dict[str, Validators]:
        digests = {contract.digest for contract in self._serving.contracts}
        return {digest: kept for digest, kept in self._validators.items() if digest in digests}


def _validators(contract: Contract) -> Validators:
    """By the operationId of this release."""
    return {name: BodyValidator(contract, OPERATIONS.name_in(contract, name)) for name in OPERATION_IDS.values()}


def _valid(validators: Validators, operation_id: str, content: bytes) -> Any:
    return validators[operation_id].value(content)


def _require_judgement(group: Sequence[Submission]) -> None:
    """Unavailable if one of `group` was not judged, because the database went away: the slice is done again."""
    for submission in group:
        if submission.problem and submission.problem.code == "unavailable":
            raise Unavailable(submission.problem.error)
