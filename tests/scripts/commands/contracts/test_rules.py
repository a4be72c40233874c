"""The command that prints the policy."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from openapi.diff.rules import RULES, WITHOUT_ROW
from scripts.cli import app

MISUSED = 2


def rules(*arguments: str) -> Result:
    """The result of the command."""
    return CliRunner().invoke(app, ["contract", "rules", *arguments], catch_exceptions=False)


def test_each_rule_has_one_row_in_each_format() -> None:
    """With its class, its audience and the reason."""
    rows = json.loads(rules("--json").stdout)
    assert [row["rule"] for row in rows] == [*RULES, *WITHOUT_ROW]
    assert rows[0] == {"rule": "text-changed", "class": "patch", "audience": "text", "why": RULES["text-changed"].why}
    text, markdown = rules().stdout.splitlines(), rules("--format", "markdown").stdout.splitlines()
    assert [line.split()[0] for line in text[1:]] == [row["rule"] for row in rows]
    assert [line.split("`")[1] for line in markdown[2:]] == [row["rule"] for row in rows]
    assert {line.count("|") for line in markdown} == {5}


def test_changed_severities_are_marked(tmp_path: Path) -> None:
    """The reason names the file; a file that cannot be read is an error that names it."""
    path = tmp_path / "severities.yaml"
    path.write_text("operation-added: none")
    (row,) = [row for row in json.loads(rules("--severities", str(path), "--json").stdout) if row["class"] == "none"]
    assert row["why"].endswith(f"Its severity was minor, changed by {path}.")
    for content, words in ((b"operation-ad: none", "operation-added"), (b"\xff", "byte 0 is not UTF-8")):
        path.write_bytes(content)
        done = rules("--severities", str(path))
        assert done.exit_code == MISUSED
        assert words in " ".join(done.stderr.replace("\u2502", " ").split())
    assert rules("--severities", str(tmp_path / "none.yaml")).exit_code == MISUSED
