"""Counts in memory, and when they are added to the database."""

import asyncio
import logging
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from db import counting
from db.counting import Counting
from db.engine import Database
from db.errors import Unavailable


class Tally(Counting[str]):
    """Counts letters; `written` has the counts added to the database, and `is_away` makes adding fail."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "letters", self._written)
        self.written: list[Counter[str]] = []
        self.instants: list[datetime] = []
        self.is_away = False

    def count(self, letters: str) -> None:
        """Count each of `letters`."""
        self._counts.update(letters)

    def _written(self, _connection: Connection, counts: Counter[str], now: datetime) -> None:
        if self.is_away:
            raise Unavailable("the database is unavailable")
        self.written.append(counts)
        self.instants.append(now)


def test_each_count_is_written_once(migrated: Database) -> None:
    """With the instant in UTC, also by two writes at once; without counts nothing is written."""
    tally = Tally(migrated)

    async def use() -> None:
        await tally.write()
        tally.count("aab")
        await asyncio.gather(tally.write(), tally.write())
        tally.count("c")
        await tally.write()

    asyncio.run(use())
    assert tally.written == [Counter("aab"), Counter("c")]
    assert {instant.tzinfo for instant in tally.instants} == {UTC}


def test_counts_that_cannot_be_written_are_kept(migrated: Database, caplog: pytest.LogCaptureFixture) -> None:
    """They are added to the next ones; the log names the counts and the reason once, and says when it is over."""
    caplog.set_level(logging.INFO, "db.counting")
    tally = Tally(migrated)

    async def use() -> None:
        for _ in range(2):
            tally.is_away = True
            tally.count("a")
            await tally.write()
            await tally.write()
            tally.is_away = False
            tally.count("b")
            await tally.write()
            await tally.write()

    asyncio.run(use())
    assert tally.written == [Counter("ab")] * 2
    away, back = "letters cannot be written, trying again: the database is unavailable", "letters can be written again"
    assert caplog.messages == [away, back] * 2


def test_counts_are_kept_up_to_a_limit(
    migrated: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While they cannot be written: known ones go on counting, further ones are dropped, and the log says so once."""
    caplog.set_level(logging.INFO, "db.counting")
    monkeypatch.setattr(counting, "MOST_KEPT", 2)
    tally = Tally(migrated)

    async def use() -> None:
        tally.is_away = True
        for letters in ("ab", "accc", "bd"):
            tally.count(letters)
            await tally.write()
        tally.is_away = False
        tally.count("e")
        await tally.write()

    asyncio.run(use())
    assert tally.written == [Counter({"a": 2, "b": 2, "e": 1})]
    lost = [message for message in caplog.messages if "lost" in message]
    assert lost == ["letters are lost, as too many wait to be written: 3", "letters are no longer lost"]


def test_the_last_counts_are_written_at_the_end(migrated: Database) -> None:
    """Without waiting for the next interval."""
    tally = Tally(migrated)

    async def use() -> None:
        async with tally.flushing():
            tally.count("a")

    asyncio.run(use())
    assert tally.written == [Counter("a")]
