"""`scripts/demo` on a copy of the project without installed packages."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.test_layers import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the files that git tracks or would add."""
    copy = tmp_path_factory.mktemp("checkout")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    return copy


@contextmanager
def demo(checkout: Path) -> Iterator[tuple[str, float]]:
    """The output of `scripts/demo` before it serves, and the seconds until then."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IR_", "VIRTUAL_ENV"))}
    began = time.monotonic()
    process = subprocess.Popen(
        ["scripts/demo", "--port", "0"], cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True
    )
    output = ""
    try:
        for line in process.stdout or ():
            output += line
            if "Stop with Ctrl-C" in line:
                break
        yield output, time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(300)
        if process.stdout:
            process.stdout.close()


def test_the_demo_serves_and_its_curl_works(checkout: Path) -> None:
    """On the first and on a second run: the printed command gets 201, and the row is in the database."""
    for run in (1, 2):
        with demo(checkout) as (output, seconds):
            command = re.search(r"^curl .*?'$(?!\n  )", output, re.DOTALL | re.MULTILINE)
            assert command, output
            response = subprocess.run(["bash", "-c", command[0]], capture_output=True, text=True, check=True).stdout
            assert response.startswith("HTTP/1.1 201 Created"), response
            assert f"Its data lives in {checkout}/.data" in output
            with psycopg.connect(f"postgresql://postgres@/postgres?host={checkout}/.data/postgresql") as connection:
                assert connection.execute("SELECT count(*) FROM interaction_events").fetchone() == (run,)
        print(f"run {run} of scripts/demo served after {seconds:.1f} s")
