"""The live tail served by two workers, as a program of its own, and what may happen to them."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from db.engine import Database
from scripts.service.serve import prepare

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Served:
    """A service with two workers: its URL and its supervisor."""

    url: str
    supervisor: psutil.Process

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that serve."""
        with suppress(psutil.NoSuchProcess):
            children = self.supervisor.children(recursive=True)
            return [child for child in children if "multiprocessing.spawn" in _line(child)]
        return []

    def server_of(self, local_port: int) -> psutil.Process | None:
        """The worker of the client's connection from `local_port`; None if there is none."""
        for worker in self.workers:
            with suppress(psutil.Error):
                for connection in worker.net_connections("tcp"):
                    if connection.raddr and connection.raddr.port == local_port:
                        return worker
        return None


def _line(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


@contextmanager
def two_workers(database_url: str, **settings: str) -> Iterator[Served]:
    """Serve on the empty or prepared database at `database_url` until the end of the block; settings by variable."""
    with closing(Database(database_url)) as database:
        prepare(database)
    with tempfile.TemporaryDirectory(prefix="ir-live-") as directory, Path(directory, "log").open("w") as log:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
        environment |= {"IR_DATABASE_URL": database_url, "IR_PORT": "0", "IR_WORKERS": "2", "IR_DATA_DIR": directory}
        environment |= {"IR_LOG_LEVEL": "info", "IR_DRAIN_DELAY": "0", "IR_RUNTIME_DIR": directory, **settings}
        command = [sys.executable, "-m", "tests.handlers.live.served"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout
            url = process.stdout.readline().strip()
            assert url, Path(directory, "log").read_text()[-3000:]
            _wait(url, Path(directory, "log"))
            yield Served(url, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
            process.stdout.close()  # type: ignore[union-attr] # it is a pipe


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        is_started = log.read_text().count("Application startup complete") >= 2
        with suppress(httpx.HTTPError):
            if is_started and httpx.get(f"{url}/health/ready").status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])
