"""What handlers use, opened by who starts the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from db import interaction_events
from db.engine import Database
from db.registry import Registry
from db.writer import Writer


@dataclass(frozen=True, slots=True)
class Resources:
    """The registry in memory, and the writer of events."""

    registry: Registry
    events: Writer


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[Resources]:
    """The resources over `database`, which work until the end; Unavailable if it is away."""
    resources = Resources(Registry(database), interaction_events.writer(database))
    async with resources.registry.following(), resources.events.writing():
        yield resources
