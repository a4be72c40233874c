"""The service as a process: the effects of its end, of a lost worker, and of changes in its database."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from db import contracts, embedded
from db.engine import Database
from scripts.trials.fresh_service import Service, StartFailedError, fresh_service, service_on
from tests.examples import EVENT, PATH
from tests.load import load
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def post(service: Service, event: Mapping[str, object] = EVENT) -> httpx.Response:
    """The response to one event on a connection of its own."""
    return httpx.post(service.url + PATH, json=event, headers={"Authorization": f"Bearer {service.key}"})


def run_command(service: Service, *arguments: str) -> None:
    """Run a command on the database of `service`."""
    environment = os.environ | {"IR_DATA_DIR": str(service.data_dir)}
    subprocess.run([sys.executable, "-m", "scripts.cli", *arguments], env=environment, check=True, capture_output=True)


def stored(data_dir: Path) -> set[str]:
    """The ids of the events in the embedded database of `data_dir`."""
    with embedded.running(data_dir) as url, psycopg.connect(url) as connection:
        return {str(identifier) for (identifier,) in connection.execute("SELECT id FROM interaction_events")}


def log_of(service: Service) -> list[dict[str, object]]:
    """The lines of the log."""
    return [json.loads(line) for line in service.log.read_text().splitlines()]


def wait_for_workers(service: Service, count: int) -> list[int]:
    """The ids of the first `count` processes that log that they serve, once there are so many."""
    deadline = time.monotonic() + 60
    while len(workers := [int(str(line["process"])) for line in log_of(service) if line["event"] == "serving"]) < count:
        assert time.monotonic() < deadline, f"fewer than {count} workers ever served"
        time.sleep(0.05)
    return workers[:count]


def test_every_acknowledged_event_survives_kill_9(directory: Path) -> None:
    """The service, its workers and PostgreSQL are killed under load; after a restart every 201 is a row."""
    with service_on(directory, "--workers", "2") as service, load(service.url, service.key) as requests:
        requests.wait_for(300)
        postmaster = int((service.data_dir / "postgresql" / "postmaster.pid").read_text().split()[0])
        workers = psutil.Process(service.process.pid).children(recursive=True)
        os.kill(service.process.pid, signal.SIGKILL)
        os.kill(postmaster, signal.SIGKILL)
        for worker in workers:
            worker.wait(300)
    with service_on(directory) as service:
        assert set(requests.acknowledged) <= stored(service.data_dir)
        assert post(service).status_code == 201


def test_a_drain_drops_no_request(directory: Path) -> None:
    """After SIGTERM under load every sent request is answered, and the acknowledged events are the stored ones."""
    with service_on(directory) as service, load(service.url, service.key) as requests:
        requests.wait_for(200)
        service.process.terminate()
        assert service.process.wait(300) == 0
    assert {type(failure) for failure in requests.failures} == {httpx.ConnectError}
    assert requests.statuses == []
    assert set(requests.acknowledged) == stored(directory / "data")


def test_a_drain_answers_what_it_cuts(directory: Path) -> None:
    """A request whose body does not come gets 503 at the end of the drain, and a line in the log."""
    with service_on(directory, IR_DRAIN_TIMEOUT="1") as service:
        host, port = service.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as client:
            fields = f"Host: {host}\r\nAuthorization: Bearer {service.key}\r\nContent-Type: application/json"
            client.sendall(f"POST {PATH} HTTP/1.1\r\n{fields}\r\nContent-Length: 100\r\n\r\n{{".encode())
            time.sleep(0.5)
            service.process.terminate()
            answer = client.makefile("rb").read().decode()
        service.process.wait(60)
        (line,) = [line for line in service.log.read_text().splitlines() if '"problem":"stopping"' in line]
    assert answer.startswith("HTTP/1.1 503 ")
    assert json.loads(line)["request_id"] in answer


def test_a_delay_keeps_the_service_open_but_not_ready(directory: Path) -> None:
    """After SIGTERM new connections are accepted for so long, and readiness says that the service is about to stop."""
    with service_on(directory, IR_DRAIN_DELAY="4") as service:
        service.process.terminate()
        wait_until(lambda: httpx.get(f"{service.url}/health/ready").status_code == 503, 3)
        answer = httpx.get(f"{service.url}/health/ready")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["the service is about to stop"])
        assert post(service).status_code == 201
        assert service.process.wait(60) == 0
        with pytest.raises(httpx.ConnectError):
            post(service)


def test_a_container_without_a_public_url_serves_no_tokens(directory: Path) -> None:
    """Version 1 is served; version 2 is not, and the reason is in the log and in readiness."""
    with service_on(directory, IR_HOST="0.0.0.0") as service:  # noqa: S104 (as in a container)
        assert post(service).status_code == 201
        answer = httpx.get(f"{service.url}/health/ready").json()
        assert answer["contracts"] == ["1.1"]
        (warning,) = answer["warnings"]
        assert warning.startswith("contract 2.0 is not served: IR_PUBLIC_URL is unset: ")
        assert httpx.post(service.url + PATH.replace("v1", "v2"), json=EVENT).status_code == 404
    assert warning in [line["event"] for line in log_of(service) if line["level"] == "ERROR"]


def test_a_stop_writes_the_held_log_of_every_worker(directory: Path) -> None:
    """The lines that a worker holds at SIGTERM are those of the last requests."""
    with service_on(directory, "--workers", "2") as service:
        wait_for_workers(service, 2)
        identifiers = {post(service).headers["x-request-id"] for _ in range(20)}
    lines = log_of(service)
    assert identifiers <= {line.get("request_id") for line in lines}
    assert len({line["process"] for line in lines if line["event"] == "stopping"}) == 2


def test_a_stop_stops_the_embedded_database(directory: Path) -> None:
    """No postmaster outlives the service that started it."""
    with service_on(directory) as service:
        assert (service.data_dir / "postgresql" / "postmaster.pid").exists()
    assert not (service.data_dir / "postgresql" / "postmaster.pid").exists()


def test_a_worker_that_dies_is_replaced(directory: Path) -> None:
    """After a worker is killed, another starts to serve, and the service answers."""
    with service_on(directory, "--workers", "2") as service:
        worker, _ = wait_for_workers(service, 2)
        os.kill(worker, signal.SIGKILL)
        wait_for_workers(service, 3)
        assert post(service).status_code == 201


@pytest.mark.parametrize("command", ["rotate-key", "disable"])
def test_every_worker_refuses_a_revoked_key_at_once(command: str) -> None:
    """From the moment the command returns, no worker accepts the old key."""
    with fresh_service("--workers", "2") as service:
        wait_for_workers(service, 2)
        assert post(service).status_code == 201
        run_command(service, "hub", command, "demo")
        deadline = time.monotonic() + 60
        while len({line["process"] for line in log_of(service) if line.get("status") == 401}) < 2:
            assert time.monotonic() < deadline, "one worker was never asked"
            assert post(service).status_code == 401


def test_an_edited_row_is_served_and_reported(directory: Path) -> None:
    """A field that SQL adds to the row is accepted and stored after a restart; the log and readiness report it."""
    with service_on(directory) as service:
        assert post(service, EVENT | {"session_ref": "s-1"}).status_code == 422
        with psycopg.connect(f"postgresql://postgres@/postgres?host={service.data_dir}/postgresql") as connection:
            connection.execute(
                "UPDATE interaction_reporting_contracts SET document = replace(document, "
                "'        actor_type:\n          $ref', "
                "'        session_ref: {type: string, maxLength: 99}\n        actor_type:\n          $ref') "
                "WHERE contract_version = '1.1'"
            )
    with service_on(directory) as service:
        assert post(service, EVENT | {"session_ref": "s-1"}).status_code == 201
        with psycopg.connect(f"postgresql://postgres@/postgres?host={service.data_dir}/postgresql") as connection:
            rows = connection.execute("SELECT additional_fields FROM interaction_events").fetchall()
        assert rows == [({"session_ref": "s-1"},)]
        (warning,) = httpx.get(service.url + "/health/ready").json()["warnings"]
        assert "the row governs" in warning
        assert warning in [line["event"] for line in log_of(service)]


def test_a_start_on_a_broken_row_serves_the_last_served_contract(directory: Path) -> None:
    """The log and readiness report it; only without a last contract the start fails, with the reason in one line."""
    url = f"postgresql://postgres@/postgres?host={directory}/data/postgresql"
    with service_on(directory), psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE interaction_reporting_contracts SET document = replace(document, 'reportInteractionEvent', 'xyz')"
        )
    with service_on(directory) as service, psycopg.connect(url) as connection:
        assert post(service).status_code == 201
        warning = httpx.get(service.url + "/health/ready").json()["warnings"][0]
        assert "'xyz' names no operation of this release; contract 1.1 (" in warning
        assert warning in [line["event"] for line in log_of(service) if line["level"] == "ERROR"]
        connection.execute("TRUNCATE interaction_reporting_contracts_served")
    with pytest.raises(StartFailedError, match=r"error: .*'xyz' names no operation of this release") as failed:
        service_on(directory).__enter__()
    assert "Traceback" not in str(failed.value)


def served_by(service: Service, version: str, since: float) -> set[object]:
    """The processes that started to serve `version` after `since`, in seconds since 1970."""
    return {
        line["process"]
        for line in log_of(service)
        if (line["event"], line.get("contract")) == ("contract served", version)
        and datetime.fromisoformat(str(line["timestamp"])).timestamp() >= since
    }


def test_activations_reach_every_worker_and_lose_no_request(directory: Path, database_url: str) -> None:
    """Two minors take turns under load, soon on each of two workers and of another service on the same database."""
    for name in ("first", "second"):
        (directory / name).mkdir()
    settings = {"IR_DATABASE_URL": database_url}
    with (
        service_on(directory / "second", **settings) as second,
        service_on(directory / "first", "--workers", "2", **settings) as first,
        closing(Database(database_url)) as database,
        load(first.url, first.key, threads=4) as requests,
    ):
        wait_for_workers(first, 2)
        for version in ("1.0", "1.1") * 3:
            with database.begin() as connection:
                contracts.activate(connection, version)
            activated = time.time()
            while len(served_by(first, version, activated - 1)) < 2 or not served_by(second, version, activated - 1):
                assert time.time() < activated + 60, f"contract {version} is not served by each worker"  # if busy
                time.sleep(0.02)
            requests.wait_for(len(requests.acknowledged) + 20)
    assert (requests.statuses, requests.failures) == ([], [])


def test_an_address_in_use_is_reported(directory: Path) -> None:
    """A second service on the same port ends at once, with the reason."""
    with fresh_service() as service:
        port = service.url.rsplit(":", 1)[1]
        with pytest.raises(StartFailedError, match=r"error: .*Address already in use"):
            service_on(directory, "--port", port).__enter__()
