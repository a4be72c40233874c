"""Two replicas behind each proxy: what a hub with Idempotency-Keys notices when one dies, and when each is replaced."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest

from db import hubs, widgets
from db.engine import Database
from tests.examples import WIDGET
from tests.load import load
from tests.scripts.deploy.proxies import PROXIES, Proxy, free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

ROUNDS = 1


@dataclass
class Replica:
    """`interaction-reporting serve` with one worker, always on the same port."""

    database_url: str
    directory: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
        environment |= {"IR_DATABASE_URL": self.database_url, "IR_PORT": str(self.port), "IR_LOG_LEVEL": "warning"}
        environment["IR_DATA_DIR"] = str(self.directory)
        command = [sys.executable, "-m", "scripts.cli", "serve"]
        with (self.directory / f"{self.port}.log").open("ab") as log:
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
            return httpx.get(f"http://127.0.0.1:{self.port}/health/ready").status_code == 200
        return False


@contextmanager
def replicas(database_url: str, directory: Path) -> Iterator[list[Replica]]:
    """Two replicas on one database."""
    both = [Replica(database_url, directory), Replica(database_url, directory)]
    try:
        for replica in both:
            replica.start()
        yield both
    finally:
        for replica in both:
            replica.end(signal.SIGKILL)


@pytest.mark.parametrize("start", PROXIES)
def test_no_request_with_a_key_fails_while_replicas_die_and_are_replaced(
    start: Proxy, database: Database, directory: Path
) -> None:
    """One is killed and started again, then both are drained in turn: each event gets 201, and is stored once."""
    with database.begin() as connection:
        _, key = hubs.create(connection, "A hub that sends keys")
        widgets.register(connection, "Widget of the examples", UUID(WIDGET))
    with (
        replicas(database.url, directory) as both,
        start(both[0].port, both[1].port) as url,
        load(url, key, threads=4, pause=0.06, with_keys=True) as traffic,
    ):
        for number, replica in [
            (signal.SIGKILL, both[0]),
            (signal.SIGTERM, both[1]),
            (signal.SIGTERM, both[0]),
        ] * ROUNDS:
            traffic.wait_for(len(traffic.acknowledged) + 100)
            replica.end(number)
            traffic.wait_for(len(traffic.acknowledged) + 50)  # by the other replica
            replica.start()
        traffic.wait_for(len(traffic.acknowledged) + 100)
    assert (traffic.statuses, traffic.failures) == ([], [])
    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT id::text FROM interaction_events").fetchall()
    assert sorted(identifier for (identifier,) in rows) == sorted(traffic.acknowledged)
