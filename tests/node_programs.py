"""Programs of `tests/node`, which try third-party clients and servers."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

SOURCES = Path(__file__).with_name("node")
SECONDS = 120


@dataclass(frozen=True)
class Process:
    """A running program: the test writes a line to it, and reads a line from it."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        """The next line that it prints."""
        return _required(self.process.stdout).readline().strip()

    def prompt(self) -> str:
        """Send an empty line, and return the next line that the program prints."""
        stdin = _required(self.process.stdin)
        stdin.write("\n")
        stdin.flush()
        return self.line()


@dataclass(frozen=True)
class Programs:
    """The programs, in a directory with the packages that they need."""

    directory: Path

    def run(self, name: str, *arguments: str, **environment: str) -> str:
        """The output of the program; AssertionError if it fails."""
        command = ["node", f"{name}.mjs", *arguments]
        variables = {"PATH": os.environ["PATH"], **environment}
        completed = subprocess.run(
            command, cwd=self.directory, env=variables, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    @contextmanager
    def running(self, name: str, *arguments: str) -> Iterator[Process]:
        """The program while it runs; it ends when its standard input is closed."""
        pipe = subprocess.PIPE
        command = ["node", f"{name}.mjs", *arguments]
        with subprocess.Popen(command, cwd=self.directory, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield Process(process)
            finally:
                _required(process.stdin).close()
                process.wait(SECONDS)


def programs(directory: Path) -> Programs:
    """The programs in `directory`, installed. Without npm the test is skipped; in CI it fails."""
    if not shutil.which("npm"):
        (pytest.fail if "CI" in os.environ else pytest.skip)("npm is not installed")
    copied = directory / "node"
    shutil.copytree(SOURCES, copied, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    completed = subprocess.run(command, cwd=copied, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert completed.returncode == 0, completed.stderr
    return Programs(copied)


def _required(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
