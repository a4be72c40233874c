"""The command that compares two documents."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from openapi.contract import DOCUMENTS
from scripts.cli import app
from tests.openapi.diff.documents import with_body
from tests.openapi.sources.repository import commit

OLDEST, NEWEST = (str(DOCUMENTS / f"interaction-reporting-1.{minor}.yaml") for minor in (0, 1))
DONE, REFUSED, MISUSED = 0, 1, 2


def diff(*arguments: str, standard_input: str = "") -> Result:
    """The result of the command."""
    return CliRunner().invoke(app, ["contract", "diff", *arguments], input=standard_input, catch_exceptions=False)


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
        (("-", "-"), "standard input holds one document"),
        (("no:a.yaml", NEWEST), "git knows no revision 'no' here"),
        ((OLDEST, "https://example.com/a.yaml"), "nothing is fetched"),
        ((OLDEST, NEWEST, "--fail-on", "sometimes"), "sometimes"),
    ],
)
def test_documents_that_cannot_be_compared_exit_with_2(arguments: tuple[str, ...], words: str) -> None:
    """The error names the remedy or the wrong value."""
    done = diff(*arguments)
    assert done.exit_code == MISUSED
    assert words in " ".join(done.stderr.replace("\u2502", " ").split())
    assert not done.stdout


def test_an_error_is_json_for_programs() -> None:
    """A program that reads the report finds one member in its place."""
    for arguments in (("--json",), ("--format", "json")):
        done = diff(OLDEST, "nothing.yaml", *arguments)
        assert (done.exit_code, done.stderr) == (MISUSED, "")
        assert json.loads(done.stdout).keys() == {"error"}
        assert "nothing.yaml" in done.stdout


def test_a_revision_is_compared_with_a_file_and_with_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: tuple[str, str]
) -> None:
    """Each may be either side. The document has two files; the reports name the arguments."""
    old, new = (Path(path).read_text() for path in files)
    commit(tmp_path / "r", {"api/openapi.json": in_two_files(old), "api/schema.json": schema_of(old)})
    monkeypatch.chdir(tmp_path / "r" / "api")
    Path("schema.json").write_text(schema_of(new))
    for arguments, kind in (
        (("HEAD:api/openapi.json", "openapi.json"), "major"),
        (("openapi.json", "HEAD:./openapi.json"), "minor"),
        (("HEAD:./openapi.json", "-"), "major"),
        (("-", "HEAD:./openapi.json"), "minor"),
        (("-", files[1]), "none"),
    ):
        report = json.loads(diff(*arguments, "--json", standard_input=new).stdout)
        assert (report["class"], report["old"], report["new"]) == (kind, *arguments)


def in_two_files(document: str) -> str:
    """`document` with its only schema in `schema.json`."""
    return document.replace(schema_of(document), '{"$ref": "schema.json"}')


def schema_of(document: str) -> str:
    """The schema of the only body of `document`."""
    post = json.loads(document)["paths"]["/x"]["post"]
    return json.dumps(post["requestBody"]["content"]["application/json"]["schema"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c", "1:5: it is not YAML"),
        ('swagger: "2.0"', "1:1: it is Swagger 2.0: convert it to OpenAPI 3"),
        ('openapi: 3.0.3\ninfo: {}\npaths: {/a: {$ref: "https://a.example/b"}}', "3:14: $ref 'https://"),
        ('openapi: 3.1.0\ninfo: {}\npaths: {/a: {$ref: "../b.yaml"}}', "3:14: $ref '../b.yaml'"),
    ],
)
def test_an_error_says_which_document_and_where(tmp_path: Path, files: tuple[str, str], text: str, words: str) -> None:
    """Also if only the comparison meets it."""
    bad = tmp_path / "bad.yaml"
    bad.write_text(text)
    for names, side in (((files[0], str(bad)), "new"), ((str(bad), files[0]), "old")):
        done = diff(*names)
        assert done.exit_code == MISUSED
        assert done.stderr.startswith(f"error: the {side} document: {bad}:{words}")


def test_another_version_of_openapi_is_refused(tmp_path: Path) -> None:
    """The error says if it is the old document or the new one."""
    path = tmp_path / "32.json"
    path.write_text(json.dumps({"openapi": "3.2.0", "info": {"title": "A", "version": "1"}, "paths": {}}))
    for names, which in (((OLDEST, str(path)), "new"), ((str(path), OLDEST), "old")):
        done = diff(*names)
        assert (done.exit_code, f"the {which} document is OpenAPI 3.2.0" in done.stderr) == (MISUSED, True)
