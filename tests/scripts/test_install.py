"""Which Python `scripts/install` takes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.test_layers import ROOT

WITHOUT_PIP = """#!/bin/sh
case "$*" in *pip*) echo "No module named pip" >&2; exit 1;; esac
exit 0
"""
WITH_PIP = """#!/bin/sh
if [ "$1" = -m ]; then echo "took $0"; exit 3; fi
exit 0
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder on PATH: it has the first python3, which has no pip, and what the script needs beside Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "dirname", "cat", "cksum", "sed", "head", "rm", "mkdir"):
        (folder / name).symlink_to(shutil.which(name) or name)
    add(folder / "python3", WITHOUT_PIP)
    return folder


def add(path: Path, text: str) -> None:
    """Make `path` a program."""
    path.write_text(text)
    path.chmod(0o755)


def install(directory: Path, programs: Path) -> "subprocess.CompletedProcess[str]":
    """What copies of the scripts do with these programs."""
    folder = directory / "project" / "scripts"
    folder.mkdir(parents=True)
    for name in ("install", "uv"):
        shutil.copy2(ROOT / "scripts" / name, folder)
    shutil.copy2(ROOT / "pyproject.toml", folder.parent)
    environment = os.environ | {"PATH": str(programs)}
    return subprocess.run([folder / "install"], env=environment, capture_output=True, text=True, check=False)


def test_a_python_without_pip_is_passed_over(tmp_path: Path, programs: Path) -> None:
    """The next candidate is asked to install; the first on PATH is the one of another project's environment."""
    add(programs / "python3.12", WITH_PIP)
    done = install(tmp_path, programs)
    assert (done.returncode, done.stdout) == (3, f"took {programs}/python3.12\n"), done.stderr


def test_without_a_python_that_has_pip_the_words_say_so(tmp_path: Path, programs: Path) -> None:
    """Nothing is installed, and pip is named."""
    done = install(tmp_path, programs)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("error: Python 3.11 or later with pip is needed; on Debian: apt install python3-pip\n")
