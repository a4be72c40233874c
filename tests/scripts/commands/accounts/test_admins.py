"""The commands for admins, as an operator runs them, and what the audit log says of commands."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from db import admins, audit
from db.engine import Database
from handlers.security import passwords
from scripts.cli import app
from scripts.commands.changes import login

PASSWORD = "correct horse battery"
Run = Callable[..., Result]


@pytest.fixture
def run(database: Database, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with arguments and standard input on the test's own database."""
    monkeypatch.setenv("IR_DATABASE_URL", database.url)
    return lambda *arguments, stdin=None: CliRunner().invoke(app, arguments, input=stdin)


def output_of(result: Result) -> Any:
    """The JSON output of a command that succeeded."""
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_an_admin_from_standard_input(run: Run, database: Database) -> None:
    """The password signs them in; neither it nor its hash is printed or logged."""
    arguments = ("admin", "create", "alice", "--role", "owner", "--password-stdin", "--why", "the first", "--json")
    result = run(*arguments, stdin=f"{PASSWORD}\nmore")
    assert output_of(result).keys() == {"id", "name", "role", "created_at", "disabled_at", "has_password"}
    with database.begin() as connection:
        hashed = admins.password(connection, "alice")
        (entry,) = audit.entries(connection, 9, None, {"kind": "admin"})
    assert passwords._matches(PASSWORD, hashed)
    assert not passwords._matches("wrong horse battery", hashed)
    assert str(hashed) not in result.output + repr(entry)
    assert (entry.actor, entry.action, entry.subject, entry.why) == (f"cli:{login()}", "create", "alice", "the first")


def test_a_generated_password_is_printed_once(run: Run, database: Database) -> None:
    """And works; another one replaces it."""
    first = output_of(run("admin", "create", "bob", "--role", "viewer", "--generate", "--json"))["password"]
    second = output_of(run("admin", "set-password", "bob", "--generate", "--json"))["password"]
    with database.begin() as connection:
        hashed = admins.password(connection, "bob")
    assert [passwords._matches(password, hashed) for password in (first, second)] == [False, True]
    assert "password" not in output_of(run("admin", "list", "--json"))[0]


def test_roles_and_disabling(run: Run) -> None:
    """The last owner stays; an unknown name and role are told."""
    run("admin", "create", "alice", "--role", "owner", "--without-password")
    run("admin", "create", "bob", "--role", "viewer", "--without-password")
    assert "'alice' is the last owner" in str(run("admin", "disable", "alice").exception)
    assert output_of(run("admin", "set-role", "bob", "owner", "--json"))["role"] == "owner"
    assert output_of(run("admin", "disable", "alice", "--json"))["disabled_at"] is not None
    assert output_of(run("admin", "enable", "alice", "--json"))["disabled_at"] is None
    assert "there is no admin named 'eve'" in str(run("admin", "set-role", "eve", "viewer").exception)
    assert run("admin", "set-role", "bob", "king").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (["--password-stdin"], "short", "A password has 12 to 1000 characters. This one has 5."),
        (["--password-stdin"], "", "This one has 0."),
        ([], "", "use --password-stdin or --generate"),
    ],
)
def test_a_password_that_cannot_be_one(run: Run, arguments: list[str], stdin: str, words: str) -> None:
    """Nothing is made."""
    result = run("admin", "create", "alice", "--role", "owner", *arguments, stdin=stdin)
    assert result.exit_code == 2
    assert words in " ".join(result.output.replace("│", " ").split())
    assert output_of(run("admin", "list", "--json")) == []


def test_each_command_names_its_operator(run: Run, database: Database) -> None:
    """In the audit log, with the reason."""
    commands = [
        ("hub", "create", "harbor"),
        ("hub", "limit", "harbor", "--rate", "5"),
        ("hub", "rotate-key", "harbor"),
        ("hub", "origins", "harbor", "add", "https://app.example"),
        ("hub", "disable", "harbor"),
        ("hub", "enable", "harbor"),
        ("event-type", "register", "opened"),
        ("event-type", "deprecate", "opened"),
        ("widget", "register", "A button", "--id", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ("widget", "retire", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
    ]
    for command in commands:
        result = run(*command, "--why", "because")
        assert result.exit_code == 0, result.output
    with database.begin() as connection:
        entries = list(reversed(audit.entries(connection, 99, None, {"why": "because"})))
    assert [(entry.action, entry.kind) for entry in entries] == [
        ("create", "hub"),
        ("limit", "hub"),
        ("rotate key", "hub"),
        ("add origin", "hub"),
        ("disable", "hub"),
        ("enable", "hub"),
        ("register", "event type"),
        ("deprecate", "event type"),
        ("register", "widget"),
        ("retire", "widget"),
    ]
    assert {(entry.actor, entry.why) for entry in entries} == {(f"cli:{login()}", "because")}
