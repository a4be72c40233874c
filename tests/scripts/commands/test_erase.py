"""`interaction-reporting erase`: the receipt, what it does again after a restore, and what it refuses."""

import json
import logging
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from db import hubs
from db.engine import Database
from db.ids import new_id
from scripts.cli import app
from scripts.commands import erase as command
from tests.postgresql import statement

ACTOR = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
NOTHING = dict.fromkeys(("rejected_submissions", "annotations", "interaction_events", "idempotency_keys"), 0)

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `erase --json` with arguments on the test's own database."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    monkeypatch.setattr(command, "SETTLING_SECONDS", 0)
    return lambda *arguments: CliRunner().invoke(app, ["erase", "--json", *arguments])


def output_of(result: Result) -> Any:
    """The JSON output of a command that succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def store(database: Database, hub_id: UUID | None = None) -> None:
    """Store an event of the actor."""
    values = [UUID(new_id()), hub_id or UUID(int=1), ACTOR]
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "INSERT INTO interaction_events"
            " (id, hub_id, widget_id, event_type, occurred_at, contract_version, actor_id)"
            " VALUES (%s, %s, gen_random_uuid(), 'clicked', now(), '1.1', %s)",
            values,
        )


def events(database: Database) -> int:
    """The number of stored events."""
    with psycopg.connect(database.url) as connection:
        (row,) = connection.execute("SELECT count(*) FROM interaction_events")
    return int(row[0])


def test_the_receipt_has_a_digest_and_counts(run: Run, database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """It names no actor, and neither does the row, nor the log; it says that backups still have the data."""
    caplog.set_level(logging.DEBUG)
    store(database)
    done = run("--actor", ACTOR.upper(), "--why", "case 17")
    receipt = output_of(done)
    assert receipt["actor_sha256"] == sha256(ACTOR.encode()).hexdigest()
    assert receipt["rows_deleted"] == NOTHING | {"interaction_events": 1}
    assert (receipt["why"], receipt["repeated_at"]) == ("case 17", None)
    assert receipt["requested_at"] <= receipt["completed_at"]
    assert receipt["copies"] == command.COPIES == done.stderr.strip()
    with psycopg.connect(database.url) as connection:
        (row,) = connection.execute("SELECT id, actor_sha256, why, rows_deleted FROM erasures")
    assert row == (UUID(receipt["id"]), receipt["actor_sha256"], "case 17", receipt["rows_deleted"])
    assert ACTOR not in (done.output + str(row) + caplog.text).lower()


def test_the_receipt_fits_a_terminal(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a table it has counts as text, and the sentence about copies stands beneath it once."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    monkeypatch.setattr(command, "SETTLING_SECONDS", 0)
    store(database)
    done = CliRunner().invoke(app, ["erase", "--actor", ACTOR])
    counts = "annotations 0, idempotency_keys 0, interaction_events 1, rejected_submissions 0"
    assert re.search(rf"rows_deleted +{counts}\s", done.stdout)
    assert "copies" not in done.stdout
    assert done.stderr == f"{command.COPIES}\n"


def test_an_unknown_actor_is_no_failure(run: Run) -> None:
    """The receipt has counts of 0, so that it can be repeated after a restore of rows that are already gone."""
    assert output_of(run("--actor", ACTOR))["rows_deleted"] == NOTHING


@pytest.mark.parametrize("actor", ["", "nobody", ACTOR.replace("-", ""), f"{ACTOR}0"])
def test_a_malformed_uuid_is_misuse(run: Run, actor: str) -> None:
    """Exit status 2, and a sentence that shows the form."""
    done = run("--actor", actor)
    assert done.exit_code == 2
    assert "it is not a UUID: 36 characters" in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.parametrize("arguments", [(), ("--actor", ACTOR, "--repeat"), ("--repeat", "--receipt", "x")])
def test_the_command_does_one_thing(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit status 2 without an actor, and with two of the three options."""
    done = run(*arguments)
    assert (done.exit_code, "give one of" in done.stderr) == (2, True)


def test_erasures_are_repeated_from_the_database(run: Run, database: Database) -> None:
    """Rows that came back are deleted; the receipt keeps its counts and says when. An interrupted one is completed."""
    receipt = output_of(run("--actor", ACTOR))
    store(database)
    statement(database.url, sql.SQL("UPDATE erasures SET completed_at = NULL"))
    done = run("--repeat")
    (repeated,) = output_of(done)
    assert events(database) == 0
    assert "interaction_events 1" in done.stderr
    assert receipt["completed_at"] < repeated["completed_at"] <= repeated["repeated_at"]
    assert {**repeated, "completed_at": receipt["completed_at"], "repeated_at": None} == receipt


def test_erasures_are_repeated_from_saved_receipts(run: Run, database: Database, tmp_path: Path) -> None:
    """The restored database lacks the row: it has it afterwards, once, however often it is repeated."""
    receipt = tmp_path / "receipt.json"
    receipt.write_text(run("--actor", ACTOR).stdout)
    statement(database.url, sql.SQL("DELETE FROM erasures"))
    for content in (receipt.read_text(), f"[{receipt.read_text()}]"):
        receipt.write_text(content)
        store(database)
        (repeated,) = output_of(run("--receipt", str(receipt)))
        assert events(database) == 0
        assert repeated["repeated_at"]
    assert len(output_of(run("--repeat"))) == 1


def receipt(**members: Any) -> str:
    """The JSON of a receipt with other members."""
    written: dict[str, Any] = {
        "id": str(UUID(int=1)),
        "actor_sha256": sha256(ACTOR.encode()).hexdigest(),
        "why": None,
        "requested_at": "2026-03-31T12:00:00Z",
        "completed_at": None,
        "repeated_at": None,
        "rows_deleted": {},
    }
    return json.dumps(written | members)


def test_a_whole_receipt_is_taken(run: Run, tmp_path: Path) -> None:
    """With the members that the next test spoils."""
    (tmp_path / "x.json").write_text(receipt())
    assert len(output_of(run("--receipt", str(tmp_path / "x.json")))) == 1


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[1]",
        '"text"',
        '{"id": 1}',
        "[" * 100_000,
        receipt(why={}),
        receipt(why="a\0"),
        receipt(why="\ud800"),
        receipt(actor_sha256="A" * 64),
        receipt(actor_sha256="a" * 63 + " "),
        receipt(requested_at=None),
        receipt(requested_at="0001-01-01T00:00:00+14:00"),
        receipt(completed_at="yesterday"),
        receipt(rows_deleted="many"),
        receipt(rows_deleted=[1]),
        receipt(rows_deleted={"interaction_events": "1"}),
    ],
    ids=lambda content: content[:8],
)
def test_a_file_without_a_receipt_is_misuse(run: Run, tmp_path: Path, content: str) -> None:
    """Exit status 2, and nothing is deleted."""
    (tmp_path / "x.json").write_text(content)
    assert run("--receipt", str(tmp_path / "x.json")).exit_code == 2
    assert run("--receipt", str(tmp_path / "none.json")).exit_code == 2


def test_the_exports_of_the_hub_are_called_off(run: Run, database: Database) -> None:
    """Its count of erasures rises; that of a hub without such rows does not, and neither when nothing is found."""
    with database.begin() as connection:
        theirs, _ = hubs.create(connection, "theirs")
        hubs.create(connection, "other")
    store(database, theirs.id)
    for _ in range(2):
        output_of(run("--actor", ACTOR))
    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT name, erasures FROM hubs WHERE name IN ('theirs', 'other')").fetchall()
    assert dict(rows) == {"theirs": 1, "other": 0}
