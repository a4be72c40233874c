"""The Python interpreter that `scripts/install` uses."""

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
    """The only folder on PATH: it has a python3 without pip, and the programs that the script needs besides Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "dirname", "cat", "cksum", "sed", "head", "rm", "mkdir", "sort"):
        (folder / name).symlink_to(shutil.which(name) or name)
    add(folder / "python3", WITHOUT_PIP)
    return folder


def add(path: Path, text: str) -> None:
    """Write a program to `path`."""
    path.write_text(text)
    path.chmod(0o755)


def install(directory: Path, programs: Path) -> "subprocess.CompletedProcess[str]":
    """The result of copies of the scripts with these programs."""
    folder = directory / "project" / "scripts"
    folder.mkdir(parents=True)
    for name in ("install", "uv"):
        shutil.copy2(ROOT / "scripts" / name, folder)
    shutil.copy2(ROOT / "pyproject.toml", folder.parent)
    environment = os.environ | {"PATH": str(programs)}
    return subprocess.run([folder / "install"], env=environment, capture_output=True, text=True, check=False)


def test_install_skips_a_python_without_pip(tmp_path: Path, programs: Path) -> None:
    """The next candidate runs the installation; the first on PATH may belong to another project's environment."""
    add(programs / "python3.12", WITH_PIP)
    done = install(tmp_path, programs)
    assert (done.returncode, done.stdout) == (3, f"took {programs}/python3.12\n"), done.stderr


def test_install_reports_that_no_python_has_pip(tmp_path: Path, programs: Path) -> None:
    """It installs nothing, and the error names pip."""
    done = install(tmp_path, programs)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("error: Python 3.11 or later with pip is needed; on Debian: apt install python3-pip\n")
