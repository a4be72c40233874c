"""A fresh service for `fuzz`, `bench` and the tests; its data is discarded afterwards."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from db import contracts
from scripts.service.databases import connected
from scripts.service.serve import prepare
from scripts.service.settings import Settings

DATA = "data"
PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Service:
    """A running service: its `url` without the path of a version, the key of its demo hub, and its files."""

    url: str
    key: str
    data_dir: Path
    process: subprocess.Popen[str]
    log: Path


class StartFailedError(RuntimeError):
    """The service did not start; the message is the end of its log."""


@contextmanager
def fresh_service(*options: str, contract: str | None = None, **settings: str) -> Iterator[Service]:
    """`interaction-reporting serve --demo` with `options`, on a free port, with only `settings`, by variable.

    The contract of version `contract` governs, or the newest of the release. On exit the service is drained, and its
    embedded PostgreSQL is stopped and removed.
    """
    with tempfile.TemporaryDirectory(prefix="interaction-reporting-") as directory:
        if contract is not None:
            with connected(Settings(data_dir=Path(directory, DATA))) as database:
                prepare(database)
                with database.begin() as connection:
                    contracts.activate(connection, contract)
        with service_on(Path(directory), *options, **settings) as service:
            yield service


@contextmanager
def service_on(directory: Path, *options: str, prefix: Sequence[str] = (), **settings: str) -> Iterator[Service]:
    """Like `fresh_service`, with data and log in `directory`, which is kept; `prefix` is a command that runs others."""
    log = directory / "service.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
    environment |= {"IR_DATA_DIR": str(directory / DATA), "IR_PORT": "0", **settings}
    command = [*prefix, sys.executable, "-m", "scripts.cli", "serve", "--demo", *options]
    with log.open("a") as errors:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603
    try:
        url = _url_of(process, log)
        _wait_until_ready(url, process, log)
        key = (directory / DATA / "demo-hub.key").read_text()
        yield Service(url, key, directory / DATA, process, log)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        if process.stdout:
            process.stdout.close()


def wait_for_workers(process: subprocess.Popen[str], log: Path, count: int) -> None:
    """Wait until uvicorn has logged that `count` workers serve; StartFailedError if they do not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while log.read_text().count("Application startup complete") < count:
        if process.poll() is not None or time.monotonic() > deadline:
            raise StartFailedError(log.read_text()[-4000:])
        time.sleep(0.05)


def _url_of(process: subprocess.Popen[str], log: Path) -> str:
    """The URL that `process` prints; StartFailedError if it ends or stays silent."""
    timer = threading.Timer(PATIENCE_SECONDS, process.kill)
    timer.start()
    try:
        for line in process.stdout or ():
            if match := re.search(r"serves at (\S+)/api/v1", line):
                return match[1]
    finally:
        timer.cancel()
    raise StartFailedError(log.read_text()[-4000:])


def _wait_until_ready(url: str, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{url}/health/ready", timeout=5):  # noqa: S310 (ours)
            return
    raise StartFailedError(log.read_text()[-4000:])
