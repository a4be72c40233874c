"""A replica of the service that tests start, kill and start again."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.scripts.deploy.proxies import free_port
from tests.waiting import wait_until


@dataclass
class Replica:
    """`interaction-reporting serve`, always on the same port, with one worker unless `settings` say otherwise."""

    database_url: str
    directory: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The file of its log."""
        return self.directory / f"{self.port}.log"

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that serve: one worker has none of its own."""
        assert self.process
        parent = psutil.Process(self.process.pid)
        return [child for child in parent.children() if "spawn_main" in str(child.cmdline())] or [parent]

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
        environment |= {"IR_DATABASE_URL": self.database_url, "IR_PORT": str(self.port), "IR_LOG_LEVEL": "warning"}
        environment |= {"IR_DATA_DIR": str(self.directory), **self.settings}
        command = [sys.executable, "-m", "scripts.cli", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=log
            )
        wait_until(self._is_ready, 120)

    def end(self, number: signal.Signals) -> None:
        """Send the signal to it, and to its workers if it is SIGKILL; wait for its end."""
        assert self.process
        (os.killpg if number is signal.SIGKILL else os.kill)(self.process.pid, number)
        self.process.wait(120)

    def _is_ready(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health/ready").status_code == 200
        return False
