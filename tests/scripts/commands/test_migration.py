"""The commands of the migration window, and what workers count in it."""

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
    """Runs `migration` with arguments on the test's own database. What it raises is raised."""
    monkeypatch.setenv("IR_DATABASE_URL", database_url)
    return lambda *arguments: CliRunner().invoke(app, ["migration", *arguments], catch_exceptions=False)


def test_a_hub_is_cut_over_and_back(run: Run, database: Database) -> None:
    """Each command prints the hub; what is refused says why, and changes nothing."""
    with database.begin() as connection:
        hub, _ = hubs.create(connection, "acme")
        hubs.create(connection, "other")
    with pytest.raises(Refused, match=r"never seen on version 2.*--force"):
        run("cut-over", "acme")
    with pytest.raises(NotFound):
        run("cut-over", "nobody", "--force")
    with pytest.raises(NotFound):
        run("back", "nobody")
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
        assert [one.cut_over_at is not None for one in hubs.list_all(connection)] == [True, False]


def test_status_tells_the_same_in_each_form(run: Run, database: Database) -> None:
    """For a terminal, which obeys nothing of it, as Markdown, as a page and as JSON; it exits 0 whoever would break."""
    now = datetime.now(UTC)
    with database.begin() as connection:
        hub, _ = hubs.create(connection, HOSTILE)
        version_usage.add(connection, Counter({(hub.id.int, "1.1"): 12}), now)
        version_usage.add(connection, Counter({(hub.id.int, "1.1"): 5}), now - timedelta(days=5))
    told = run("status", "--days", "2")
    assert told.exit_code == 0
    assert "1 of 1 hubs would break if version 1 ended" in told.stdout
    assert "would break: uses version 1 alone" in told.stdout
    assert f"{now.date()}: 12 / 0" in told.stdout
    assert f"{now.date() - timedelta(days=1)}: " not in told.stdout
    assert "\\x1b[31m<script>" in told.stdout
    assert "\x1b" not in told.stdout + run("status", "--format", "markdown").stdout
    assert "17 / 0" in run("status", "--format", "markdown").stdout
    assert "<th scope=row><bdi>\\x1b[31m&lt;script&gt;</bdi>" in run("status", "--format", "html").stdout
    (found,) = json.loads(run("status", "--json").stdout)["hubs"]
    assert (found["hub"], found["would_break"], found["versions"][0]["total"]) == (HOSTILE, True, 17)


def test_without_hubs_there_is_nobody_to_tell_of(run: Run) -> None:
    """The versions are told all the same."""
    told = run("status")
    assert "Version 2 (contract 2.0) is active." in told.stdout
    assert told.stdout.endswith("There are none.\n")
    assert run("status", "--days", "0").exit_code == 2


def test_nothing_is_lost_that_workers_counted(directory: Path, database_url: str) -> None:
    """Two workers add up what they count, the last of it when SIGTERM ends them; who is cut over is refused by both."""
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
            with database.begin() as changed:
                hubs.cut_over(changed, "demo", None)
            wait_until(lambda: set(post(service, 10)) == {403}, 3)
            wait_until(lambda: set(post(service, 10)) == {403} and len(refusing(service)) == 2, 20)
            os.kill(service.process.pid, signal.SIGTERM)
            service.process.wait(120)
        assert connection.execute(COUNT).fetchone() == (sent,)


def refusing(service: Service) -> set[int]:
    """The workers that have logged a 403."""
    lines = [json.loads(line) for line in service.log.read_text().splitlines()]
    return {line["process"] for line in lines if line.get("status") == 403}
