"""The command that acknowledges changes, and its file in a comparison."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from openapi.diff import acknowledgements
from scripts.cli import app
from scripts.commands.contracts.policies import today
from tests.openapi.diff.documents import document, with_body

DONE, FAILED, MISUSED = 0, 1, 2
TOMORROW, YESTERDAY = (str(today() + timedelta(days=days)) for days in (1, -1))


def contract(*arguments: str) -> Result:
    """The result of a command."""
    return CliRunner().invoke(app, ["contract", *arguments], catch_exceptions=False)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two documents in the working directory; the second refuses more, and lacks an operation."""
    monkeypatch.chdir(tmp_path)
    for name, longest in (("old.json", 10), ("new.json", 5)):
        raw = with_body({"type": "string", "maxLength": longest}).document
        raw["paths"] |= document(y={"get": {"responses": {}}}).document["paths"] if longest > 5 else {}
        Path(name).write_text(json.dumps(raw))
    return "old.json", "new.json"


def changes(files: tuple[str, str], *arguments: str) -> dict[str, str]:
    """The fingerprint of each rule."""
    report = json.loads(contract("diff", *files, "--json", *arguments).stdout)
    return {change["rule"]: change["fingerprint"] for change in report["changes"]}


def test_an_acknowledged_change_no_longer_fails(files: tuple[str, str]) -> None:
    """One after the other: the file keeps the first, and the comparison passes after the second."""
    first, second = sorted(changes(files).values())
    for fingerprint, status in ((second, FAILED), (first, DONE)):
        done = contract("acknowledge", *files, "--fingerprint", fingerprint, "--reason", "agreed", "--until", TOMORROW)
        assert (done.exit_code, "1 change is acknowledged in .contract-acknowledged.yaml" in done.stderr) == (
            DONE,
            True,
        )
        compared = contract("diff", *files, "--acknowledged", ".contract-acknowledged.yaml", "--fail-on", "breaking")
        assert compared.exit_code == status
        assert f"Acknowledged until {TOMORROW}: agreed." in compared.stdout
    assert list(acknowledgements.read(Path(".contract-acknowledged.yaml").read_text())) == [first, second]
    assert [path.name for path in Path().iterdir() if path.suffix != ".json"] == [".contract-acknowledged.yaml"]


def test_all_are_acknowledged_for_ever(files: tuple[str, str]) -> None:
    """Those that are not yet; a second time there are none."""
    for count in ("2 changes are", "0 changes are"):
        done = contract("acknowledge", *files, "--all", "--reason", "agreed", "--for-ever", "--file", "known.yaml")
        assert f"{count} acknowledged in known.yaml." in done.stderr
    assert contract("diff", *files, "--acknowledged", "known.yaml", "--fail-on", "patch").exit_code == DONE


def test_severities_of_a_file_decide(files: tuple[str, str]) -> None:
    """`--fail-on` goes by them; the effect on the wire stays."""
    Path("ours.yaml").write_text("'*': none")
    for fail_on, status in (("patch", DONE), ("breaking", FAILED)):
        assert contract("diff", *files, "--severities", "ours.yaml", "--fail-on", fail_on).exit_code == status
    assert "changed by ours.yaml" in contract("diff", *files, "--severities", "ours.yaml").stdout


@pytest.mark.parametrize(
    ("version", "status", "words"),
    [
        ("1.9", FAILED, "info.version is 1.9, and must be at least 2.0: the changes from 1.0 are major."),
        ("2.0", DONE, "info.version is 2.0, which is enough: the changes from 1.0 are major."),
        ("2", MISUSED, "info.version of the new document is '2': it must be a text such as 1.4 or 1.4.2"),
    ],
)
def test_a_version_can_be_required(files: tuple[str, str], version: str, status: int, words: str) -> None:
    """The command exits 1 if it is too low, and says what is needed; acknowledged changes need nothing."""
    raw = json.loads(Path("new.json").read_text())
    raw["info"]["version"] = version
    Path("new.json").write_text(json.dumps(raw))
    done = contract("diff", *files, "--require-version")
    assert done.exit_code == status
    assert words in " ".join((done.stdout + done.stderr.replace("\u2502", " ")).split())
    assert contract("diff", *files, "--require-version", "--path", "/x").exit_code == MISUSED
    contract("acknowledge", *files, "--all", "--reason", "agreed", "--for-ever")
    known = contract("diff", *files, "--require-version", "--acknowledged", ".contract-acknowledged.yaml")
    assert known.exit_code == (MISUSED if status == MISUSED else DONE)


def test_sunsets_are_a_choice(files: tuple[str, str]) -> None:
    """An announced removal passes with `--sunsets` alone."""
    for name, path in zip(files, ("/y", "/z"), strict=True):
        get = {"responses": {}, "deprecated": True, "x-sunset": YESTERDAY}
        Path(name).write_text(json.dumps({**document().document, "paths": {path: {"get": get}}}))
    for arguments, status in (((), FAILED), (("--sunsets",), DONE)):
        assert contract("diff", *files, *arguments, "--fail-on", "breaking").exit_code == status


def test_filters_are_told_and_decide(files: tuple[str, str]) -> None:
    """A filter that fits no operation is an error."""
    done = contract("diff", *files, "--operation", "GET /y", "--operation", "POST /x", "--path", "/y")
    assert "Only: path /y, operation GET /y, operation POST /x." in done.stdout
    assert ("GET /y was removed" in done.stdout, "POST /x" in done.stdout.partition("\n\n")[2]) == (True, False)
    assert contract("diff", *files, "--path", "/z").exit_code == MISUSED


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--all", "--reason", "a"), "either --until or --for-ever"),
        (("--all", "--reason", "a", "--for-ever", "--until", TOMORROW), "either --until or --for-ever"),
        (("--all", "--reason", "a", "--until", YESTERDAY), "is in the past"),
        (("--all", "--reason", "a", "--until", "soon"), "is not a date"),
        (("--all", "--reason", " ", "--for-ever"), "--reason must have"),
        (("--reason", "a", "--for-ever"), "either --fingerprint"),
        (("--all", "--fingerprint", "b", "--reason", "a", "--for-ever"), "either --fingerprint"),
        (("--fingerprint", "b", "--reason", "a", "--for-ever"), "no change with the fingerprint b"),
        (("--all", "--for-ever"), "--reason"),
        (("--all", "--reason", "a", "--for-ever", "--file", "old.json"), "it must be a list"),
        (("--all", "--reason", "a", "--for-ever", "--file", "none/known.yaml"), "No such file"),
    ],
)
def test_misuse_changes_no_file(files: tuple[str, str], arguments: tuple[str, ...], words: str) -> None:
    """The command exits 2, and names the remedy or the wrong value."""
    before = {path.name: path.read_text() for path in Path().iterdir()}
    done = contract("acknowledge", *files, *arguments)
    assert done.exit_code == MISUSED
    assert words in " ".join(done.stderr.replace("\u2502", " ").split())
    assert {path.name: path.read_text() for path in Path().iterdir()} == before
