"""Batches: the key of a batch stands for its content."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy import select

from db.engine import Database
from db.registry import Caller
from db.rejected_submissions import Bounds
from db.tables import idempotency_keys as table
from handlers.interaction_events import KIND
from handlers.resources import ServiceOptions, open_resources
from handlers.submissions.batches import Claim
from openapi.problems import Problem
from openapi.serving.messages import Request

OPTIONS = ServiceOptions(Bounds(count=1, days=1, bytes=1))


def with_claims(database: Database, use: Callable[[Callable[..., Claim]], Awaitable[None]]) -> int:
    """Call `use` with a function that makes claims of one hub from a key and a content; the number of claimed keys."""
    hub_id = uuid4()

    def validate(_operation_id: str, _content: bytes) -> object:
        raise NotImplementedError

    async def run() -> None:
        async with open_resources(database, OPTIONS) as resources:
            request = Request(None, Caller(hub_id, "hub"), resources, "1.1", validate)
            await use(lambda key, *content: Claim(request, KIND, key, content))

    asyncio.run(run())
    with database.begin() as connection:
        return len(connection.execute(select(table.c.key).where(table.c.hub_id == hub_id)).all())


def test_a_batch_claims_its_key_once(database: Database) -> None:
    """For any number of groups, and also when it is sent again."""

    async def use(claim: Callable[..., Claim]) -> None:
        for _ in range(2):
            claimed = claim("k", "a", "b")
            await claimed.once()
            await claimed.once()

    assert with_claims(database, use) == 1


def test_another_batch_is_refused_under_a_claimed_key(database: Database) -> None:
    """Problem `batch_key_conflict`, also for the same items in another order."""

    async def use(claim: Callable[..., Claim]) -> None:
        await claim("k", "a", "b").once()
        with pytest.raises(Problem) as raised:
            await claim("k", "b", "a").once()
        assert raised.value.code == "batch_key_conflict"
        await claim("l", "b", "a").once()

    assert with_claims(database, use) == 2
