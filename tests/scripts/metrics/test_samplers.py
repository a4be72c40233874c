"""What the worker measures from time to time: the lag of its event loop, and the time until partitions end."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from db import partitions
from db.engine import Database
from db.errors import Unavailable
from scripts.metrics import samplers
from scripts.metrics.samplers import Samplers
from scripts.metrics.values import Value


def values(measured: Samplers) -> dict[tuple[str, ...], Value]:
    """The readings, by name and labels."""
    return {(name, *labels): value for name, labels, value in measured.readings()}


def test_a_blocked_event_loop_is_measured(database: Database) -> None:
    """A timer of a loop that was busy for 0.4 seconds is late."""

    async def run() -> Value:
        measured = Samplers(database)
        async with measured.running():
            await asyncio.sleep(0.05)
            time.sleep(0.4)
            await asyncio.sleep(0.05)
        return values(measured)["event_loop_lag_seconds",]

    lag = asyncio.run(run())
    assert isinstance(lag, list)
    assert 0.25 < lag[-1] < 5
    assert sum(lag[:-1]) >= 1


def test_the_time_passes_while_the_database_is_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value goes down, and the next answer of the database is taken."""
    monkeypatch.setattr(samplers, "PARTITIONS_SECONDS", 0.01)
    key = ("partitions_ahead_seconds", "annotations")

    async def run() -> list[Value]:
        measured = Samplers(database)
        async with measured.running():
            while key not in values(measured):
                await asyncio.sleep(0.01)
            before = values(measured)[key]
            with monkeypatch.context() as away:
                away.setattr(database, "run", refuse)
                await asyncio.sleep(0.1)
                passed = values(measured)[key]
            with database.begin() as connection:
                partitions.ensure(connection, *[datetime.now(UTC) + 5 * partitions.WEEK] * 2)
            await asyncio.sleep(0.3)
            return [before, passed, values(measured)[key]]

    async def refuse(*_arguments: object) -> None:
        raise Unavailable("away")

    before, passed, after = asyncio.run(run())
    assert isinstance(before, float)
    assert isinstance(passed, float)
    assert isinstance(after, float)
    assert before - 5 < passed < before
    assert after > before + 600_000
