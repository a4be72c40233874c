"""The commands of a contract's life cycle, in their order, and their output."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from typer.testing import CliRunner

from db import contracts, hubs
from db.engine import Database
from db.errors import Refused
from db.ids import new_id
from db.tables import interaction_events
from db.tables import interaction_reporting_contracts as table
from openapi.contract import DOCUMENTS, ContractError
from scripts.cli import app
from tests.examples import EVENT

NEWEST = DOCUMENTS / "interaction-reporting-1.1.yaml"
MISUSED = 2

pytestmark = pytest.mark.usefixtures("version_1_alone")

Run = Callable[..., Any]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `contract` with arguments on the test's own database: its JSON output. Its exceptions are raised."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(app, ["contract", *arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.stderr
        return json.loads(done.stdout)

    return run


def error_of(*arguments: str) -> str:
    """The error of `contract` for arguments that it does not accept."""
    done = CliRunner().invoke(app, ["contract", *arguments])
    assert done.exit_code == MISUSED, done.stdout
    return done.stderr


@pytest.fixture
def next_version(tmp_path: Path) -> str:
    """A file with version 1.2."""
    file = tmp_path / "next.yaml"
    file.write_text(NEWEST.read_text().replace('version: "1.1"', 'version: "1.2"', 1))
    return str(file)


def test_a_contract_lives_from_its_publication_to_its_end(run: Run, next_version: str) -> None:
    """Each command prints the row that it changed, and the history has the author and the reason."""
    assert run("publish", next_version, "--by", "alice", "--why", "a field")["status"] == "draft"
    assert run("publish", next_version)["status"] == "draft"
    assert run("activate", "1.2", "--by", "alice")["status"] == "active"
    assert run("rollback", "--by", "bob", "--why", "too early")["contract_version"] == "1.1"
    assert run("activate", "1.2", "--by", "bob")["status"] == "active"
    deprecated = run("deprecate", "1.2", "--sunset", "2999-12-31", "--by", "bob")
    assert (deprecated["status"], deprecated["sunset_at"]) == ("deprecated", "2999-12-31T00:00:00Z")
    (served,) = run("status")["serves"]
    assert (served["contract_version"], served["sunset_at"]) == ("1.2", "2999-12-31T00:00:00Z")
    assert run("deprecate", "1.2", "--withdraw", "--by", "bob")["status"] == "active"
    moved = run("deprecate", "1.2", "--sunset", "2999-12-31T23:00:00+01:00", "--by", "bob")
    assert moved["sunset_at"] == "2999-12-31T22:00:00Z"
    with pytest.raises(Refused, match=r"contract 1\.2 is served until 2999-12-31 22:00 UTC"):
        run("retire", "1.2")
    retired = run("retire", "1.2", "--before-sunset", "--by", "carol")
    assert retired["status"] == "retired"
    history = [
        (change["changed_by"], change["action"], change["contract_version"], change["status_after"])
        for change in run("history")
    ]
    assert history[-11:] == [
        ("alice", "publish", "1.2", "draft"),
        ("alice", "activate", "1.1", "superseded"),
        ("alice", "activate", "1.2", "active"),
        ("bob", "rollback", "1.2", "superseded"),
        ("bob", "rollback", "1.1", "active"),
        ("bob", "activate", "1.1", "superseded"),
        ("bob", "activate", "1.2", "active"),
        ("bob", "deprecate", "1.2", "deprecated"),
        ("bob", "withdraw deprecation", "1.2", "active"),
        ("bob", "deprecate", "1.2", "deprecated"),
        ("carol", "retire", "1.2", "retired"),
    ]
    assert [change["reason"] for change in run("history") if change["reason"]][-2:] == ["too early", "too early"]
    digest = run("history")[-1]["digest_after"]
    table = CliRunner().invoke(app, ["contract", "history"]).stdout
    assert (len(digest), digest[:12] in table, digest[:13] in table) == (64, True, False)


def test_a_refused_command_changes_nothing(run: Run, next_version: str, database: Database) -> None:
    """Other content under a published version, and a row that cannot be served; the login name is the author."""
    file = Path(next_version)
    run("publish", next_version)
    file.write_text(file.read_text().replace("Report one", "Report an"))
    with pytest.raises(Refused, match=r"contract 1\.2 is published with other content"):
        run("publish", next_version)
    with database.begin() as connection:
        connection.execute(update(table).where(table.c.status == "draft").values(document="a: b"))
    with pytest.raises(ContractError, match=r"the row of contract 1\.2 cannot be read"):
        run("activate", "1.2")
    with database.begin() as connection:
        assert [row.contract_version for row in contracts.serving(connection)] == ["1.1"]
    (published,) = [change for change in run("history") if change["action"] == "publish" and "1.2" in change.values()]
    assert published["changed_by"] not in ("", "postgres")


def test_activate_refuses_a_contract_that_submissions_would_fail(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options override this, or try no submission; the output names the hub and the error of each failure."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    event = EVENT | {"id": new_id(), "client_event_id": "a", "contract_version": "1.1"}
    with database.begin() as connection:
        hub, _ = hubs.create(connection, "alpha")
        connection.execute(insert(interaction_events), [event | {"hub_id": hub.id}])

    def activated(*arguments: str) -> tuple[Any, str]:
        done = CliRunner().invoke(app, ["contract", "activate", "1.0", "--json", *arguments])
        with database.begin() as connection:
            (row,) = contracts.serving(connection)
            contracts.activate(connection, "1.1")
        return done.exception or row.contract_version, done.stderr

    refusal, printed = activated()
    assert str(refusal) == "1 submission would newly fail; activate with --despite-failures"
    assert all(word in printed for word in ("alpha", EVENT["event_type"], "unknown field 'client_event_id'"))
    assert activated("--last", "0") == ("1.0", "")
    version, printed = activated("--despite-failures")
    assert (version, "unknown field" in printed) == ("1.0", True)


def test_activate_does_not_rehearse_a_contract_that_replaces_none(
    run: Run, next_version: str, database: Database
) -> None:
    """A new major version is served next to the others; a broken row serves nothing that could be replaced."""
    event = EVENT | {"id": new_id(), "view_context_ref": "x" * 201, "contract_version": "1.1"}
    file = Path(next_version)
    text = file.read_text().replace('version: "1.2"', 'version: "2.0"', 1).replace("url: /api/v1", "url: /api/v2")
    file.write_text(text.replace("maxLength: 2000", "maxLength: 200"))
    with database.begin() as connection:
        hub, _ = hubs.create(connection, "alpha")
        connection.execute(insert(interaction_events), [event | {"hub_id": hub.id}])
    run("publish", next_version)
    assert CliRunner().invoke(app, ["contract", "rehearse", "2.0"]).exit_code == 1
    assert run("activate", "2.0")["status"] == "active"
    with database.begin() as connection:
        connection.execute(update(table).where(table.c.contract_version == "1.1").values(document="a: b"))
    assert run("activate", "1.0")["status"] == "active"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["publish", str(NEWEST), "--acknowledge", "0" * 16], "--acknowledge needs --why"),
        (["deprecate", "1.1"], "either --sunset or --withdraw is needed"),
        (["deprecate", "1.1", "--withdraw", "--sunset", "2999-12-31"], "either --sunset or --withdraw is needed"),
        (["deprecate", "1.1", "--sunset", "soon"], "it must be a date like 2027-03-31 or an RFC 3339 date-time"),
        (["deprecate", "1.1", "--sunset", "2027-02-29"], "it must be a date like 2027-03-31"),
        (["activate", "1.1", "--why", "a\nb"], "1 to 200 printable characters"),
        (["activate", "1.1", "--by", " "], "1 to 200 printable characters"),
        (["rollback", "--major", "0"], "greater than or equal to 1"),
        (["publish", "/nowhere.yaml"], "does not exist"),
    ],
)
def test_misuse_exits_with_2(arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the fault before any database is opened."""
    monkeypatch.setenv("COLUMNS", "200")
    assert words in error_of(*arguments)


def test_without_a_login_name_the_author_is_unknown(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """In a container a user may have no login name."""
    monkeypatch.setattr("getpass.getuser", lambda: (_ for _ in ()).throw(KeyError("uid")))
    run("activate", "1.0")
    assert run("history")[-1]["changed_by"] == "unknown"


def test_a_document_of_the_release_is_published_by_its_version(run: Run, next_version: str) -> None:
    """Once: a second time it is refused, as is a version that the release does not have, and a file beside it."""
    assert run("publish", "--of-release", "2.0", "--why", "OAuth")["status"] == "draft"
    with pytest.raises(Refused, match=r"contract 2\.0 of this release is published already"):
        run("publish", "--of-release", "2.0")
    with pytest.raises(ContractError, match=r"this release has no contract 1\.7: it has 1\.0, 1\.1, 2\.0"):
        run("publish", "--of-release", "1.7")
    assert "give either FILE or --of-release" in error_of("publish", next_version, "--of-release", "2.0")
    assert "give either FILE or --of-release" in error_of("publish")
