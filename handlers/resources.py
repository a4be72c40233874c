"""The resources that handlers share, opened when a worker starts."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from db import submissions
from db.engine import Database
from db.registry import Registry
from db.rejected_submissions import Bounds
from db.submission_usage import Counted, SubmissionUsage
from db.writer import Writer
from handlers import annotations, interaction_events
from handlers.submissions.rejections import Rejections

EXPORTS = 2
"""Limit on the export pages that a worker reads at one time."""


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Options of the operator: the bounds of rejections per hub, and whether event types wait for approval."""

    rejections: Bounds
    approves_event_types: bool = False


@dataclass(frozen=True, slots=True)
class Resources:
    """The database, the registry in memory, a writer for each kind of submission, rejections and usage.

    `exports` limits concurrent reads of export pages; `manifests` serializes manifest checks.
    """

    database: Database
    registry: Registry
    writers: Mapping[str, Writer]
    rejections: Rejections
    usage: SubmissionUsage
    policy: ServiceOptions
    exports: asyncio.Semaphore
    manifests: asyncio.Lock


@asynccontextmanager
async def open_resources(
    database: Database, policy: ServiceOptions, counted: Counted = lambda _kind, _outcome, _reason, _count: None
) -> AsyncIterator[Resources]:
    """Open the resources over `database` until the end of the block; Unavailable if the database cannot be reached.

    Each count calls `counted` with the kind, outcome, reason and number of submissions.
    """
    tables = [kind.table for kind in (interaction_events.KIND, annotations.KIND)]
    writers = {table.kind: submissions.writer(database, table) for table in tables}
    rejections, usage = Rejections(database, policy.rejections), SubmissionUsage(database, counted)
    shared = asyncio.Semaphore(EXPORTS), asyncio.Lock()
    resources = Resources(database, Registry(database), writers, rejections, usage, policy, *shared)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(usage.flushing())
        await stack.enter_async_context(resources.registry.following())
        for writer in (*writers.values(), rejections.writer):
            await stack.enter_async_context(writer.writing())
        yield resources
