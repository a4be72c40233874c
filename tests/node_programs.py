"""Programs of `tests/node`, by which others' clients and servers are tried."""

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
    """A program that runs: a line is written to it, and a line read from it."""

    process: subprocess.Popen[str]

    def line(self) -> str:
        """The next line that it prints."""
        return _required(self.process.stdout).readline().strip()

    def tell(self) -> str:
        """What it prints to an empty line."""
        given = _required(self.process.stdin)
        given.write("\n")
        given.flush()
        return self.line()


@dataclass(frozen=True)
class Programs:
    """The programs, in a directory that has the packages which they need."""

    directory: Path

    def run(self, name: str, *arguments: str, **environment: str) -> str:
        """What the program prints; CalledProcessError if it fails."""
        command = ["node", f"{name}.mjs", *arguments]
        given = {"PATH": os.environ["PATH"], **environment}
        done = subprocess.run(
            command, cwd=self.directory, env=given, capture_output=True, text=True, check=False, timeout=SECONDS
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def running(self, name: str, *arguments: str) -> Iterator[Process]:
        """The program while it runs; it ends when nothing more is written to it."""
        pipe = subprocess.PIPE
        command = ["node", f"{name}.mjs", *arguments]
        with subprocess.Popen(command, cwd=self.directory, stdin=pipe, stdout=pipe, text=True) as process:
            try:
                yield Process(process)
            finally:
                _required(process.stdin).close()
                process.wait(SECONDS)


def programs(directory: Path) -> Programs:
    """The programs in `directory`, installed. Where there is no npm the test is skipped; in CI it fails."""
    if not shutil.which("npm"):
        (pytest.fail if "CI" in os.environ else pytest.skip)("npm is not installed")
    copied = directory / "node"
    shutil.copytree(SOURCES, copied, ignore=shutil.ignore_patterns("node_modules"))
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=copied, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
    return Programs(copied)


def _required(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream
