"""A test run that is killed leaves no process and no file behind."""

import subprocess
import sys
from pathlib import Path

import psutil

from tests.test_layers import ROOT
from tests.waiting import wait_until

SLEEPER = """
import subprocess, tempfile

def test_sleeps():
    sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    print(tempfile.mkdtemp(), sleeper.pid, flush=True)
    sleeper.wait()
"""


def test_processes_of_a_killed_run_end(tmp_path: Path) -> None:
    """Its process ends and its files are deleted, though the run itself can no longer do that."""
    (tmp_path / "test_sleeper.py").write_text(SLEEPER)
    run_tests = [sys.executable, "-m", "pytest", "-qs", "-p", "tests.conftest", "--rootdir"]
    with subprocess.Popen([*run_tests, tmp_path, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        directory, pid = run.stdout.readline().split()
        assert (Path(directory).is_dir(), psutil.pid_exists(int(pid))) == (True, True)
        run.kill()
    wait_until(lambda: not psutil.pid_exists(int(pid)) and not Path(directory).exists(), seconds=60)
