"""Clients are built in the background: each once, by one process, and a failure is kept."""

import asyncio
import json
import logging
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from db import advisory_locks, contracts, generated_clients
from db.advisory_locks import AdvisoryLock
from db.engine import Database
from db.generated_clients import ClientState
from db.tables import generated_clients as rows
from db.tables import interaction_reporting_contracts
from handlers.contracts import client_builds
from handlers.contracts.client_builds import ClientBuilds
from handlers.contracts.client_packages import ClientPackages
from openapi.generate.openapi_generator.program import Generator
from tests.examples import NEWEST
from tests.openapi.generate.openapi_generator.test_program import ended, fake
from tests.service import CONTRACTS
from tests.waiting import wait_until

_table = interaction_reporting_contracts


@pytest.fixture(autouse=True)
def _one_contract(database: Database) -> None:
    """The newest contract of version 1 alone is published."""
    with database.begin() as connection:
        contracts.activate(connection, NEWEST)
        connection.execute(delete(_table).where(_table.c.contract_version != NEWEST))


def builds(database: Database, manner: str, directory: Path, *languages: str, public_url: str = "") -> ClientBuilds:
    """What builds clients with the fake generator."""
    return ClientBuilds(database, languages or ("go",), fake(manner, directory), public_url)


def build(made: ClientBuilds) -> bool:
    """Build what is missing."""
    assert made.generator
    return made.build_missing(made.generator)


def state(database: Database, made: ClientBuilds, language: str = "go", public_url: str = "") -> ClientState:
    """The state of the client of the newest contract."""
    key = made.key(ClientPackages(CONTRACTS[NEWEST], public_url).recipe(language))
    with database.begin() as connection:
        return generated_clients.states(connection, key.generator).get(key, ClientState())


def runs(directory: Path) -> int:
    """How often the generator was started."""
    path = directory / "runs"
    return len(path.read_text().splitlines()) if path.exists() else 0


def attempts(database: Database) -> list[int]:
    """The counted builds of each client."""
    with database.begin() as connection:
        return list(connection.scalars(select(rows.c.attempts)))


def test_what_is_missing_is_built_once(database: Database, tmp_path: Path) -> None:
    """In each language; what is there is not built again, also not by another process."""
    made = builds(database, "works", tmp_path, "go", "php")
    assert build(made)
    built = [state(database, made, language) for language in made.languages]
    assert all(each.size for each in built)
    assert build(made)
    assert build(builds(database, "works", tmp_path))
    assert runs(tmp_path) == 2
    assert [state(database, made, language) for language in made.languages] == built


def test_another_url_makes_another_client(database: Database, tmp_path: Path) -> None:
    """It finds the service by itself."""
    build(builds(database, "works", tmp_path))
    public = builds(database, "works", tmp_path, public_url="https://reports.example")
    assert state(database, public, public_url="https://reports.example") == ClientState()
    build(public)
    assert state(database, public, public_url="https://reports.example").size
    assert runs(tmp_path) == 2
    with database.begin() as connection:
        assert len({*connection.scalars(select(rows.c.digest))}) == 2


def test_a_failure_is_kept_and_holds_up_no_other(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not tried again, and logged as a warning."""
    made = builds(database, "fails for java", tmp_path, "java", "go")
    with caplog.at_level(logging.WARNING):
        assert build(made)
        assert build(made)
    fault = "it exited with 1: it does not know document.json"
    assert state(database, made, "java") == ClientState(fault=fault)
    assert state(database, made, "go").size
    assert runs(tmp_path) == 2
    assert [record.getMessage() for record in caplog.records if fault in record.getMessage()] == [
        f"the client interaction-reporting-client-java-1.1.1 cannot be built: {fault}"
    ]


@pytest.mark.parametrize(
    ("manner", "count", "fault"), [("dies once", 2, None), ("dies", 2, "it was killed by signal 6: ")]
)
def test_a_crash_is_tried_again_once(
    database: Database, tmp_path: Path, manner: str, count: int, fault: str | None
) -> None:
    """Then its fault is kept."""
    made = builds(database, manner, tmp_path)
    assert build(made)
    assert build(made)
    assert runs(tmp_path) == count
    assert state(database, made).fault == fault
    assert state(database, made).is_settled


def test_a_build_that_ended_with_its_worker_twice_is_not_begun_again(database: Database, tmp_path: Path) -> None:
    """It may be what ended the workers."""
    made = builds(database, "works", tmp_path)
    key = made.key(ClientPackages(CONTRACTS[NEWEST]).recipe("go"))
    with database.begin() as connection:
        generated_clients.begin(connection, key)
        generated_clients.begin(connection, key)
    assert build(made)
    assert state(database, made).fault == "each build ended with its worker"
    assert runs(tmp_path) == 0


def test_one_process_builds_at_a_time(database: Database, tmp_path: Path) -> None:
    """The others do not wait."""
    made = builds(database, "works", tmp_path)
    with database.session() as session:
        assert advisory_locks.try_session_lock(session, AdvisoryLock.GENERATED_CLIENTS)
        assert not build(made)
    assert runs(tmp_path) == 0
    assert build(made)


def test_a_system_that_refuses_is_a_crash(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, or no place for temporary files, may be there the next time."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    made = builds(database, "works", tmp_path)
    assert build(made)
    assert state(database, made).fault == "the system refuses: No such file or directory"
    assert attempts(database) == [2]


def test_a_contract_that_no_client_can_be_made_of_holds_up_no_other(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged once."""
    document = CONTRACTS[NEWEST].copy()
    document["info"]["version"] = "1.2"
    document["components"]["schemas"]["ActorType"]["enum"] = ['a"b']
    with database.begin() as connection:
        contracts.publish(connection, "1.2", json.dumps(document), "digest")
        connection.execute(update(_table).where(_table.c.contract_version == "1.2").values(status="superseded"))
    made = builds(database, "works", tmp_path)
    with caplog.at_level(logging.WARNING):
        assert build(made)
        assert build(made)
    assert state(database, made).size
    (message,) = [record.getMessage() for record in caplog.records]
    assert message.startswith("no clients can be built of contract 1.2: /components/schemas/ActorType/enum/0: ")


@pytest.mark.parametrize("status", ["draft", "retired"])
def test_a_contract_without_pages_has_no_clients(database: Database, tmp_path: Path, status: str) -> None:
    """Nobody could ask for them."""
    with database.begin() as connection:
        connection.execute(update(_table).values(status=status))
    assert build(builds(database, "works", tmp_path))
    assert runs(tmp_path) == 0


def in_background(made: ClientBuilds, *steps: Callable[[], Any]) -> None:
    """Run what builds clients in an event loop, and the steps on a thread meanwhile."""

    async def main() -> None:
        async with made.running():
            for step in steps:
                await asyncio.to_thread(step)

    asyncio.run(main())


def test_a_stopped_build_does_not_count(database: Database, tmp_path: Path) -> None:
    """Its program ends with the worker, and the next worker builds."""
    in_background(builds(database, "sleeps", tmp_path), lambda: wait_until(lambda: runs(tmp_path) == 1))
    assert ended(tmp_path)
    assert attempts(database) == [0]
    made = builds(database, "works", tmp_path)
    in_background(made, lambda: wait_until(lambda: state(database, made).is_settled))
    assert state(database, made).size


def test_a_new_contract_is_built_at_once(database: Database, tmp_path: Path) -> None:
    """As soon as the worker serves it."""
    made = builds(database, "works", tmp_path)

    def publish() -> None:
        document = CONTRACTS[NEWEST].copy()
        document["info"]["version"] = "1.2"
        with database.begin() as connection:
            contracts.publish(connection, "1.2", json.dumps(document), "digest")
            contracts.activate(connection, "1.2")

    async def main() -> None:
        async with made.running():
            await asyncio.to_thread(wait_until, lambda: runs(tmp_path) == 1 and state(database, made).is_settled)
            await asyncio.to_thread(publish)
            made.contracts_changed()
            await asyncio.to_thread(wait_until, lambda: runs(tmp_path) == 2)

    asyncio.run(main())


def test_workers_that_start_together_build_once(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that do not build see the result."""
    monkeypatch.setattr(client_builds, "LOOK_SECONDS", 0.05)
    workers = [builds(database, "works", tmp_path) for _ in range(4)]
    threads = [
        threading.Thread(
            target=in_background,
            args=(made, lambda made=made: wait_until(lambda: state(database, made).is_settled)),
        )
        for made in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs(tmp_path) == 1
    assert attempts(database) == [1]


def test_an_unreachable_database_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged, and tried again."""
    monkeypatch.setattr(client_builds, "LOOK_SECONDS", 0.05)
    made = builds(Database("postgresql://me@127.0.0.1:1/nothing", timeout=1), "works", tmp_path)

    def messages() -> list[str]:
        return [record.getMessage() for record in caplog.records if "trying again" in record.getMessage()]

    in_background(made, lambda: wait_until(lambda: len(messages()) > 1))
    assert messages()[0].startswith("clients cannot be built, trying again: ")


def test_without_a_generator_nothing_runs(database: Database) -> None:
    """Neither without languages."""
    for made in (ClientBuilds(database, ("go",), None), ClientBuilds(database, (), Generator(("/gone",), "1"))):
        in_background(made)
    assert attempts(database) == []
