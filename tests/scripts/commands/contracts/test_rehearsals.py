"""`interaction-reporting contract rehearse`: its output, and its exit status."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import insert, update
from typer.testing import CliRunner

from db import contracts, hubs
from db.engine import Database
from db.ids import new_id
from db.tables import interaction_events as table
from scripts.cli import app, main
from tests.examples import EVENT, NEWEST
from tests.service import CONTRACTS
from tests.test_layers import ROOT

Output = tuple[Any, str, str]
Run = Callable[..., Output]
SECOND = "\x1b[31mred\x1b[0m\nalpha"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], database_url: str) -> Run:
    """Runs the command with these arguments: its exit status, standard output and standard error."""

    def start(*arguments: str) -> Output:
        command = ["interaction-reporting", "contract", "rehearse", *arguments]
        with (
            mock.patch.dict("os.environ", {"IR_DATABASE_URL": database_url, "COLUMNS": "200"}),
            mock.patch("sys.argv", command),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        return ended.value.code, *capsys.readouterr()

    return start


@pytest.fixture
def ids(database: Database) -> list[str]:
    """The ids of a new hub's events of three types; one event has a field that 1.0 does not define."""
    ids = [new_id() for _ in range(3)]
    with database.begin() as connection:
        hub, _ = hubs.create(connection, "alpha")
        common = EVENT | {"hub_id": hub.id, "contract_version": "1.1"}
        varied = zip(ids, ("clicked", "viewed", SECOND), ("order-1", None, None), strict=True)
        names = ("id", "event_type", "client_event_id")
        connection.execute(insert(table), [common | dict(zip(names, values, strict=True)) for values in varied])
    return ids


def proposal(directory: Path, **properties: Any) -> str:
    """The path of a file with contract 1.2: the newest with other `properties` of an event."""
    document = CONTRACTS[NEWEST].copy()
    document["info"]["version"] = "1.2"
    document["components"]["schemas"]["InteractionEvent"]["properties"] |= properties
    path = directory / "proposal.json"
    path.write_text(json.dumps(document))
    return str(path)


def test_a_new_failure_is_reported_and_exits_with_1(run: Run, ids: list[str]) -> None:
    """A version in the database, as JSON: the numbers of each hub and type, with examples."""
    status, output, errors = run("1.0", "--json")
    group = {"hub": "alpha", "kind": "event", "newly_passes": 0, "refused_by_both": 0}
    right = {"newly_fails": 0, "unchanged": 1, "examples": []}
    error = {"error": "unknown field 'client_event_id'", "pointer": "/client_event_id"}
    wrong = {"newly_fails": 1, "unchanged": 0, "examples": [{"outcome": "newly_fails", "id": ids[0], **error}]}
    totals = {"newly_fails": 1, "newly_passes": 0, "refused_by_both": 0, "unchanged": 2}
    assert json.loads(output) == {
        "candidate": "1.0",
        "governing": "1.1",
        **totals,
        "unanswerable": 0,
        "newly_unanswerable": 0,
        "unanswerable_rows": [],
        "groups": [
            group | right | {"name": SECOND},
            group | wrong | {"name": "clicked"},
            group | right | {"name": "viewed"},
        ],
    }
    assert (status, errors) == (1, "")


def test_the_table_has_the_groups_that_differ(run: Run, ids: list[str], directory: Path) -> None:
    """Each example has a line of its own, control characters are escaped, and unchanged groups are left out."""
    status, output, errors = run(proposal(directory, event_type={"type": "string", "maxLength": 7}), "--last", "3")
    *_, head, row = output.splitlines()
    assert head.split() == [
        "hub",
        "kind",
        "name",
        "newly_fails",
        "newly_passes",
        "refused_by_both",
        "unchanged",
        "examples",
    ]
    assert row.split(maxsplit=2)[:2] == ["alpha", "event"]
    assert r"\x1b[31mred\x1b[0m\nalpha" in row
    assert f"newly fails: {ids[2]} (/event_type): event_type has 18 characters; the limit is 7" in row
    assert "\x1b" not in output
    assert (status, errors) == (1, "")


def test_rows_that_it_could_newly_not_answer_with_are_reported(
    run: Run, ids: list[str], directory: Path, database: Database
) -> None:
    """No submission newly fails, but the command exits with 1, and an activation stops without its option."""
    file = Path(proposal(directory))
    document = json.loads(file.read_text())
    document["components"]["schemas"]["RecordedActorType"]["enum"] = ["user"]
    file.write_text(json.dumps(document))
    with database.begin() as connection:
        connection.execute(update(table).where(table.c.id == ids[0]).values(actor_type="agent"))
        contracts.publish(connection, "1.2", file.read_text(), "0" * 64)
    status, output, _ = run("1.2", "--json")
    result = json.loads(output)
    assert (status, result["newly_fails"], result["unanswerable"], result["newly_unanswerable"]) == (1, 0, 1, 1)
    (row,) = result["unanswerable_rows"]
    assert (row["kind"], row["id"], row["pointer"]) == ("event", ids[0], "/actor_type")
    status, output, _ = run("1.2")
    assert f"event {ids[0]}: actor_type" in output
    environment = {"IR_DATABASE_URL": database.url}
    done = CliRunner().invoke(app, ["contract", "activate", "1.2"], env=environment)
    assert str(done.exception) == "1 stored row could newly not be answered with; activate with --despite-failures"
    done = CliRunner().invoke(app, ["contract", "activate", "1.2", "--despite-failures"], env=environment)
    assert done.exit_code == 0


def test_a_candidate_that_changes_nothing_exits_with_0(run: Run, ids: list[str], directory: Path) -> None:
    """The output has the totals, and no table."""
    status, output, errors = run(proposal(directory, mood={"type": "string"}))
    assert [line.split() for line in output.splitlines()] == [
        ["candidate", "1.2"],
        ["governing", "1.1"],
        ["newly_fails", "0"],
        ["newly_passes", "0"],
        ["refused_by_both", "0"],
        ["unchanged", str(len(ids))],
        ["unanswerable", "0"],
        ["newly_unanswerable", "0"],
    ]
    assert (status, errors) == (0, "")


def test_last_limits_the_rehearsal_to_the_newest_events(run: Run, ids: list[str]) -> None:
    """The oldest event is the one that would newly fail."""
    status, output, _ = run("1.0", "--json", "--last", str(len(ids) - 1))
    assert (status, json.loads(output)["unchanged"]) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(("7.7",), "there is no contract '7.7' in the database", id="no such version"),
        pytest.param(("nothing.yaml",), "No such file", id="no such file"),
        pytest.param((str(ROOT / "README.md"),), "README.md: the document is not", id="no contract"),
        pytest.param((str(ROOT),), "Is a directory", id="a directory"),
        pytest.param(("1.1", "--last", "0"), "should be greater than or equal to 1", id="none"),
        pytest.param((), "Missing argument", id="nothing"),
    ],
)
def test_misuse_exits_with_2(run: Run, arguments: tuple[str, ...], words: str) -> None:
    """The error names the fault."""
    status, output, errors = run(*arguments)
    assert (status, output) == (2, "")
    assert words in " ".join(errors.replace("│", " ").split())


def test_a_row_of_any_status_can_be_rehearsed(run: Run, database: Database, directory: Path) -> None:
    """A draft, for instance; an unreadable row is reported as such."""
    with database.begin() as connection:
        contracts.publish(connection, "1.2", Path(proposal(directory)).read_text(), "d")
        contracts.publish(connection, "1.3", "a: b", "d")
    assert run("1.2")[0] == 0
    status, _, errors = run("1.3")
    assert status == 2
    assert "the document is not an OpenAPI object" in errors


def test_a_terminal_shows_the_progress(database_url: str, ids: list[str]) -> None:
    """The bar is on standard error alone; standard output has only the result."""
    controller, terminal = pty.openpty()
    with os.fdopen(controller, "rb", buffering=0) as screen:
        with os.fdopen(terminal, "wb", buffering=0) as shown:
            done = subprocess.run(
                [sys.executable, "-m", "scripts.cli", "contract", "rehearse", "1.1", "--json"],
                cwd=ROOT,
                env=os.environ | {"IR_DATABASE_URL": database_url, "TERM": "xterm", "COLUMNS": "100"},
                stdout=subprocess.PIPE,
                stderr=shown,
                check=True,
                timeout=120,
            )
        seen = b""
        with suppress(OSError):  # the terminal is closed
            while piece := screen.read(4096):
                seen += piece
    assert json.loads(done.stdout)["unchanged"] == len(ids)
    assert b"rehearsing" in seen
    assert b"3/3" in seen
