"""`interaction-reporting event-type`: how long the events of a type are kept, and what a type means."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from db import event_types
from db.engine import Database
from db.errors import NotFound, Refused
from scripts.cli import app

Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with --json on the test's own database."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    return lambda *arguments: CliRunner().invoke(app, [*arguments, "--json"])


def registered(result: Result) -> Any:
    """The event type that a command printed."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def listed(run: Run, name: str) -> Any:
    """The event type, as `event-type list` shows it."""
    return next(entry for entry in registered(run("event-type", "list")) if entry["name"] == name)


def test_a_type_is_registered_with_days_and_loses_them(run: Run) -> None:
    """A new one, and one that is active; `forever` removes the days."""
    done = run("event-type", "register", "rated", "--keep", "30d")
    assert (registered(done)["keep_days"], done.stderr) == (30, "'rated' is a new event type.\n")
    assert listed(run, "rated")["keep_days"] == 30
    assert registered(run("event-type", "register", "rated", "--keep", "36500d"))["keep_days"] == 36500
    assert registered(run("event-type", "register", "rated", "--keep", "forever"))["keep_days"] is None
    assert listed(run, "rated")["keep_days"] is None


def test_a_description_of_an_active_type_is_not_changed_with_its_days(run: Run) -> None:
    """The error says how to change the days."""
    done = run("event-type", "register", "clicked", "--description", "A click.", "--keep", "7d")
    assert isinstance(done.exception, Refused)
    assert str(done.exception).endswith("registered and active: to change its days alone, leave --description out")
    assert listed(run, "clicked")["keep_days"] is None


def test_days_alone_leave_a_deprecated_type_deprecated(run: Run, database: Database) -> None:
    """With a description it is active again; without days, the days stay."""
    with database.begin() as connection:
        event_types.deprecate(connection, "clicked")
    entry = registered(run("event-type", "register", "clicked", "--keep", "7d"))
    assert (entry["status"], entry["keep_days"]) == ("deprecated", 7)
    entry = registered(run("event-type", "register", "clicked", "--description", "A click."))
    assert (entry["status"], entry["keep_days"]) == ("active", 7)


@pytest.mark.parametrize("days", ["30", "0d", "36501d", "-1d", "1.5d", "30h", "", "0", "030000d"])
def test_other_forms_are_misuse(run: Run, days: str) -> None:
    """Exit status 2; the sentence has the form and the limits."""
    done = run("event-type", "register", "clicked", f"--keep={days}")
    assert done.exit_code == 2
    assert "nor a number of days from 1d to 36500d" in " ".join(done.stderr.replace("│", " ").split())


def test_the_shorter_time_wins(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note warns of days beyond IR_RETENTION; there is none for days within it."""
    monkeypatch.setenv("IR_RETENTION", "20")
    note = "Its events are dropped sooner all the same: IR_RETENTION is 20 days.\n"
    assert run("event-type", "register", "clicked", "--keep", "30d").stderr == note
    assert run("event-type", "register", "clicked", "--keep", "20d").stderr == ""


def test_a_dry_run_lists_the_types_with_days(run: Run) -> None:
    """After the partitions; without such types there is none."""
    assert registered(run("retention", "--dry-run")) == []
    run("event-type", "register", "clicked", "--keep", "30d")
    (row,) = registered(run("retention", "--dry-run"))
    assert (row["event_type"], row["keep_days"], row["events"]) == ("clicked", 30, 0)


def test_a_definition_is_proposed_approved_and_refused(run: Run, tmp_path: Path) -> None:
    """What is left out stays as it is; a note says how to approve it."""
    schema = {"type": "object", "properties": {"score": {"type": "integer"}}}
    file = tmp_path / "schema.json"
    file.write_text(json.dumps(schema))
    done = run("event-type", "define", "clicked", "--schema", str(file), "--version", "2", "--why", "asked")
    assert registered(done)["proposal"]["metadata_schema"] == schema
    assert done.stderr == "It waits for approval: interaction-reporting event-type approve clicked\n"
    assert registered(run("event-type", "refuse", "clicked"))["proposal"] is None
    run("event-type", "define", "clicked", "--schema", str(file), "--version", "2")
    assert registered(run("event-type", "approve", "clicked"))["version"] == 2
    described = registered(run("event-type", "define", "clicked", "--description", "A click."))["proposal"]
    assert described == {"description": "A click.", "version": 2, "metadata_schema": schema}
    file.write_text("")
    wider = registered(run("event-type", "define", "clicked", "--schema", str(file)))["proposal"]
    assert wider["metadata_schema"] is None


@pytest.mark.parametrize("text", ["{", '{"type": "object", "typ": 1}', None, b"\xff"])
def test_a_file_without_a_schema_is_misuse(run: Run, tmp_path: Path, text: str | bytes | None) -> None:
    """Not JSON, not accepted, absent, or not UTF-8."""
    file = tmp_path / "schema.json"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert run("event-type", "define", "clicked", "--schema", str(file)).exit_code == 2


def test_a_narrower_schema_needs_a_higher_version(run: Run, tmp_path: Path) -> None:
    """The error has the place; nothing waits."""
    file = tmp_path / "schema.json"
    file.write_text('{"type": "object", "required": ["score"]}')
    done = run("event-type", "define", "clicked", "--schema", str(file))
    assert isinstance(done.exception, Refused)
    assert str(done.exception).startswith("/required: metadata/score is now required")
    assert str(done.exception).endswith(": such a schema needs a version above 1")
    assert listed(run, "clicked")["proposal"] is None
    assert isinstance(run("event-type", "define", "nothing").exception, NotFound)
    assert isinstance(run("event-type", "refuse", "clicked").exception, Refused)
