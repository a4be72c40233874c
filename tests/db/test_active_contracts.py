"""The contract that governs each major version, how soon a change is seen, and the document that is kept for later."""

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


def current_states(database: Database) -> list[MajorVersionState]:
    """The state of each major version now."""
    with database.begin() as connection:
        return active_contracts.governing(connection)


def row_of(state: MajorVersionState) -> tuple[int, str | None, str | None]:
    """The major version of `state`, its status and the contract version of its row."""
    return state.major, state.status, state.row.contract_version if state.row else None


def documents(states: Sequence[MajorVersionState]) -> list[tuple[int, str | None]]:
    """Each major version with the document of its row."""
    return [(state.major, state.row.document if state.row else None) for state in states]


class Recorder:
    """Records the states that the database has, one snapshot after the other; `served` picks the served documents."""

    def __init__(self, served: Callable[[MajorVersionState], ServedDocument | None] = lambda state: state.row) -> None:
        self.snapshots: list[Sequence[MajorVersionState]] = []
        self._served = served

    async def record(self, states: Sequence[MajorVersionState]) -> list[ServedDocument]:
        """Record `states`; return their served documents."""
        self.snapshots.append(states)
        return [served for state in states if (served := self._served(state))]

    async def until(self, holds: Callable[[Sequence[MajorVersionState]], bool]) -> float:
        """The seconds until `holds` is true of the newest snapshot."""
        started = time.monotonic()
        while not holds(self.snapshots[-1]):
            assert time.monotonic() < started + 5, self.snapshots[-1]
            await asyncio.sleep(0.005)
        return time.monotonic() - started


async def kept_until(database: Database, document: str) -> str:
    """The id of the transaction that kept `document`, once it is kept."""
    deadline = time.monotonic() + 5
    while True:
        with database.begin() as connection:
            if (kept := connection.exec_driver_sql(_KEPT).one_or_none()) and kept[0] == document:
                return str(kept[1])
        assert time.monotonic() < deadline, kept
        await asyncio.sleep(0.02)


def follow(database: Database, recorder: Recorder, use: Callable[[], Awaitable[None]]) -> None:
    """Run `use` while the recorder follows the database."""

    async def run() -> None:
        async with ActiveContracts(database, recorder.record).following():
            await use()

    asyncio.run(run())


def test_an_active_or_deprecated_row_governs(database: Database) -> None:
    """A draft does not; a deprecated row governs with its sunset."""
    assert [row_of(state) for state in current_states(database)] == [(1, "active", "1.0")]
    statement(
        database.url,
        SQL(
            "UPDATE interaction_reporting_contracts SET status = 'deprecated', "
            "sunset_at = '2999-12-31' WHERE contract_version = '1.0'"
        ),
    )
    (state,) = current_states(database)
    assert state.row is not None
    assert (state.status, state.row.document, state.row.sunset_at and state.row.sunset_at.year) == (
        "deprecated",
        "document 1.0",
        2999,
    )


def test_without_a_serving_row_the_last_one_gives_the_status(database: Database) -> None:
    """Retired by command or superseded by plain SQL; rows that governed before it do not count."""
    for version in ("1.1", "1.0"):
        with database.begin() as connection:
            contracts.activate(connection, version)
    for status in ("retired", "superseded"):
        change = "UPDATE interaction_reporting_contracts SET status = {} WHERE contract_version = '1.0'"
        statement(database.url, SQL(change).format(status))
        assert [row_of(state) for state in current_states(database)] == [(1, status, "1.0")]


@pytest.mark.parametrize("way", ["notified", "polled"])
def test_each_change_is_known_within_a_second(database: Database, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Any kind of change, in plain SQL; a notification is enough, and so is polling."""
    if way == "notified":
        monkeypatch.setattr(active_contracts, "POLL_SECONDS", EVER)
    else:
        statement(database.url, SQL("DROP TRIGGER notify ON interaction_reporting_contracts"))
    recorder = Recorder()

    async def use() -> None:
        for change, expected in (
            ("UPDATE {} SET document = 'edited' WHERE contract_version = '1.0'", [(1, "edited")]),
            ("UPDATE {} SET status = 'active' WHERE contract_version = '2.0'", [(1, "edited"), (2, "document 2.0")]),
            ("DELETE FROM {} WHERE contract_version = '2.0'", [(1, "edited"), (2, None)]),
            ("TRUNCATE {}", [(1, None), (2, None)]),
        ):
            statement(database.url, SQL(change.replace("{}", ROWS)))
            seconds = await recorder.until(
                lambda states, expected=expected: documents(states) == expected  # type: ignore[misc]
            )
            assert seconds < 1

    follow(database, recorder, use)


def test_a_row_that_was_put_back_is_a_change(database: Database) -> None:
    """A row that is deleted and inserted unchanged between two polls causes an update.

    Comparing versions alone would miss it.
    """
    recorder = Recorder(lambda _state: None)

    async def use() -> None:
        before = len(recorder.snapshots)
        statement(
            database.url,
            SQL(
                "CREATE TABLE aside AS SELECT * FROM interaction_reporting_contracts; "
                "ALTER TABLE aside DROP COLUMN major; DELETE FROM interaction_reporting_contracts; "
                "INSERT INTO interaction_reporting_contracts (contract_version, status, document, digest) "
                "SELECT contract_version, status, document, digest FROM aside"
            ),
        )
        await recorder.until(lambda _states: len(recorder.snapshots) > before)
        assert recorder.snapshots[-1] == recorder.snapshots[0]

    follow(database, recorder, use)


def test_the_last_served_document_is_kept(database: Database) -> None:
    """For each major version, as its row was; a document that is stored already is not written again."""
    recorder = Recorder()

    async def use() -> None:
        first = await kept_until(database, "document 1.0")
        second = Recorder()
        async with ActiveContracts(database, second.record).following():
            assert second.snapshots[0][0].last == second.snapshots[0][0].row
        with database.begin() as connection:
            assert connection.exec_driver_sql(_KEPT).one()[1] == first
            contracts.activate(connection, "1.1")
        await kept_until(database, "document 1.1")
        assert len(recorder.snapshots) == 2

    follow(database, recorder, use)
    statement(database.url, SQL("TRUNCATE interaction_reporting_contracts"))
    assert [row_of(state) for state in current_states(database)] == [(1, None, None)]
    assert [state.last and state.last.contract_version for state in current_states(database)] == ["1.1"]


def test_a_document_that_left_its_row_is_not_kept(database: Database) -> None:
    """A process that was slow to build does not replace a new document with an old one."""
    recorder = Recorder(lambda state: state.row and ServedDocument(state.row.contract_version, "an older document"))

    async def use() -> None:
        statement(database.url, SQL("UPDATE interaction_reporting_contracts SET digest = 'x'"))
        await recorder.until(lambda _states: len(recorder.snapshots) > 1)

    follow(database, recorder, use)
    assert [state.last for state in current_states(database)] == [None]


def test_a_read_only_database_is_followed(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """During a failover the database is read-only.

    Its rows are read, the served document cannot be stored, and the log says so.
    """
    statement(database.url, SQL("ALTER DATABASE governing SET default_transaction_read_only = on"))
    recorder = Recorder()

    async def use() -> None:
        assert [row_of(state) for state in recorder.snapshots[0]] == [(1, "active", "1.0")]

    follow(database, recorder, use)
    assert "the served document could not be stored for later" in caplog.text
    assert caplog.text.count("\n") == 1


def test_a_document_is_kept_once_the_database_takes_it(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Keeping it is tried again, and the failure is logged once."""
    refusal = "ALTER TABLE interaction_reporting_contracts_served {} CONSTRAINT refusal"
    statement(database.url, SQL(refusal.format("ADD") + " CHECK (false)"))

    async def use() -> None:
        await asyncio.sleep(2 * active_contracts.POLL_SECONDS)
        statement(database.url, SQL(refusal.format("DROP")))
        await kept_until(database, "document 1.0")

    follow(database, Recorder(), use)
    assert caplog.text.count("the served document could not be stored for later") == 1
