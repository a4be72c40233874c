"""Drafts: from an overlay to the contract that governs, by the commands."""

import json
from collections.abc import Iterator
from contextlib import chdir
from difflib import unified_diff
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from openapi.contract import DOCUMENTS, ContractError
from scripts.cli import app

NEWEST = DOCUMENTS / "interaction-reporting-1.1.yaml"
DONE, MISUSED = 0, 2
OVERLAY = (DOCUMENTS.parent / "overlays" / "example.yaml").read_text()


def contract(*arguments: str) -> Result:
    """The result of `contract` with `arguments`; its exceptions are raised."""
    return CliRunner().invoke(app, ["contract", *arguments], catch_exceptions=False)


@pytest.fixture
def overlay(tmp_path: Path) -> Iterator[Path]:
    """A file with an overlay, in the working directory."""
    file = tmp_path / "change.yaml"
    file.write_text(OVERLAY)
    with chdir(tmp_path):
        yield file


def draft(overlay: Path, *more: str, version: str = "1.2") -> Result:
    """The result of `contract draft` from the file of 1.1."""
    return contract("draft", version, "--from", str(NEWEST), "--overlay", str(overlay), *more)


@pytest.mark.usefixtures("version_1_alone")
def test_an_overlay_becomes_the_contract_that_governs(
    overlay: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draft, lint, diff, publish, activate; the difference of the texts is no longer than the overlay."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    done = contract("draft", "1.2", "--from", "1.1", "--overlay", str(overlay))
    assert (done.exit_code, done.stderr) == (DONE, "")
    assert done.stdout.splitlines()[0].startswith("draft-1.2.yaml: 1.1 to 1.2: ")
    text = Path("draft-1.2.yaml").read_text()
    lines = [line for line in unified_diff(NEWEST.read_text().splitlines(), text.splitlines(), n=0) if line[0] in "+-"]
    assert len(lines) <= len(OVERLAY.splitlines()) + 6
    assert contract("lint", "draft-1.2.yaml").exit_code == DONE
    assert json.loads(contract("diff", "1.1", "draft-1.2.yaml", "--json").stdout)["class"] in done.stdout
    assert contract("publish", "draft-1.2.yaml").exit_code == DONE
    assert contract("activate", "1.2").exit_code == DONE
    done = contract("draft", "1.2", "--from", "1.1", "--overlay", str(overlay), "--output", "again.yaml")
    assert (done.exit_code, Path("again.yaml").exists()) == (MISUSED, False)
    assert "published already" in done.stderr


def test_a_draft_of_a_file_needs_no_database(overlay: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A major change in a minor version is named at once."""
    monkeypatch.setenv("IR_DATABASE_URL", "postgresql://user@127.0.0.1:1/none")
    overlay.write_text(OVERLAY + "  - target: $.paths['/annotations'].get\n    remove: true\n")
    assert "publish will refuse it as 1.2: a major change needs 2.0" in draft(overlay).stdout


def test_a_file_is_overwritten_only_if_that_is_wanted(overlay: Path) -> None:
    """The refused draft leaves the file as it is, and no other file."""
    Path("next.yaml").write_text("mine")
    with pytest.raises(ContractError, match=r"next\.yaml exists: .* --force"):
        draft(overlay, "--output", "next.yaml")
    assert Path("next.yaml").read_text() == "mine"
    assert draft(overlay, "--output", "next.yaml", "--force").exit_code == DONE
    assert 'version: "1.2"' in Path("next.yaml").read_text()
    assert sorted(path.name for path in Path().iterdir()) == ["change.yaml", "next.yaml"]


@pytest.mark.parametrize(("version", "words"), [("1.1", "is not higher than 1.1"), ("1.02", "MAJOR.MINOR")])
def test_a_version_that_a_draft_cannot_have_is_refused(overlay: Path, version: str, words: str) -> None:
    """It must be higher than the base, and a version."""
    done = draft(overlay, version=version)
    assert (done.exit_code, words in done.stderr) == (MISUSED, True)
