"""Rehearsals that pages began: each is run once, by one process, whatever ends meanwhile."""

import json
from typing import Any
from uuid import UUID

import pytest

from db import contract_rehearsals, contracts
from db.advisory_locks import AdvisoryLock, try_session_lock
from db.contract_rehearsals import KEPT, ContractRehearsal
from db.engine import Database
from handlers.contracts.rehearsing import rehearsal_runs
from handlers.contracts.rehearsing.rehearsal_runs import RehearsalRuns
from openapi.contract import Contract
from tests.handlers.contracts.test_rehearsals import candidate, event, hub, narrower, rejection, shorter


def begun(database: Database, contract: Contract, last: int = 100) -> UUID:
    """A rehearsal of a contract that is published if it is not yet."""
    with database.begin() as connection:
        if contract.version not in [row.contract_version for row in contracts.list_all(connection)]:
            contracts.publish(connection, contract.version, contract.text, contract.digest)
        return contract_rehearsals.begin(connection, contract.version, contract.digest, last, "admin:a")


def state(database: Database, identifier: UUID) -> tuple[ContractRehearsal, dict[str, Any] | None]:
    """A rehearsal, and its result."""
    with database.begin() as connection:
        return contract_rehearsals.get(connection, identifier)


def test_the_result_is_kept(database: Database) -> None:
    """By hub, with what it was compared with; what JSON in PostgreSQL cannot have is replaced."""
    alpha = hub(database, "alpha \N{OWL}")
    event(database, alpha, view_context_ref="/abc")
    rejection(database, alpha, {"event_type": "x", "\0\ud800": 1})
    identifier = begun(database, candidate(shorter))
    assert state(database, identifier)[0].status == "waiting"
    assert RehearsalRuns(database).run_waiting()
    rehearsal, result = state(database, identifier)
    assert (rehearsal.status, rehearsal.done, rehearsal.total, rehearsal.governing) == ("done", 2, 2, "1.1")
    assert (rehearsal.newly_fails, rehearsal.newly_passes) == (1, 0)
    assert result is not None
    assert [(group["hub"], group["kind"]) for group in result["groups"]] == [
        ("alpha \N{OWL}", "event"),
        ("alpha \N{OWL}", "rejected event"),
    ]
    with database.begin() as connection:
        assert rehearsal.governing_document == contracts.get(connection, "1.1").digest


def test_stored_rows_that_could_not_be_answered_with_are_kept(database: Database) -> None:
    """Their number, how many are new, and the newest ones; storable, whatever their words are."""
    alpha = hub(database, "alpha")
    ids = [event(database, alpha, actor_type=word) for word in ("agent", "bot", "user")]
    identifier = begun(database, candidate(narrower))
    assert RehearsalRuns(database).run_waiting()
    rehearsal, result = state(database, identifier)
    assert (rehearsal.unanswerable, rehearsal.newly_unanswerable) == (2, 1)
    assert result is not None
    assert [(row["id"], row["pointer"]) for row in result["unanswerable"]] == [
        (ids[1], "/actor_type"),
        (ids[0], "/actor_type"),
    ]


def test_a_worker_that_ends_gives_it_back(database: Database) -> None:
    """The next worker begins it again; that attempt does not count."""
    event(database, hub(database, "alpha"))
    identifier = begun(database, candidate(shorter))
    ending = RehearsalRuns(database)
    ending._stopped.set()
    ending._try()
    rehearsal, _ = state(database, identifier)
    assert (rehearsal.status, rehearsal.attempts) == ("waiting", 0)
    assert RehearsalRuns(database).run_waiting()
    assert state(database, identifier)[0].status == "done"


def test_one_that_ends_its_workers_is_given_up(database: Database) -> None:
    """After two attempts, and the others go on."""
    first, second = begun(database, candidate(shorter)), begun(database, candidate(version="1.3"))
    with database.begin() as connection:
        for _ in range(2):
            contract_rehearsals.attempt(connection, first, 5)
    RehearsalRuns(database).run_waiting()
    assert state(database, first)[0].fault == "each attempt ended with its worker"
    assert state(database, second)[0].status == "done"


def test_one_process_runs_them(database: Database) -> None:
    """Another one comes back later."""
    identifier = begun(database, candidate(shorter))
    with database.session() as other:
        assert try_session_lock(other, AdvisoryLock.REHEARSALS)
        assert not RehearsalRuns(database).run_waiting()
        assert state(database, identifier)[0].status == "waiting"
    assert RehearsalRuns(database).run_waiting()


def test_a_document_that_was_changed_meanwhile_is_not_tried(database: Database) -> None:
    """Nor one that was deleted."""
    identifier, gone = begun(database, candidate(shorter)), begun(database, candidate(version="1.3"))
    other = json.dumps(candidate(version="1.2").document)
    with database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE interaction_reporting_contracts SET document = %(text)s WHERE contract_version = '1.2'",
            {"text": other},
        )
        connection.exec_driver_sql("DELETE FROM interaction_reporting_contracts WHERE contract_version = '1.3'")
    RehearsalRuns(database).run_waiting()
    assert "was changed after this rehearsal was asked for" in (state(database, identifier)[0].fault or "")
    assert "there is no contract" in (state(database, gone)[0].fault or "")


def test_the_same_is_asked_for_once(database: Database) -> None:
    """While it waits; and the last ones of a version stay."""
    contract = candidate(shorter)
    first = begun(database, contract)
    assert begun(database, contract) == first
    assert begun(database, contract, last=5) == first
    runs = RehearsalRuns(database)
    for _ in range(KEPT + 3):
        runs.run_waiting()
        begun(database, contract)
    with database.begin() as connection:
        assert len(contract_rehearsals.of_version(connection, contract.version)) == KEPT


def test_many_groups_are_cut(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those with most failures stay, and the number of the others is known."""
    monkeypatch.setattr(rehearsal_runs, "MOST_GROUPS", 1)
    alpha, beta = hub(database, "alpha"), hub(database, "beta")
    for of in (alpha, beta, beta):
        event(database, of, view_context_ref="/abc")
    identifier = begun(database, candidate(shorter))
    RehearsalRuns(database).run_waiting()
    _, result = state(database, identifier)
    assert result is not None
    assert ([group["hub"] for group in result["groups"]], result["left_out"]) == (["beta"], 1)
