"""A value of the database that is kept in memory for a moment."""

import asyncio
import itertools

import pytest

from handlers.contracts import shared_reading
from handlers.contracts.shared_reading import SharedReading


@pytest.mark.parametrize(("max_age", "expected"), [(60, [1, 1, 1]), (-1, [1, 1, 2])])
def test_concurrent_requests_share_one_reading(
    max_age: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later ones, too, until the value is old; a request that is cancelled leaves the reading to the others."""
    monkeypatch.setattr(shared_reading, "MAX_AGE_SECONDS", max_age)
    numbers = itertools.count(1)

    async def read() -> int:
        await asyncio.sleep(0)
        return next(numbers)

    async def requested() -> list[int]:
        reading = SharedReading[int]()
        first, *others = [asyncio.create_task(reading.value(read)) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        return [*await asyncio.gather(*others), await reading.value(read)]

    assert asyncio.run(requested()) == expected
