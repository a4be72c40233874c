"""The tail of a worker in memory: bounded, and polled once for all viewers, only while there are any."""

import asyncio
from contextlib import closing
from uuid import UUID

import psycopg
import pytest

from db import positions
from db.engine import Database
from handlers.live import tail
from handlers.live.filters import Filters
from handlers.live.stream import Stream, Viewer
from handlers.live.tail import Row, Tail
from tests.live_submissions import report

HUB = UUID(int=5)


async def always() -> bool:
    """A viewer that stays allowed."""
    return True


def row(position: int, size: int = 10) -> Row:
    """A row with a message of so many bytes."""
    return Row(position, "alpha", "clicked", True, b"x" * size)


@pytest.mark.parametrize(
    ("count", "size", "kept"),
    [
        pytest.param(10, 10, 10, id="few"),
        pytest.param(tail.KEPT_ROWS + 7, 10, tail.KEPT_ROWS, id="many"),
        pytest.param(40, tail.KEPT_BYTES // 8, 8, id="large"),
    ],
)
def test_memory_is_bounded_and_forgets_nothing_in_silence(database: Database, count: int, size: int, kept: int) -> None:
    """By rows and by bytes; a viewer before what was forgotten has to read pages."""
    follower = Tail(database)
    follower.position, follower._start = 100, 100
    for first in range(0, count, 5):
        batch = [row(101 + number, size) for number in range(first, min(first + 5, count))]
        follower._keep(batch)
        follower.position = batch[-1].position
    last = 100 + count
    assert follower.since(last - kept - 1) is None or kept == count
    after = follower.since(last - kept)
    assert after
    assert [each.position for each in after.rows] == [*range(last - kept + 1, last + 1)][: tail.PART_ROWS]
    assert after.last == after.rows[-1].position
    assert after.behind == last - after.last
    assert follower.since(last + 1) is None


def test_all_viewers_share_a_poll_and_none_is_made_without_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each gets the row."""
    polls = []
    original = positions.horizon

    def counted(connection: object) -> int:
        polls.append(1)
        return original(connection)  # type: ignore[arg-type] # it is a connection

    async def scenario() -> list[list[bytes]]:
        async with Tail(database).running() as follower:
            await asyncio.sleep(0.6)
            assert polls == []

            async def view(number: int) -> list[bytes]:
                async with follower.seat(str(number)):
                    stream = Stream(follower, Filters(), Viewer(str(number), always), None)
                    seen = []
                    async for message in stream.messages():
                        seen.append(message)
                        if b"clicked" in message:
                            return seen
                raise AssertionError("the stream ended")

            viewers = [asyncio.create_task(view(number)) for number in range(20)]
            await asyncio.sleep(0.5)
            with psycopg.connect(database.url) as connection:
                report(connection, HUB)
            return await asyncio.gather(*viewers)

    monkeypatch.setattr(positions, "horizon", counted)
    seen = asyncio.run(scenario())
    assert {len(messages) for messages in seen} == {3}  # retry, current, and the row
    assert 2 <= len(polls) <= 8  # of about a second


def test_a_viewer_that_stops_reading_is_told_and_misses_nothing(database: Database) -> None:
    """While it is stopped more rows arrive than memory keeps."""
    count = 3 * tail.KEPT_ROWS

    async def scenario() -> tuple[list[bytes], int]:
        async with Tail(database).running() as follower, follower.seat("slow"):
            messages = Stream(follower, Filters(), Viewer("slow", always), None).messages()
            while b"current" not in await anext(messages):
                pass
            with psycopg.connect(database.url) as connection:
                report(connection, HUB)
            seen, start = [await anext(messages)], follower.position or 0
            with psycopg.connect(database.url) as connection:
                report(connection, HUB, count=count)
            while (follower.position or 0) < start + count:
                await asyncio.sleep(0.05)
            while b"event: current" not in seen[-1]:
                seen.append(await anext(messages))
            return seen, start

    seen, start = asyncio.run(scenario())
    told = [message for message in seen if b"event: behind" in message]
    assert f'"behind":{count}'.encode() in told[0]
    lines = [line for message in seen if b"event:" not in message for line in message.split(b"\n")]
    places = [int(line.removeprefix(b"id: ")) for line in lines if line.startswith(b"id: ")]
    assert places == list(range(start, start + count + 1))


def test_streams_end_with_the_worker(database: Database) -> None:
    """At once, so that a drain does not wait for them."""

    async def scenario() -> bytes:
        async with Tail(database).running() as follower, follower.seat("any"):
            messages = Stream(follower, Filters(), Viewer("any", always), None).messages()
            while b"current" not in await anext(messages):
                pass
            asyncio.get_running_loop().call_later(0.1, follower.end)
            async with asyncio.timeout(0.7):
                return await anext(messages)

    assert b'"why":"stopping"' in asyncio.run(scenario())


def test_a_viewer_waits_while_the_database_is_away() -> None:
    """Its stream stays open."""

    async def scenario() -> bool:
        with closing(Database("postgresql://nobody@127.0.0.1:1/nothing", timeout=1)) as away:
            async with Tail(away).running() as follower, follower.seat("any"):
                messages = Stream(follower, Filters(), Viewer("any", always), 5).messages()
                await anext(messages)
                waiting = asyncio.ensure_future(anext(messages))
                done, _ = await asyncio.wait([waiting], timeout=1.5)
                waiting.cancel()
                return not done

    assert asyncio.run(scenario())
