"""`scripts/demo` on a copy of the project that has nothing installed."""

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
    """A copy of the files that git knows or would add."""
    copy = tmp_path_factory.mktemp("checkout")
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    return copy


@contextmanager
def demo(checkout: Path) -> Iterator[tuple[str, float]]:
    """What `scripts/demo` prints before it serves, and the seconds that this took."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("IR_", "VIRTUAL_ENV"))}
    began = time.monotonic()
    process = subprocess.Popen(
        ["scripts/demo", "--port", "0"], cwd=checkout, env=environment, stdout=subprocess.PIPE, text=True
    )
    printed = ""
    try:
        for line in process.stdout or ():
            printed += line
            if "Stop with Ctrl-C" in line:
                break
        yield printed, time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)
        if process.stdout:
            process.stdout.close()


def test_the_demo_serves_and_its_curl_works(checkout: Path) -> None:
    """From nothing, and then again: the printed command gets 201, and the row is in the database."""
    for run in (1, 2):
        with demo(checkout) as (printed, seconds):
            command = re.search(r"^curl .*?'$(?!\n  )", printed, re.DOTALL | re.MULTILINE)
            assert command, printed
            answered = subprocess.run(["bash", "-c", command[0]], capture_output=True, text=True, check=True).stdout
            assert answered.startswith("HTTP/1.1 201 Created"), answered
            assert f"Its data lives in {checkout}/.data" in printed
            with psycopg.connect(f"postgresql://postgres@/postgres?host={checkout}/.data/postgresql") as connection:
                assert connection.execute("SELECT count(*) FROM interaction_events").fetchone() == (run,)
        print(f"run {run} of scripts/demo served after {seconds:.1f} s")
