"""What handlers use, opened by who starts the service."""

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
"""How many pages of exports a worker reads at once."""


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What an operator decides: how much that was rejected is kept, and whether event types wait for approval."""

    rejections: Bounds
    approves_event_types: bool = False


@dataclass(frozen=True, slots=True)
class Resources:
    """The database, the registry in memory, a writer for each kind of submission, and what is kept of these.

    Who reads a page of an export holds `exports` meanwhile, who judges a manifest `manifests`.
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
    database: Database, policy: ServiceOptions, counted: Counted = lambda _kind, _outcome, _count: None
) -> AsyncIterator[Resources]:
    """The resources over `database`, which work until the end; Unavailable if it is away.

    `counted` is told of each submission.
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
