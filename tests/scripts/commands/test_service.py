"""`serve` and `migrate`: the error for a database that cannot be reached."""

import os
import subprocess
import sys

import pytest

PROGRAM = "from scripts import cli; from scripts.service import serve; serve.PATIENCE_SECONDS = 0; cli.main()"
"""The command line, without the wait for a database that is unavailable."""
UNREACHABLE = "postgresql://me:hunter2@127.0.0.1:1/it"


@pytest.mark.parametrize("arguments", [["serve", "--port", "0"], ["migrate"]], ids=["serve", "migrate"])
def test_the_error_names_the_setting_of_an_unreachable_database(arguments: list[str]) -> None:
    """The command exits 1, and one line names the setting and the remedy, without the password."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
    environment |= {"IR_DATABASE_URL": UNREACHABLE, "IR_LOG_LEVEL": "error"}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the database of IR_DATABASE_URL cannot be reached: ")
    assert done.stderr.endswith("correct host and port in IR_DATABASE_URL\n")
    assert "hunter2" not in done.stderr
