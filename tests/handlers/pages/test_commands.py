"""The commands that pages tell operators to run."""

import re

from scripts.cli import COMMANDS
from tests.test_layers import ROOT

SOURCES = [*(ROOT / "handlers" / "templates").glob("*.html"), *(ROOT / "handlers" / "portal").glob("*.py")]


def test_each_command_exists() -> None:
    """A group of commands, and the command in it."""
    text = "".join(path.read_text() for path in SOURCES)
    named = set(re.findall(r"interaction-reporting ([a-z-]+ [a-z-]+)", text))
    assert named
    assert named - COMMANDS.keys() == set()
