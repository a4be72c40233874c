"""Programs on Node.js: those of `tests/node` try third-party clients and servers; `tests/node_generators` has tools."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

SOURCES = Path(__file__).parent
SECONDS = 120
INSTALLATION_SECONDS = 400
"""Less than the time of a test, so that a slow registry is named."""


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

    def run_tool(self, name: str, *arguments: str | Path) -> str:
        """The output of the command `name` of a package; AssertionError if it fails."""
        completed = subprocess.run(
            [self.command(name), *arguments],
            cwd=self.directory,
            env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return completed.stdout

    def command(self, name: str) -> Path:
        """The path of the command `name` of a package."""
        return self.directory / "node_modules" / ".bin" / name

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


def programs(directory: Path, folder: str = "node") -> Programs:
    """The programs of `folder` in `directory`, installed. Without npm the test is skipped; in CI it fails."""
    if not shutil.which("npm"):
        (pytest.fail if "CI" in os.environ else pytest.skip)("npm is not installed")
    copied = directory / folder
    shutil.copytree(SOURCES / folder, copied, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    completed = subprocess.run(
        command, cwd=copied, capture_output=True, text=True, check=False, timeout=INSTALLATION_SECONDS
    )
    assert completed.returncode == 0, completed.stderr
    return Programs(copied)


def check_pins(programs: Programs) -> None:
    """Raise AssertionError unless each package has one version, and the lock file names no registry."""
    lock = json.loads((programs.directory / "package-lock.json").read_text())
    declared = json.loads((programs.directory / "package.json").read_text())["dependencies"]
    assert all(version[0].isdigit() for version in declared.values())
    assert lock["packages"][""]["dependencies"] == declared
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def _required(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
