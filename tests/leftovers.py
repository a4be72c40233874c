"""The temporary directory of a test run, and the cleanup after a killed run.

A process of the run inherits TMPDIR, which names the directory and so identifies the process. Run as a program, this
waits for the end of its standard input, which the run holds open: the operating system closes it however the run ends.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def own_temporary_directory() -> Iterator[None]:
    """Make a temporary directory that this process and its children use, and delete it when they end."""
    before = dict(os.environ)
    directory = Path(tempfile.mkdtemp(prefix="ir-"))
    directory.chmod(0o755)  # PostgreSQL, which does not run as root, has data below
    os.environ["TMPDIR"] = tempfile.tempdir = str(directory)
    program = [sys.executable, __file__, str(directory)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, env=before, start_new_session=True):
        yield
    tempfile.tempdir = None
    os.environ["TMPDIR"] = before.get("TMPDIR", "")


def end(directory: str) -> None:
    """Kill the processes whose temporary directory is `directory` or one below, and delete it."""
    for process in psutil.process_iter():
        try:
            if process.environ().get("TMPDIR", "").startswith(directory):
                process.kill()
        except psutil.Error:
            continue  # it has ended, or is another user's
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.stdin.read()
    end(sys.argv[1])
