"""`interaction-reporting generate`: the files, from a version or a document, and whether they are up to date."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from openapi.contract import DOCUMENTS
from scripts.cli import app

DOCUMENT = DOCUMENTS / "interaction-reporting-1.1.yaml"
FILES = {"types": ["types.py", "types.ts"], "collection": ["collection.json", "requests.http"]}
"""The files that each command writes."""

Run = Callable[..., Result]


@pytest.fixture(params=FILES)
def command(request: pytest.FixtureRequest) -> str:
    """The command that is tried."""
    return str(request.param)


@pytest.fixture
def run(command: str, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in a directory of its own, with the test's own database."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(app, ["generate", command, *map(str, arguments)])


def test_a_version_and_its_document_give_the_same_files(command: str, run: Run, tmp_path: Path) -> None:
    """They are the same bytes each time."""
    for source in (("--version", "1.1"), ("--document", DOCUMENT)):
        assert run(*source, "--out", f"of{source[0]}").exit_code == 0
    files = [sorted(directory.iterdir()) for directory in sorted(tmp_path.glob("of--*"))]
    assert [[file.name for file in group] for group in files] == [FILES[command]] * 2
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]
    assert all("Interaction Reporting API 1.1" in file.read_text() for file in files[0])


def test_a_check_writes_nothing_and_names_what_differs(command: str, run: Run, tmp_path: Path) -> None:
    """Exit status 1 for a file that is absent, or changed by hand; 0 once it is made anew."""
    options = ("--document", DOCUMENT, "--out", "out")
    assert run(*options, "--check").exit_code == 1
    assert not (tmp_path / "out").exists()
    run(*options)
    assert run(*options, "--check").exit_code == 0
    first, second = FILES[command]
    (tmp_path / "out" / second).write_text("changed")
    done = run(*options, "--check")
    assert (done.exit_code, done.stdout) == (1, f"out/{first}: unchanged\nout/{second}: differs\n")
    assert "run the command without --check" in done.stderr
    assert run(*options).exit_code == run(*options, "--check").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param((), "give one of --version and --document", id="neither"),
        pytest.param(("--version", "1.1", "--document", DOCUMENT), "give one of --version and --document", id="both"),
        pytest.param(("--version", "9.9"), "9.9", id="an unknown version"),
        pytest.param(("--document", "absent.yaml"), "No such file", id="no file"),
        pytest.param(("--document", "1.0"), "is not an OpenAPI object", id="a file with the name of a version"),
        pytest.param(("--document", "odd.yaml"), "/a is not an object", id="no document of OpenAPI"),
    ],
)
def test_misuse_is_refused_in_words(run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    """Exit status 2, and nothing is written."""
    (tmp_path / "1.0").write_text("[]")
    (tmp_path / "odd.yaml").write_text("openapi: 3.0.3\ninfo: {}\npaths: {/a: 1}\n")
    done = run(*arguments, "--out", "out")
    assert done.exit_code == 2
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_file_needs_no_database(command: str, tmp_path: Path) -> None:
    """Any team can use it: with a database that is away, too."""
    line = [sys.executable, "-m", "scripts.cli", "generate", command, "--document", str(DOCUMENT)]
    environment = {"IR_DATABASE_URL": "postgresql:///absent?host=/absent", "PATH": "/usr/bin:/bin"}
    completed = subprocess.run([*line, "--out", str(tmp_path)], env=environment, check=False)
    assert completed.returncode == 0
