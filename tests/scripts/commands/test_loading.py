"""The table of commands: it agrees with the functions, and a command loads only what it needs."""

import inspect
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from openapi.contract import DOCUMENTS
from scripts.cli import COMMANDS, app
from scripts.commands.loading import load
from scripts.service.settings import table

LEAVES = [name for name, row in COMMANDS.items() if row.target]
OLD, NEW = sorted(DOCUMENTS.glob("*.yaml"))[:2]


@pytest.mark.parametrize("name", LEAVES)
def test_a_row_has_the_help_of_its_function(name: str) -> None:
    """It is the first line of the docstring, which `COMMAND --help` shows."""
    row = COMMANDS[name]
    assert row.help == (inspect.getdoc(load(row.target)) or "").splitlines()[0]


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_prints_its_help(name: str) -> None:
    """Typer can read its options, and its group contains it."""
    done = CliRunner().invoke(app, [*name.split(), "--help"])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("name", [name for name, row in COMMANDS.items() if not row.target])
def test_a_group_lists_its_commands(name: str) -> None:
    """Its help lists each of its shown commands, and no other group's."""
    done = CliRunner().invoke(app, [name, "--help"])
    listed = done.output.split("Commands:\n")[1]
    names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ") and line[2] != " "]
    shown = [name.split() for name, row in COMMANDS.items() if not row.is_hidden]
    assert names == [path[1] for path in shown if path[0] == name and path[1:]]


def test_the_help_lists_the_settings() -> None:
    """Each has its purpose and its default, once. They follow the top-level commands, but not a group's."""
    done, of_group = (CliRunner().invoke(app, arguments) for arguments in (["--help"], ["hub", "--help"]))
    settings = " ".join(done.output.split("Settings, from the environment:\n")[1].split())
    assert settings == " ".join(
        f"{name} {purpose}" if "unset:" in purpose else f"{name} {purpose} (default: {default or 'unset'})"
        for name, default, purpose in table()
    )
    assert "IR_" not in of_group.output


def test_a_near_name_is_suggested() -> None:
    """At the top and within a group; a hidden command is not suggested."""
    for line, hint in (("contrct", "Did you mean 'contract'"), ("hub lst", "Did you mean 'list'")):
        done = CliRunner().invoke(app, line.split())
        assert (done.exit_code, hint in done.output) == (2, True), done.output
    done = CliRunner().invoke(app, ["migration", "bakk"])
    assert (done.exit_code, "Did you mean" in done.output) == (2, False), done.output


@pytest.mark.parametrize(
    ("arguments", "libraries"),
    [
        pytest.param(["--help"], {"sqlalchemy", "psycopg", "connexion", "rich", "httpx"}, id="help"),
        pytest.param(["contract", "diff", str(OLD), str(NEW)], {"sqlalchemy", "psycopg", "connexion"}, id="diff"),
        pytest.param(["hub", "list", "--help"], {"alembic", "connexion", "openapi_spec_validator"}, id="hub list"),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments: list[str], libraries: set[str]) -> None:
    """A command does not load slow libraries that it does not use."""
    program = (
        "import sys; from scripts.cli import app; app(standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not libraries & set(done.stderr.split())
