"""README is right: its commands run, its tables are those of the code, its links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.cli import app
from scripts.service.settings import table
from scripts.trials.fresh_service import Service, service_on
from tests.test_layers import ROOT

pytestmark = pytest.mark.slow

pytest_plugins = ["tests.databases"]

README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / ".ci" / "CONTRIBUTING.md").read_text()
IN_TESTS_OF_THEIR_OWN = {"scripts/demo", "scripts/install", "scripts/test", "interaction-reporting fuzz"}


def blocks(section: str, language: str) -> list[str]:
    """The fenced blocks in `language` of a section."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def run(service: Service, directory: Path, *command: str) -> str:
    """The output of `command`, run with the files of the project and the commands of its environment."""
    for name in ("openapi", ".venv"):
        if not (directory / name).exists():
            (directory / name).symlink_to(ROOT / name)
    environment = os.environ | {
        "IR_DATA_DIR": str(service.data_dir),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    completed = subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def test_a_first_event_works_as_readme_says(directory: Path) -> None:
    """The blocks of the section, pasted in order, post an event with curl and with Python; both are accepted."""
    commands, with_curl = blocks("A first event in five minutes", "sh")
    (with_python,) = blocks("A first event in five minutes", "python")
    with service_on(directory) as service:
        run(service, directory, "bash", "-euc", commands)
        output = run(service, directory, "bash", "-euc", with_curl.replace("http://127.0.0.1:8080", service.url))
        assert output.startswith("HTTP/1.1 201 Created")
        output = run(
            service, directory, sys.executable, "-c", with_python.replace("http://127.0.0.1:8080", service.url)
        )
        assert output.startswith("201 {'id': ")


def test_reporting_at_scale_works_as_readme_says(directory: Path) -> None:
    """The blocks of the section, pasted after those of the first event, succeed."""
    commands, with_curl = blocks("A first event in five minutes", "sh")
    sections = blocks("Reporting at scale", "sh")
    with service_on(directory) as service:
        run(service, directory, "bash", "-euc", commands)
        outputs = [
            run(service, directory, "bash", "-euc", (with_curl + block).replace("http://127.0.0.1:8080", service.url))
            for block in sections
        ]
    assert "Preference-Applied: dry-run".lower() in outputs[0].lower()
    assert '"totals":{"received":3,"created":3,' in outputs[1]
    assert '"name":"acme.rated"' in outputs[2]
    assert '"has_more":true' in outputs[3]
    assert '"error"' not in "".join(outputs)


def test_a_token_is_issued_and_used_as_readme_says(directory: Path) -> None:
    """The blocks of the section, pasted after those of the first event, end with an event and the resource metadata."""
    commands, with_curl = blocks("A first event in five minutes", "sh")
    issue, use = blocks("Version 2: access tokens", "sh")
    with service_on(directory) as service:
        run(service, directory, "bash", "-euc", commands + issue)
        pasted = (with_curl + use).replace("http://127.0.0.1:8080", service.url)
        output = run(service, directory, "bash", "-euc", pasted)
    assert output.count("HTTP/1.1 201 Created") == 2
    assert '"active":true' in output
    assert f'"resource":"{service.url}/api/v2"' in output


@pytest.mark.parametrize("section", ["Commands", "Versions"])
def test_the_commands_run(directory: Path, monkeypatch: pytest.MonkeyPatch, section: str) -> None:
    """Each command of the section does what it says; the slow ones have tests of their own."""
    with service_on(directory) as service:
        run(service, directory, "true")
        monkeypatch.chdir(directory)
        monkeypatch.setenv("IR_DATA_DIR", str(service.data_dir))
        for block in blocks(section, "sh"):
            for command in block.replace("http://127.0.0.1:8080", service.url).splitlines():
                if not any(command.startswith(elsewhere) for elsewhere in IN_TESTS_OF_THEIR_OWN):
                    assert output_of(service, directory, command), command


def output_of(service: Service, directory: Path, command: str) -> str:
    """The output of `command`, or the file that it writes; our own command runs in this process, which is faster."""
    name, *arguments = shlex.split(command)
    if name != "interaction-reporting":
        return run(service, directory, "bash", "-euc", command) or command.rpartition(">")[2]
    expanded = [
        path
        for argument in arguments
        for path in (sorted(map(str, Path().glob(argument))) if "*" in argument else [argument])
    ]
    completed = CliRunner().invoke(app, expanded, catch_exceptions=False)
    assert completed.exit_code == 0, completed.stderr
    return completed.stdout


def test_speed_is_measured_as_readme_says(directory: Path) -> None:
    """Each command of the section prints a table; the second measures the running service."""
    commands = "".join(blocks("How fast", "sh"))
    (directory / ".data").symlink_to("data")
    with service_on(directory) as service:
        commands = commands.replace("http://127.0.0.1:8080", service.url)
        output = run(service, directory, "bash", "-euc", commands)
    assert output.count("connections  req/s") == 2
    assert "service/peer in req/s at 64 connections" in output
    assert "copied_rows_per_second" in output


def test_the_table_of_settings_is_that_of_the_code() -> None:
    """Variable, default and purpose of each setting."""
    rows = re.findall(r"^\| `(IR_\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    assert rows == [(name, f"`{default}`" if default else "unset", purpose) for name, default, purpose in table()]


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    """Each link names a file of the project."""
    assert (ROOT / target).exists()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w.]+/[\w./]+)`", CONTRIBUTING))))
def test_paths_in_contributing_exist(path: str) -> None:
    """Each file and folder that CONTRIBUTING names."""
    assert (ROOT / path).exists()
