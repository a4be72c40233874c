"""The commands `backup` and `restore`: the file, what is killed, and a service before and after."""

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import httpx
import psycopg
import pytest
from typer.testing import CliRunner, Result

from db import embedded
from db.engine import Database
from db.errors import Refused
from scripts.cli import app
from scripts.trials.fresh_service import Service, service_on
from tests.db.test_timelines import HUB, INSERT
from tests.examples import EVENT, PATH
from tests.postgresql import fresh_database
from tests.waiting import wait_until

COMMAND = [sys.executable, "-m", "scripts.cli"]

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the test's own database. Its exceptions are raised."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


@pytest.fixture
def empty_url(embedded_url: str) -> Iterator[str]:
    """The URL of an empty database."""
    with fresh_database(embedded_url, "restored_by_command") as url:
        yield url


def count(url: str) -> int:
    """The number of events in the database at `url`."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM interaction_events").fetchone()
    return row[0] if row else 0


def test_the_file_is_private_whole_and_not_replaced(run: Run, directory: Path) -> None:
    """Only its owner may read it; nothing is beside it; it is replaced with --force alone."""
    path = directory / "reporting.backup"
    path.with_name("reporting.backup.partial").write_bytes(b"left by a killed backup" * 100_000)
    done = run("backup", path, "--json")
    summary = json.loads(done.stdout)
    assert summary["tables"]["interaction_reporting_contracts"] == 3
    assert summary["bytes"] == path.stat().st_size < 1_000_000
    assert "Keep the file secret" in done.stderr
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(directory.iterdir()) == [path]
    before = path.read_bytes()
    with pytest.raises(Refused, match="exists: name another file, or replace it with --force"):
        run("backup", path)
    with pytest.raises(Refused, match="is a directory"):
        run("backup", directory)
    with pytest.raises(Refused, match="absent/x cannot be written: No such file or directory"):
        run("backup", directory / "absent" / "x")
    (directory / "dangling").symlink_to("absent")
    os.mkfifo(directory / "pipe")
    for name in ("dangling", "pipe"):
        with pytest.raises(Refused, match="is no regular file"):
            run("backup", directory / name, "--force")
    assert path.read_bytes() == before
    assert "revision" in run("backup", path, "--force").stdout
    assert path.read_bytes() != before


def test_what_is_restored_is_shown(run: Run, directory: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do next. A second restore is refused."""
    run("backup", directory / "backup")
    monkeypatch.setenv("IR_DATABASE_URL", empty_url)
    done = run("restore", directory / "backup", "--json")
    assert json.loads(done.stdout)["epoch"] > 1
    assert json.loads(done.stdout)["restored_to"] is None
    assert "Start the service on this database" in done.stderr
    with pytest.raises(Refused, match="was restored from this backup already"):
        run("restore", directory / "backup")
    assert run("restore", directory / "absent").exit_code == 2


def test_a_database_that_was_put_back_begins_a_timeline(run: Run) -> None:
    """On request, because nothing shows it; each time a later one."""
    first, second = (json.loads(run("begin-timeline", "--json").stdout)["epoch"] for _ in range(2))
    assert 1 < first < second


def test_a_database_whose_restore_was_cut_off_is_not_served(run: Run, database: Database) -> None:
    """Its positions might be given out twice."""
    with psycopg.connect(database.url) as connection:
        connection.execute("COMMENT ON TABLE alembic_version IS 'Has the rows of the backup of yesterday'")
    with pytest.raises(Refused, match="did not come to its end: call 'interaction-reporting restore'"):
        run("migrate")


@pytest.mark.slow
def test_a_backup_goes_through_a_pipe(database_url: str, directory: Path, empty_url: str) -> None:
    """The file is the same as one that is written by name; the words are on standard error."""
    environment = os.environ | {"IR_DATABASE_URL": database_url}
    pipe = f"set -o pipefail; {sys.executable} -m scripts.cli backup - | cat > {directory}/backup"
    done = subprocess.run(["bash", "-c", pipe], env=environment, capture_output=True, text=True, check=True)
    assert "rows were backed up" in done.stderr
    environment["IR_DATABASE_URL"] = empty_url
    subprocess.run([*COMMAND, "restore", directory / "backup"], env=environment, check=True, capture_output=True)


def waiting_for_lock(url: str) -> bool:
    """Whether a session waits for a lock."""
    with psycopg.connect(url) as connection:
        query = "SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = "
        return connection.execute((query + "current_database())").encode()).fetchone() is not None


@pytest.mark.slow
def test_a_killed_backup_leaves_no_file(run: Run, database_url: str, directory: Path) -> None:
    """There is no file by its name; SIGTERM leaves nothing at all, and the next backup succeeds."""
    path = directory / "backup"
    for number, left in ((signal.SIGKILL, ["backup.partial"]), (signal.SIGTERM, [])):
        with psycopg.connect(database_url) as connection:
            connection.execute("LOCK TABLE widgets IN ACCESS EXCLUSIVE MODE")
            environment = os.environ | {"IR_DATABASE_URL": database_url}
            process = subprocess.Popen([*COMMAND, "backup", path], env=environment, stderr=subprocess.DEVNULL)
            wait_until(lambda: waiting_for_lock(database_url), 60)
            process.send_signal(number)
            process.wait(60)
        assert [file.name for file in directory.iterdir()] == left
    run("backup", path)
    assert [file.name for file in directory.iterdir()] == ["backup"]


@pytest.mark.slow
def test_a_killed_restore_can_be_called_again(run: Run, database: Database, directory: Path, empty_url: str) -> None:
    """Killed while it stores rows, it leaves none."""
    with psycopg.connect(database.url) as connection:
        connection.execute(INSERT, (HUB, HUB, 50_000))
    run("backup", directory / "backup")
    environment = os.environ | {"IR_DATABASE_URL": empty_url}
    command = [*COMMAND, "restore", str(directory / "backup")]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    wait_until(lambda: copying(empty_url), 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not copying(empty_url), 60)
    assert count(empty_url) == 0
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert count(empty_url) == 50_000


def copying(url: str) -> bool:
    """Whether rows are being copied into the database at `url`."""
    with psycopg.connect(url) as connection:
        query = "SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 100"
        return connection.execute(query).fetchone() is not None


@pytest.mark.slow
def test_a_service_goes_on_with_its_backup(directory: Path) -> None:
    """From the embedded PostgreSQL of a running service to another one: the key works, and the epoch is new."""
    first, second = directory / "first", directory / "second"
    first.mkdir()
    second.mkdir()
    with service_on(first) as service:
        identifiers = [post(service, service.key).json()["id"] for _ in range(3)]
        on(service.data_dir, "backup", first / "backup")
        assert post(service, service.key).status_code == 201
        epoch = httpx.get(f"{service.url}/recovery").json()["epoch"]
    on(second / "data", "restore", first / "backup")
    shutil.copy(first / "data" / "demo-hub.key", second / "data" / "demo-hub.key")
    with service_on(second) as service:
        recovery = httpx.get(f"{service.url}/recovery").json()
        assert recovery["epoch"] > epoch == 1
        answer = post(service, service.key)
        assert answer.status_code == 201
        assert answer.headers["Data-Epoch"] == str(recovery["epoch"])
        headers = {"Authorization": f"Bearer {service.key}"}
        listed = httpx.get(f"{service.url}{PATH}", headers=headers).json()["items"]
    assert {event["id"] for event in listed} == {*identifiers, answer.json()["id"]}


@pytest.mark.slow
def test_claims_and_events_agree_under_load(directory: Path) -> None:
    """Each event that a hub sent during the backup is restored with its claim, or neither is."""
    first = directory / "first"
    first.mkdir()
    with service_on(first) as service, embedded.running(service.data_dir) as url:
        with psycopg.connect(url) as connection:
            connection.execute(INSERT, (HUB, HUB, 100_000))  # so that the backup takes a while
        ended = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(post_until, service, ended)
            try:
                on(service.data_dir, "backup", directory / "backup")
            finally:
                ended.set()
        on(directory / "second", "restore", directory / "backup")
        with embedded.running(directory / "second") as restored:
            events, claims = (identifiers(restored, query) for query in (SENT, CLAIMED))
    assert events == claims
    assert 0 < len(events) < sent.result()


SENT = "SELECT id FROM interaction_events WHERE client_event_id IS NOT NULL"
CLAIMED = "SELECT id FROM idempotency_keys"


def identifiers(url: str, query: LiteralString) -> set[object]:
    """The ids of the rows of `query` in the database at `url`."""
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute(query)}


def post_until(service: Service, ended: threading.Event) -> int:
    """Post events one after another until `ended` is set; returns their number."""
    with httpx.Client(headers={"Authorization": f"Bearer {service.key}"}) as client:
        for number in itertools.count():
            if ended.is_set():
                return number
            answer = client.post(f"{service.url}{PATH}", json=EVENT | {"client_event_id": str(uuid4())})
            assert answer.status_code == 201
    raise AssertionError


def post(service: Service, key: str) -> httpx.Response:
    """The answer to an event."""
    return httpx.post(f"{service.url}{PATH}", json=EVENT, headers={"Authorization": f"Bearer {key}"})


def on(data_dir: Path, *command: object) -> None:
    """Run a command on the embedded PostgreSQL in `data_dir`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
    arguments = [*COMMAND, *map(str, command)]
    subprocess.run(arguments, env=environment | {"IR_DATA_DIR": str(data_dir)}, check=True, capture_output=True)
