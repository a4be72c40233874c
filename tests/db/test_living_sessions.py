"""Whether sessions still live: one statement a second for all that ask, and never a wrong no."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any, cast

import pytest

from db import living_sessions, page_sessions
from db.engine import Database
from db.errors import Unavailable
from db.living_sessions import LivingSessions


class SlowDatabase:
    """A database in which `living` live; each statement takes a while, and is noted in `asked`."""

    def __init__(self, *living: str) -> None:
        self.living = set(living)
        self.asked: list[set[str]] = []
        self.is_away = False

    async def run(self, read: Callable[..., Any], digests: Collection[str]) -> set[str]:
        """What `living` of `page_sessions` returns."""
        assert read is page_sessions.living
        asked = set(digests)
        self.asked.append(asked)
        await asyncio.sleep(0.05)
        if self.is_away:
            raise Unavailable("the database is away")
        return self.living & asked


def sessions_of(database: SlowDatabase) -> LivingSessions:
    """The sessions in a database."""
    return LivingSessions(cast("Database", database))


def test_all_who_ask_at_once_wait_for_the_same_answer() -> None:
    """Also when another session was read just now."""

    async def ask() -> None:
        database = SlowDatabase("alice", "bob")
        sessions = sessions_of(database)
        assert await sessions.has("bob")
        assert await asyncio.gather(*(sessions.has(digest) for digest in ("alice", "alice", "carol", "bob"))) == [
            True,
            True,
            False,
            True,
        ]
        assert database.asked == [{"bob"}, {"alice", "bob"}, {"alice", "bob", "carol"}]

    asyncio.run(ask())


def test_an_answer_counts_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a session that has ended is seen to have ended."""
    monkeypatch.setattr(living_sessions, "SECONDS", 0.2)

    async def ask() -> None:
        database = SlowDatabase("alice")
        sessions = sessions_of(database)
        assert await sessions.has("alice")
        database.living.clear()
        assert await sessions.has("alice")
        assert len(database.asked) == 1
        await asyncio.sleep(0.3)
        assert not await sessions.has("alice")
        assert not await sessions.has("alice")
        assert len(database.asked) == 2

    asyncio.run(ask())


def test_nobody_is_signed_out_by_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was signed in stays so until the database says otherwise."""
    monkeypatch.setattr(living_sessions, "SECONDS", 0.0)

    async def ask() -> None:
        database = SlowDatabase("alice")
        sessions = sessions_of(database)
        assert await sessions.has("alice")
        database.is_away = True
        assert await sessions.has("alice")
        database.is_away = False
        database.living.clear()
        assert not await sessions.has("alice")

    asyncio.run(ask())
