"""The commands of the migration, and the requests that workers count for it."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from typer.testing import CliRunner, Result

from db import hubs, version_usage
from db.engine import Database
from db.errors import NotFound, Refused
from scripts.cli import app
from scripts.trials.fresh_service import Service, service_on, wait_for_workers
from tests.examples import EVENT, PATH
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

COUNT = "SELECT coalesce(sum(count), 0)::integer FROM hub_requests"
HOSTILE = "\x1b[31m<script>"

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `migration` with arguments on the test's own database. Its exceptions are raised."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(app, ["migration", *arguments], catch_exceptions=False)


def test_commands_cut_a_hub_over_and_undo_it(run: Run, database: Database) -> None:
    """Each command prints the hub; a refused one reports the reason, and changes nothing."""
    with database.begin() as connection:
        hub, _ = hubs.create(connection, "acme")
        hubs.create(connection, "other")
    with pytest.raises(Refused, match=r"never seen on version 2.*--force"):
        run("cut-over", "acme")
    with pytest.raises(NotFound):
        run("cut-over", "absent", "--force")
    with pytest.raises(NotFound):
        run("back", "absent")
    assert json.loads(run("cut-over", "acme", "--force", "--json").stdout)["cut_over_at"]
    done = run("back", "acme", "--json")
    assert json.loads(done.stdout)["cut_over_at"] is None
    assert "accepted again within a second" in done.stderr
    with database.begin() as connection:
        version_usage.add(connection, Counter({(hub.id.int, "2.0"): 1}), datetime.now(UTC))
    done = run("cut-over", "acme", "--why", "It has moved.")
    assert done.exit_code == 0
    assert "It has moved." in done.stdout
    assert "'migration undo' reverses this" in done.stderr
    with database.begin() as connection:
        assert [hub.cut_over_at is not None for hub in hubs.list_all(connection)] == [True, False]


def test_status_has_the_same_content_in_each_format(run: Run, database: Database) -> None:
    """For a terminal, without control characters, as Markdown, HTML and JSON; it exits 0 even if hubs would break."""
    now = datetime.now(UTC)
    with database.begin() as connection:
        hub, _ = hubs.create(connection, HOSTILE)
        version_usage.add(connection, Counter({(hub.id.int, "1.1"): 12}), now)
        version_usage.add(connection, Counter({(hub.id.int, "1.1"): 5}), now - timedelta(days=5))
    done = run("status", "--days", "2")
    assert done.exit_code == 0
    assert "1 of 1 hubs would break if version 1 ended" in done.stdout
    assert "would break: uses version 1 only" in done.stdout
    assert f"{now.date()}: 12 / 0" in done.stdout
    assert f"{now.date() - timedelta(days=1)}: " not in done.stdout
    assert "\\x1b[31m<script>" in done.stdout
    assert "\x1b" not in done.stdout + run("status", "--format", "markdown").stdout
    assert "17 / 0" in run("status", "--format", "markdown").stdout
    assert "<th scope=row><bdi>\\x1b[31m&lt;script&gt;</bdi>" in run("status", "--format", "html").stdout
    (row,) = json.loads(run("status", "--json").stdout)["hubs"]
    assert (row["hub"], row["would_break"], row["versions"][0]["total"]) == (HOSTILE, True, 17)


def test_status_without_hubs_has_no_rows(run: Run) -> None:
    """It still shows the versions."""
    done = run("status")
    assert "Version 2 (contract 2.0) is active." in done.stdout
    assert done.stdout.endswith("There are none.\n")
    assert run("status", "--days", "0").exit_code == 2


def test_no_count_of_a_worker_is_lost(directory: Path, database_url: str) -> None:
    """Two workers add up their counts, the last ones when SIGTERM ends them; both refuse a cut-over hub."""
    settings = {"IR_DATABASE_URL": database_url}
    sent = 0

    def post(service: Service, count: int) -> list[int]:
        nonlocal sent
        sent += count
        headers = {"Authorization": f"Bearer {service.key}", "Connection": "close"}  # each goes to any worker
        with httpx.Client(base_url=service.url, headers=headers) as client:
            return [client.post(PATH, json=EVENT).status_code for _ in range(count)]

    with closing(Database(database_url)) as database, psycopg.connect(database_url, autocommit=True) as connection:
        with service_on(directory, "--workers", "2", **settings) as service:
            wait_for_workers(service.process, service.log, 2)
            assert set(post(service, 20)) == {201}
            with database.begin() as transaction:
                hubs.cut_over(transaction, "demo", None)
            wait_until(lambda: set(post(service, 10)) == {403}, 3)
            wait_until(lambda: set(post(service, 10)) == {403} and len(refusing(service)) == 2, 20)
            os.kill(service.process.pid, signal.SIGTERM)
            service.process.wait(300)
        assert connection.execute(COUNT).fetchone() == (sent,)


def refusing(service: Service) -> set[int]:
    """The workers that have logged a 403."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    return {line["process"] for line in lines if line.get("status") == 403}
