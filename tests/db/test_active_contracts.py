"""What governs each major version, how soon a change of it is known, and what is kept for later."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing

import pytest
from psycopg.sql import SQL

from db import active_contracts, contracts
from db.active_contracts import ActiveContracts, MajorVersionState, ServedDocument
from db.engine import Database
from tests.postgresql import fresh_database, statement

EVER = 1e9
ROWS = "interaction_reporting_contracts"
_KEPT = "SELECT document, xmin::text FROM interaction_reporting_contracts_served"


@pytest.fixture
def database(any_server: str, tables: str) -> Iterator[Database]:
    """A database with contracts 1.0, which is active, 1.1 and 2.0, on a server of each kind."""
    with fresh_database(any_server, "governing", tables) as url, closing(Database(url, timeout=5)) as database:
        with database.begin() as connection:
            for version in ("1.0", "1.1", "2.0"):
                contracts.publish(connection, version, f"document {version}", "")
            contracts.activate(connection, "1.0")
        yield database


def found(database: Database) -> list[MajorVersionState]:
    """What governs now."""
    with database.begin() as connection:
        return active_contracts.governing(connection)


def row_of(one: MajorVersionState) -> tuple[int, str | None, str | None]:
    """A major version with its row's status and version."""
    return one.major, one.status, one.row.contract_version if one.row else None


class Taken:
    """What was taken of the database, one time after the other; of each is `served` what this says."""

    def __init__(self, served: Callable[[MajorVersionState], ServedDocument | None] = lambda one: one.row) -> None:
        self.times: list[Sequence[MajorVersionState]] = []
        self._served = served

    async def take(self, found: Sequence[MajorVersionState]) -> list[ServedDocument]:
        """Note what is found."""
        self.times.append(found)
        return [served for one in found if (served := self._served(one))]

    async def until(self, holds: Callable[[Sequence[MajorVersionState]], bool]) -> float:
        """How many seconds it takes until what was taken last is so."""
        started = time.monotonic()
        while not holds(self.times[-1]):
            assert time.monotonic() < started + 5, self.times[-1]
            await asyncio.sleep(0.005)
        return time.monotonic() - started


async def kept_until(database: Database, document: str) -> str:
    """Which writing it was that kept `document`, once it is kept."""
    deadline = time.monotonic() + 5
    while True:
        with database.begin() as connection:
            if (kept := connection.exec_driver_sql(_KEPT).one_or_none()) and kept[0] == document:
                return str(kept[1])
        assert time.monotonic() < deadline, kept
        await asyncio.sleep(0.02)


def follow(database: Database, taken: Taken, use: Callable[[], Awaitable[None]]) -> None:
    """Run `use` while the database is followed."""

    async def run() -> None:
        async with ActiveContracts(database, taken.take).following():
            await use()

    asyncio.run(run())


def test_a_row_that_serves_governs(database: Database) -> None:
    """Drafts do not, and one that is deprecated does, with what is told of its end."""
    assert [row_of(one) for one in found(database)] == [(1, "active", "1.0")]
    statement(
        database.url,
        SQL(
            "UPDATE interaction_reporting_contracts SET status = 'deprecated', "
            "sunset_at = '2999-12-31' WHERE contract_version = '1.0'"
        ),
    )
    (one,) = found(database)
    assert one.row is not None
    assert (one.status, one.row.document, one.row.sunset_at and one.row.sunset_at.year) == (
        "deprecated",
        "document 1.0",
        2999,
    )


def test_without_a_row_that_serves_the_last_one_says_what_became_of_it(database: Database) -> None:
    """Retired by command or superseded by plain SQL; rows that governed before it do not count."""
    for version in ("1.1", "1.0"):
        with database.begin() as connection:
            contracts.activate(connection, version)
    for status in ("retired", "superseded"):
        change = "UPDATE interaction_reporting_contracts SET status = {} WHERE contract_version = '1.0'"
        statement(database.url, SQL(change).format(status))
        assert [row_of(one) for one in found(database)] == [(1, status, "1.0")]


@pytest.mark.parametrize("way", ["notified", "polled"])
def test_each_change_is_known_within_a_second(database: Database, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Of any kind, by plain SQL; each of the two ways is enough."""
    if way == "notified":
        monkeypatch.setattr(active_contracts, "POLL_SECONDS", EVER)
    else:
        statement(database.url, SQL("DROP TRIGGER notify ON interaction_reporting_contracts"))
    taken = Taken()

    async def use() -> None:
        for change, expected in (
            ("UPDATE {} SET document = 'edited' WHERE contract_version = '1.0'", [(1, "edited")]),
            ("UPDATE {} SET status = 'active' WHERE contract_version = '2.0'", [(1, "edited"), (2, "document 2.0")]),
            ("DELETE FROM {} WHERE contract_version = '2.0'", [(1, "edited"), (2, None)]),
            ("TRUNCATE {}", [(1, None), (2, None)]),
        ):
            statement(database.url, SQL(change.replace("{}", ROWS)))
            seconds = await taken.until(
                lambda now, expected=expected: [(one.major, one.row and one.row.document) for one in now] == expected  # type: ignore[misc]
            )
            assert seconds < 1

    follow(database, taken, use)


def test_a_row_that_was_put_back_is_another_one(database: Database) -> None:
    """Deleted and inserted again as it was, between two looks: whoever compares versions alone would miss it."""
    taken = Taken(lambda _one: None)

    async def use() -> None:
        before = len(taken.times)
        statement(
            database.url,
            SQL(
                "CREATE TABLE aside AS SELECT * FROM interaction_reporting_contracts; "
                "ALTER TABLE aside DROP COLUMN major; DELETE FROM interaction_reporting_contracts; "
                "INSERT INTO interaction_reporting_contracts (contract_version, status, document, digest) "
                "SELECT contract_version, status, document, digest FROM aside"
            ),
        )
        await taken.until(lambda _now: len(taken.times) > before)
        assert taken.times[-1] == taken.times[0]

    follow(database, taken, use)


def test_what_is_served_is_kept(database: Database) -> None:
    """Of each major version what was served last, as its row was; nobody writes what is there already."""
    taken = Taken()

    async def use() -> None:
        first = await kept_until(database, "document 1.0")
        follow_again = Taken()
        async with ActiveContracts(database, follow_again.take).following():
            assert follow_again.times[0][0].last == follow_again.times[0][0].row
        with database.begin() as connection:
            assert connection.exec_driver_sql(_KEPT).one()[1] == first
            contracts.activate(connection, "1.1")
        await kept_until(database, "document 1.1")
        assert len(taken.times) == 2

    follow(database, taken, use)
    statement(database.url, SQL("TRUNCATE interaction_reporting_contracts"))
    assert [row_of(one) for one in found(database)] == [(1, None, None)]
    assert [one.last and one.last.contract_version for one in found(database)] == ["1.1"]


def test_what_is_not_the_row_any_more_is_not_kept(database: Database) -> None:
    """A process that was slow to build does not put an old document in the place of a new one."""
    taken = Taken(lambda one: one.row and ServedDocument(one.row.contract_version, "an older document"))

    async def use() -> None:
        statement(database.url, SQL("UPDATE interaction_reporting_contracts SET digest = 'x'"))
        await taken.until(lambda _now: len(taken.times) > 1)

    follow(database, taken, use)
    assert [one.last for one in found(database)] == [None]


def test_a_database_that_cannot_be_written_is_followed(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """As during a failover: what is served cannot be kept, which is said."""
    statement(database.url, SQL("ALTER DATABASE governing SET default_transaction_read_only = on"))
    taken = Taken()

    async def use() -> None:
        assert [row_of(one) for one in taken.times[0]] == [(1, "active", "1.0")]

    follow(database, taken, use)
    assert "what is served could not be kept for later" in caplog.text
    assert caplog.text.count("\n") == 1


def test_what_could_not_be_kept_is_kept_when_it_can_be(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again, and told once."""
    refusal = "ALTER TABLE interaction_reporting_contracts_served {} CONSTRAINT refusal"
    statement(database.url, SQL(refusal.format("ADD") + " CHECK (false)"))

    async def use() -> None:
        await asyncio.sleep(2 * active_contracts.POLL_SECONDS)
        statement(database.url, SQL(refusal.format("DROP")))
        await kept_until(database, "document 1.0")

    follow(database, Taken(), use)
    assert caplog.text.count("what is served could not be kept for later") == 1
