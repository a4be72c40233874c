"""Faults of what is around a running service: it serves on, or again, without a hand."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from scripts.trials.fresh_service import Service, service_on
from tests.examples import EVENT, PATH
from tests.load import load
from tests.postgresql import DEBIAN, debian_server
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def post(service: Service, timeout: float = 30) -> int:
    """The status of one event on a connection of its own; 0 without an answer."""
    headers = {"Authorization": f"Bearer {service.key}"}
    with suppress(httpx.TransportError):
        return httpx.post(service.url + PATH, json=EVENT, headers=headers, timeout=timeout).status_code
    return 0


def ready(service: Service) -> bool:
    """True if a worker says that it is ready."""
    with suppress(httpx.TransportError):
        return httpx.get(f"{service.url}/health/ready").status_code == 200
    return False


def log_of(service: Service, event: str) -> list[dict[str, object]]:
    """The lines of the log with this event."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def workers(service: Service) -> set[int]:
    """The living workers that serve."""
    served = {int(str(line["worker"])) for line in log_of(service, "a worker serves")}
    return served & {child.pid for child in psutil.Process(service.process.pid).children()}


def kill_worker(service: Service) -> None:
    """Kill one of two serving workers."""
    wait_until(lambda: len(workers(service)) == 2)
    os.kill(min(workers(service)), signal.SIGKILL)


def kill_postmaster(data_dir: Path) -> None:
    """Kill the embedded PostgreSQL."""
    os.kill(int((data_dir / "postgresql" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


@contextmanager
def database_away(url: str) -> Iterator[None]:
    """Stop Debian's server at `url` as if it had crashed, and start it again at the end."""
    directory = url.split("host=")[1]
    user = "postgres" if os.geteuid() == 0 else None

    def control(*arguments: str) -> None:
        command = [str(DEBIAN / "pg_ctl"), "--wait", "-D", f"{directory}/data", *arguments]
        subprocess.run(command, user=user, check=True, stdout=subprocess.DEVNULL)

    control("stop", "--mode=immediate")
    try:
        yield
    finally:
        control("start", f"--options=-h '' -k {directory}", f"--log={directory}/log")


def test_a_worker_and_the_database_die_together(directory: Path) -> None:
    """The replacement starts at once and waits for the database; once it is back both workers serve."""
    with debian_server() as url, service_on(directory, "--workers", "2", IR_DATABASE_URL=url) as service:
        wait_until(lambda: len(workers(service)) == 2)
        with database_away(url):
            kill_worker(service)
            wait_until(lambda: len(log_of(service, "a worker starts")) == 3, 10)
            time.sleep(8)  # the survivor and the replacement go on without it
            assert post(service) == 503
            assert len(log_of(service, "a worker starts")) == 3
        wait_until(lambda: post(service) == 201, 10)
        wait_until(lambda: len(workers(service)) == 2, 20)
        assert service.process.poll() is None


def test_the_embedded_database_is_started_again_under_load(directory: Path) -> None:
    """Events are stored again soon after its end, and none that was acknowledged is missing."""
    with service_on(directory, "--workers", "2") as service:
        with load(service.url, service.key, threads=2) as requests:
            requests.wait_for(50)
            kill_postmaster(service.data_dir)
            wait_until(lambda: log_of(service, "the embedded PostgreSQL runs again"), 30)
            requests.wait_for(len(requests.acknowledged) + 50)
        assert set(requests.statuses) <= {503}
        headers = {"Authorization": f"Bearer {service.key}"}
        lines = httpx.get(f"{service.url}{PATH}/export?format=ndjson", headers=headers).text.split()
        assert set(requests.acknowledged) <= {json.loads(line)["id"] for line in lines}


def test_a_removed_runtime_directory_is_made_anew(directory: Path) -> None:
    """Events are stored as before, and the metrics of both workers are soon complete again."""
    with service_on(directory, "--workers", "2", IR_RUNTIME_DIR=f"{directory}/run") as service:

        def counted(events: int) -> bool:
            text = httpx.get(f"{service.url}/metrics").text
            return f'items_total{{kind="event",outcome="created"}} {events}.0' in text

        wait_until(lambda: len(workers(service)) == 2)
        assert post(service) == 201
        shutil.rmtree(directory / "run")
        assert post(service) == 201
        wait_until(lambda: counted(2), 10)
        kill_worker(service)
        wait_until(lambda: len(workers(service)) == 2)
        assert post(service) == 201
        wait_until(lambda: counted(3), 10)
    assert list((directory / "run").iterdir()) == []


def test_a_stalled_reader_of_the_log_stops_nothing(directory: Path) -> None:
    """Events and health are answered although no process reads the pipe, and SIGTERM ends the service."""
    read, write = os.pipe()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
    environment |= {"IR_DATA_DIR": f"{directory}/data", "IR_PORT": "0"}
    command = [sys.executable, "-m", "scripts.cli", "serve", "--demo", "--workers", "2"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=write, text=True) as process:
        os.close(write)
        assert process.stdout
        url = next(line.split()[-1].removesuffix("/api/v1") for line in process.stdout if "serves at" in line)
        key = (directory / "data" / "demo-hub.key").read_text()
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
            wait_until(lambda: client.get("/health/ready").status_code == 200)
            for _ in range(1000):
                assert client.post(PATH, json=EVENT).status_code == 201
            assert client.get("/health/live").status_code == 200
        process.stdout.close()
        process.terminate()
        assert process.wait(60) == 0
    assert os.read(read, 2**20).count(b"\n") < 1000, "the pipe was full"
    os.close(read)


def test_a_closed_standard_error_is_no_socket(directory: Path) -> None:
    """What a process writes to it goes nowhere, and not to a client."""
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh"]
    with service_on(directory, "--workers", "2", prefix=closed) as service:
        assert post(service) == 201
        supervisor = psutil.Process(service.process.pid)
        workers = [child for child in supervisor.children() if "spawn_main" in str(child.cmdline())]
        assert len(workers) == 2
        streams = {Path(f"/proc/{process.pid}/fd/2").readlink() for process in [supervisor, *workers]}
        assert streams == {Path(os.devnull)}


def test_a_full_table_of_descriptors_stops_nothing(directory: Path) -> None:
    """With 100 idle connections and 64 descriptors, the oldest idle ones make room, and the log says so."""
    limit = ["prlimit", "--nofile=64:64"]
    with service_on(directory, prefix=limit) as service, ExitStack() as idle:
        host, port = service.url.removeprefix("http://").split(":")
        for _ in range(100):
            idle.enter_context(socket.create_connection((host, int(port))))
        for _ in range(5):
            assert httpx.get(f"{service.url}/health/live", timeout=5).status_code == 200
            assert post(service, timeout=5) == 201
        assert any("ulimit -n" in line for line in service.log.read_text().splitlines())
