"""The command that compares two documents."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openapi.contract import DOCUMENTS, ContractError
from scripts.cli import app
from tests.openapi.diff.documents import with_body

OLDEST, NEWEST = (str(DOCUMENTS / f"interaction-reporting-1.{minor}.yaml") for minor in (0, 1))
DONE, REFUSED, MISUSED = 0, 1, 2


def diff(*arguments: str) -> Result:
    """The result of the command."""
    return CliRunner().invoke(app, ["contract", "diff", *arguments], catch_exceptions=False)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two documents of no release; the second refuses more. Opening the database would be a fault."""
    monkeypatch.setenv("IR_DATABASE_URL", "postgresql://user@127.0.0.1:1/none")
    paths = []
    for name, longest in (("old.json", 10), ("new.json", 5)):
        path = tmp_path / name
        path.write_text(json.dumps(with_body({"type": "string", "maxLength": longest}).document))
        paths.append(str(path))
    return paths[0], paths[1]


def test_two_files_are_compared_without_a_database(files: tuple[str, str]) -> None:
    """JSON has the overall class and the changes."""
    done = diff(*files, "--json")
    report: dict[str, Any] = json.loads(done.stdout)
    assert (done.exit_code, report["class"], report["breaking"]) == (DONE, "major", True)
    assert [change["rule"] for change in report["changes"]] == ["request-maxLength-narrowed"]
    assert report["changes"][0]["proof"]["value"] == "a" * 6


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("text", "  BREAKS  body"),
        ("markdown", "- **Breaks**: body"),
        ("html", "<!doctype"),
        ("json", '"class": "major"'),
        ("sarif", '"version": "2.1.0"'),
        ("junit", "<testsuite "),
        ("github", "::error "),
    ],
)
def test_the_report_has_formats(files: tuple[str, str], form: str, words: str) -> None:
    """The default is text."""
    assert words in diff(*files, "--format", form).stdout
    assert (diff(*files).stdout == diff(*files, "--format", form).stdout) == (form == "text")


@pytest.mark.parametrize(
    ("backwards", "fail_on", "status"),
    [
        (False, "breaking", REFUSED),
        (False, "major", REFUSED),
        (False, "patch", REFUSED),
        (True, "major", DONE),
        (True, "breaking", DONE),
        (True, "minor", REFUSED),
    ],
)
def test_fail_on_sets_the_class_that_exits_with_1(
    files: tuple[str, str], backwards: bool, fail_on: str, status: int
) -> None:
    """The command exits 1 from that class on, or if a client can fail; it prints the changes all the same."""
    done = diff(*(reversed(files) if backwards else files), "--fail-on", fail_on)
    assert (done.exit_code, "body has maxLength" in done.stdout) == (status, True)


def test_stored_and_served_versions_are_compared(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are compared with files, and with each other."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    for arguments, kind in (
        (("1.0", "1.1"), "minor"),
        (("1.1", "1.0"), "major"),
        ((OLDEST, "1.1"), "minor"),
        ((NEWEST, "--against-active"), "none"),
        (("1.0", "--against-active"), "major"),
    ):
        assert json.loads(diff(*arguments, "--json").stdout)["class"] == kind, arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((OLDEST,), "give NEW, or --against-active"),
        ((OLDEST, NEWEST, "--against-active"), "give NEW, or --against-active"),
        ((OLDEST, "nothing.yaml"), "No such file"),
        ((OLDEST, str(Path(__file__))), "not YAML"),
        ((OLDEST, NEWEST, "--fail-on", "sometimes"), "sometimes"),
    ],
)
def test_misuse_exits_with_2(arguments: tuple[str, ...], words: str) -> None:
    """The error names the remedy or the wrong value."""
    done = diff(*arguments)
    assert done.exit_code == MISUSED
    assert words in " ".join(done.stderr.replace("\u2502", " ").split())


def test_another_version_of_openapi_is_refused(tmp_path: Path) -> None:
    """The error says if it is the old document or the new one."""
    path = tmp_path / "31.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "info": {"title": "A", "version": "1"}, "paths": {}}))
    for names, which in (((OLDEST, str(path)), "new"), ((str(path), OLDEST), "old")):
        with pytest.raises(ContractError, match=f"the {which} document is not OpenAPI 3.0"):
            diff(*names)
