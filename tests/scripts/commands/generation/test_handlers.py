"""`interaction-reporting generate handlers`: what is missing, in the project's own folders."""

from pathlib import Path

from typer.testing import CliRunner

from openapi.contract import DOCUMENTS
from scripts.cli import app

DOCUMENT = DOCUMENTS / "interaction-reporting-1.1.yaml"


def test_it_writes_what_is_missing_and_says_which_rows_to_add(tmp_path: Path) -> None:
    """A second run writes nothing, and a file that was there is as it was."""
    document = tmp_path / "document.yaml"
    document.write_text(DOCUMENT.read_text().replace("operationId: getUsage", "operationId: getCounts"))
    (tmp_path / "handlers").mkdir()
    own = tmp_path / "handlers" / "usage.py"
    own.write_text("own = True\n")
    options = ["generate", "handlers", "--document", str(document), "--out", str(tmp_path)]
    ran = CliRunner().invoke(app, options)
    assert ran.exit_code == 0, ran.output
    assert '"getCounts": usage_get_counts.get_counts,' in ran.stderr
    assert "raise NotImplementedError" in (tmp_path / "handlers" / "usage_get_counts.py").read_text()
    assert own.read_text() == "own = True\n"
    assert CliRunner().invoke(app, options).stdout.startswith("Every operation")
    assert CliRunner().invoke(app, [*options, "--check"]).exit_code == 0


def test_our_own_document_needs_none(tmp_path: Path) -> None:
    """Every operation of it has a handler."""
    ran = CliRunner().invoke(app, ["generate", "handlers", "--document", str(DOCUMENT), "--out", str(tmp_path)])
    assert (ran.exit_code, list(tmp_path.iterdir())) == (0, [])
    assert ran.stdout == "Every operation of the document has a handler, or the beginning of one.\n"
