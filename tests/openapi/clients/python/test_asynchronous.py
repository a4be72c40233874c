"""Iterators for an event loop, whose items are fetched by a thread."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from openapi.clients.python.asynchronous import AsyncItems
from openapi.clients.python.errors import Outage


def cut_off(count: int, fetched: list[int]) -> Iterator[int]:
    """Some items, each noted when it is fetched, and then an outage."""
    for number in range(count):
        fetched.append(number)
        yield number
    raise Outage(200, "the answer is cut off")


@pytest.mark.parametrize("most", [1, 2, 3, 500])
def test_the_items_before_an_error_are_given_first(most: int) -> None:
    """However many are fetched at a time; after the error there is nothing more."""

    async def read() -> list[int]:
        items = AsyncItems(cut_off(3, []), most)
        given = [await anext(items) for _ in range(3)]
        with pytest.raises(Outage, match="cut off"):
            await anext(items)
        assert [item async for item in items] == []
        return given

    assert asyncio.run(read()) == [0, 1, 2]


def test_many_items_are_fetched_at_a_time() -> None:
    """As many as are asked for, before the first of them is given."""
    fetched: list[int] = []

    async def read() -> None:
        items = AsyncItems(cut_off(10, fetched), 4)
        assert await anext(items) == 0
        assert fetched == [0, 1, 2, 3]

    asyncio.run(read())


def test_one_item_is_given_as_soon_as_it_is_there() -> None:
    """What comes later is not waited for."""
    go_on = threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        assert go_on.wait(20)
        yield 2

    async def read() -> list[int]:
        items = AsyncItems(slow())
        first = await anext(items)
        go_on.set()
        return [first, await anext(items)]

    assert asyncio.run(read()) == [1, 2]
