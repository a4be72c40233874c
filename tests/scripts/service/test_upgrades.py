"""Upgrades while the service runs: the tables of the next release, and the way back to this one."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from alembic import command

from db import migrate
from db.engine import Database
from db.release import RELEASE
from scripts.trials.fresh_service import service_on
from tests.examples import EVENT, PATH
from tests.revisions import NEXT_RELEASE, later_release, statement
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

HEAD = RELEASE.revisions[-1]
FIRST, SECOND = (f"{int(HEAD) + number:04}" for number in (1, 2))
ADD_COLUMN = ("expand", statement("ALTER TABLE interaction_events ADD COLUMN mood text"))
DROP_COLUMN = ("contract", statement("ALTER TABLE hubs DROP COLUMN cut_over_why"))
HAS_COLUMN = "SELECT FROM pg_attribute WHERE attrelid = 'interaction_events'::regclass AND attname = 'mood'"
READING_SECONDS = 12
PAUSE_SECONDS = 0.08
"""Between two events of one of four clients, which together send 50 events/s."""


def started(url: str, *arguments: str, release: Path | None = None) -> subprocess.Popen[str]:
    """The command with `arguments` on the database at `url`, of this release, or of the later one in a directory."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
    program = ["-m", "scripts.cli"] if release is None else ["-c", NEXT_RELEASE, str(release)]
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        env=environment | {"IR_DATABASE_URL": url, "IR_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(url: str, *arguments: str, release: Path | None = None) -> tuple[int | None, str, str]:
    """The exit status of such a command, its output and its errors."""
    process = started(url, *arguments, release=release)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def downgrade(url: str, revision: str) -> None:
    """Undo the revisions after `revision`."""
    with closing(Database(url)) as database, database.begin() as connection:
        command.downgrade(migrate.config_of(RELEASE, connection), revision)


def post_events(url: str, key: str, is_over: threading.Event, outcomes: list[tuple[int, float]]) -> None:
    """Post an event again and again; add the status and the seconds of each to `outcomes`."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        while not is_over.wait(PAUSE_SECONDS):
            began = time.monotonic()
            status = client.post(PATH, json=EVENT).status_code
            outcomes.append((status, time.monotonic() - began))


def test_no_event_is_refused_while_a_column_waits_for_a_reader(
    start_service: Callable[..., Any], database_url: str, tmp_path: Path
) -> None:
    """A report reads the events for 12 s. The column comes after its end, and each event is stored in between."""
    later_release(tmp_path, ADD_COLUMN)
    is_over, outcomes = threading.Event(), list[tuple[int, float]]()
    with start_service() as service:
        clients = [
            threading.Thread(target=post_events, args=(service.url, service.key, is_over, outcomes)) for _ in range(4)
        ]
        for client in clients:
            client.start()
        with psycopg.connect(database_url) as reading:
            reading.execute("SELECT count(*) FROM interaction_events")
            migration = started(database_url, "migrate", "--json", release=tmp_path)
            is_over.wait(READING_SECONDS)
            assert reading.execute(HAS_COLUMN).rowcount == 0
        output, errors = migration.communicate(timeout=60)
        is_over.wait(1)
        is_over.set()
        for client in clients:
            client.join()
        stored = service.events("mood IS NULL")
    assert json.loads(output)["revision"] == FIRST
    assert f"revision {FIRST} waits for AccessExclusiveLock on interaction_events" in errors
    assert {status for status, _ in outcomes} == {201}
    assert len(stored) == len(outcomes) > 100
    longest = max(seconds for _, seconds in outcomes)
    print(f"{len(outcomes)} events, the longest took {longest:.3f} s")
    assert longest < 3, "an event waited for the reader"


def test_this_release_serves_what_a_later_one_expanded(directory: Path, database_url: str, tmp_path: Path) -> None:
    """And the later one says what is pending. Once it has contracted the tables, this release refuses them."""
    later_release(tmp_path, ADD_COLUMN, DROP_COLUMN)
    status, output, errors = finished(database_url, "migrate", "--json", release=tmp_path)
    summary = json.loads(output)
    assert (status, summary["revision_before"], summary["revision"]) == (0, HEAD, FIRST)
    assert (summary["revisions_pending"], summary["revisions_later"]) == ([SECOND], [])
    assert f"revisions {SECOND} contract the tables and have not run" in errors

    with service_on(directory, IR_DATABASE_URL=database_url) as service:
        headers = {"Authorization": f"Bearer {service.key}"}
        assert httpx.post(service.url + PATH, json=EVENT, headers=headers).status_code == 201
        assert f"a later release that only adds: revisions {FIRST}" in service.log.read_text()
    assert finished(database_url, "hub", "list")[0] == 0
    status, output, _ = finished(database_url, "migrate", "--json")
    assert (status, json.loads(output)["revisions_later"]) == (0, [FIRST])

    status, output, errors = finished(database_url, "migrate", "--contract", "--json", release=tmp_path)
    assert (status, json.loads(output)["revision"], json.loads(output)["revisions_pending"]) == (0, SECOND, [])
    assert errors == ""
    for arguments in (["serve"], ["migrate"], ["hub", "list"]):
        status, _, errors = finished(database_url, *arguments)
        assert status == 1
        assert f"revision '{SECOND}' has contracted the tables" in errors


def test_serve_need_not_migrate(database_url: str, directory: Path) -> None:
    """With --no-migrate it serves a database that has its tables, and refuses one that lacks a revision."""
    with service_on(directory, "--no-migrate", IR_DATABASE_URL=database_url) as service:
        assert httpx.get(f"{service.url}/health/ready").status_code == 200
    downgrade(database_url, "0014")
    status, output, errors = finished(database_url, "serve", "--no-migrate")
    assert (status, output) == (1, "")
    assert f"error: the database is at revision 0014, this release needs {HEAD}: " in errors
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0014",)]


@pytest.mark.parametrize("arguments", [["serve"], ["migrate"]], ids=["serve", "migrate"])
def test_sigterm_ends_the_wait_for_a_lock(database_url: str, arguments: list[str]) -> None:
    """At once, and not after the minute for which it would wait; the tables are as before."""
    downgrade(database_url, "0013")
    with psycopg.connect(database_url) as reading:
        reading.execute("SELECT count(*) FROM hubs")
        process = started(database_url, *arguments)
        assert process.stderr is not None
        while "revision 0014 waits for " not in (line := process.stderr.readline()):
            assert line, "it has ended"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert reading.execute("SELECT version_num FROM alembic_version").fetchall() == [("0013",)]


def test_a_migration_that_is_killed_is_gone_on_with(database_url: str, tmp_path: Path) -> None:
    """The revisions before stay. Its session ends in the midst of a statement, and the next process has its turn."""
    killed, next_one = tmp_path / "killed", tmp_path / "next"
    killed.mkdir()
    next_one.mkdir()
    endless = f"{statement('SET LOCAL statement_timeout = 0')}; {statement('SELECT pg_sleep(3600)')}"
    later_release(killed, ADD_COLUMN, ("expand", endless))
    later_release(next_one, ADD_COLUMN, ("expand", "pass"))
    version = "SELECT version_num FROM alembic_version"
    under_way = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(3600)'"
    with psycopg.connect(database_url, autocommit=True) as observer:
        process = started(database_url, "migrate", release=killed)
        wait_until(lambda: observer.execute(under_way).rowcount)
        assert observer.execute(version).fetchall() == [(FIRST,)]
        process.kill()
        process.communicate()
        status, output, errors = finished(database_url, "migrate", "--json", release=next_one)
        assert (status, errors) == (0, errors)
        assert (json.loads(output)["revision_before"], json.loads(output)["revision"]) == (FIRST, SECOND)
        kinds = "SELECT revision, kind FROM schema_revisions WHERE revision > %s ORDER BY 1"
        assert observer.execute(kinds, [HEAD]).fetchall() == [(FIRST, "expand"), (SECOND, "expand")]
