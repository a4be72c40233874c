"""The tail of a worker in memory: bounded, and polled once for all viewers, only while there are any."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import psycopg
import pytest

from db import positions
from db.engine import Database
from db.tail import ALL, Filters
from handlers.live import tail
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
                    stream = Stream(follower, ALL, Viewer(str(number), always), None)
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
            messages = Stream(follower, ALL, Viewer("slow", always), None).messages()
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
    assert positions_in(seen) == list(range(start, start + count + 1))


@pytest.mark.parametrize(
    ("rates", "is_flood"),
    [
        pytest.param([tail.FLOOD // 2] * 20, False, id="steady"),
        pytest.param([0, 4 * tail.FLOOD - 10, 0], False, id="a batch"),
        pytest.param([2 * tail.FLOOD] * 4, True, id="a flood"),
        pytest.param([3 * tail.FLOOD] * 8 + [tail.CALM + 100] * 20, True, id="not calm yet"),
        pytest.param([3 * tail.FLOOD] * 8 + [tail.CALM - 100] * 20, False, id="calm again"),
    ],
)
def test_a_flood_is_what_lasts(monkeypatch: pytest.MonkeyPatch, rates: list[int], is_flood: bool) -> None:
    """Positions a second, at polls of a quarter of a second."""
    now, horizon, rate = 1000.0, 50, tail.Rate()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    rate.add(horizon)
    for each in rates:
        now, horizon = now + 0.25, horizon + each // 4
        rate.add(horizon)
    assert rate.is_flood is is_flood


def test_nothing_is_read_ahead_in_a_flood_and_nothing_is_missed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A viewer is told that it is behind, and catches up; what a filter asks for is there at once."""
    monkeypatch.setattr(tail, "FLOOD", 100)
    monkeypatch.setattr(tail, "CALM", 50)
    quiet, sent = UUID(int=6), 0
    every: list[bytes] = []
    few: list[bytes] = []

    async def view(follower: Tail, asked: Filters, seen: list[bytes]) -> None:
        async with follower.seat(asked.hub):
            async for message in Stream(follower, asked, Viewer(asked.hub, always), None).messages():
                seen.append(message)  # noqa: PERF401 (it is read meanwhile)

    async def until(holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                await asyncio.sleep(0.02)

    async def scenario(connection: psycopg.Connection) -> None:
        nonlocal sent
        async with Tail(database).running() as follower:
            viewers = [asyncio.create_task(view(follower, *each)) for each in ((ALL, every), (Filters("quiet"), few))]
            await until(lambda: any(map(is_current, every)) and any(map(is_current, few)))
            while sent < 1000 or not follower._rate.is_flood:
                report(connection, HUB, count=50)
                sent += 50
                await asyncio.sleep(0.02)
            report(connection, quiet)
            await until(lambda: bool(positions_in(few)))
            assert len(positions_in(every)) < sent
            assert follower._rows == []
            await until(lambda: len(positions_in(every)) > sent and is_current(every[-1]))
            await until(lambda: not follower._rate.is_flood)
            for task in viewers:
                task.cancel()
            await asyncio.gather(*viewers, return_exceptions=True)

    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("INSERT INTO hubs (id, name, api_key) VALUES (%s, 'quiet', repeat('7', 64))", [quiet])
        asyncio.run(scenario(connection))
    seen = positions_in(every)
    assert seen == list(range(seen[0], seen[0] + sent + 1))
    assert positions_in(few) == [seen[-1]]
    assert any(b"event: behind" in message for message in every)


def is_current(message: bytes) -> bool:
    """True if `message` tells a viewer that it is not behind."""
    return b"event: current" in message


def positions_in(messages: list[bytes]) -> list[int]:
    """The positions of the rows in `messages`."""
    blocks = [block for message in messages for block in message.split(b"\n\n") if b"event:" not in block]
    return [int(block.split(b"\n")[0].removeprefix(b"id: ")) for block in blocks if block.startswith(b"id: ")]


def test_streams_end_with_the_worker(database: Database) -> None:
    """At once, so that a drain does not wait for them."""

    async def scenario() -> bytes:
        async with Tail(database).running() as follower, follower.seat("any"):
            messages = Stream(follower, ALL, Viewer("any", always), None).messages()
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
                messages = Stream(follower, ALL, Viewer("any", always), 5).messages()
                await anext(messages)
                waiting = asyncio.ensure_future(anext(messages))
                done, _ = await asyncio.wait([waiting], timeout=1.5)
                waiting.cancel()
                return not done

    assert asyncio.run(scenario())
