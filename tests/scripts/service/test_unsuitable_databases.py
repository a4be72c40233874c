"""Servers with which the service cannot work: `serve` and commands end at once, with one line that names the cure."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.sql import SQL

from db.session_settings import SETTINGS
from tests.postgresql import debian_server, fresh_database, statement
from tests.standbys import primary_and_standby
from tests.unsuitable_servers import answering, greeting, pooler

pytestmark = pytest.mark.slow

COMMANDS = [("serve", "--port", "0"), ("migrate",), ("hub", "list")]
SET_ALL = "; ".join(f"SET {setting.name} = '{setting.value}'" for setting in SETTINGS)
USUAL = "error: the database of IR_DATABASE_URL cannot be used: "
POOLED = "a pooler such as PgBouncer has dropped 'options'; connect to PostgreSQL itself"
LENT = "lends each transaction another session"
OTHER = "another service than PostgreSQL answers there: correct host and port"
AT_ONCE_SECONDS = 25
"""Less than the 30 s for which a start is repeated while a database is unavailable."""


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """The URL of an empty database on a server that PgBouncer can reach."""
    with debian_server() as server, fresh_database(server, "pooled") as url:
        yield url


def ended(url: str, directory: Path, *command: str) -> tuple[int, list[str]]:
    """The exit status of `command` on the database at `url`, and the lines that it has printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_")}
    environment |= {"IR_DATABASE_URL": url, "IR_DATA_DIR": str(directory), "IR_DATABASE_TIMEOUT": "2"}
    run = [sys.executable, "-m", "scripts.cli", *command]
    process = subprocess.run(run, env=environment, check=False, capture_output=True, text=True, timeout=100)
    return process.returncode, (process.stdout + process.stderr).splitlines()


def require_refusal(url: str, directory: Path, words: str) -> None:
    """Assert that each command is refused at once, with one line that has `words` and no password."""
    for command in COMMANDS:
        started = time.monotonic()
        status, lines = ended(url, directory, *command)
        assert (status, len(lines)) == (1, 1), (command, lines)
        assert lines[0].startswith(USUAL), (command, lines)
        assert words in lines[0], (command, lines)
        assert "hunter2" not in lines[0], (command, lines)
        assert time.monotonic() - started < AT_ONCE_SECONDS, command


@pytest.mark.parametrize(
    ("mode", "query", "words"),
    [("transaction", "", POOLED), ("transaction", SET_ALL, LENT), ("session", "", POOLED)],
    ids=["transaction", "transaction, with every setting", "session"],
)
def test_a_pooler_that_changes_sessions_is_refused(
    database_url: str, directory: Path, mode: str, query: str, words: str
) -> None:
    """In session mode, too, if it drops the settings."""
    with pooler(database_url, mode, query) as url:
        require_refusal(url, directory, words)


def test_a_pooler_of_sessions_before_a_database_with_every_setting_is_used(directory: Path) -> None:
    """It drops what is sent, and resets each session to the defaults of the database, which are the right ones."""
    setting = SQL("ALTER ROLE CURRENT_USER IN DATABASE pooled SET {} = {}")
    with debian_server() as server, fresh_database(server, "pooled") as database, pooler(database, "session") as url:
        statement(database, *(setting.format(SQL(each.name), each.value) for each in SETTINGS))
        assert ended(url, directory, "migrate")[0] == 0
        assert ended(url, directory, "hub", "create", "acme")[0] == 0


def test_a_standby_is_refused(directory: Path) -> None:
    """The primary was migrated before."""
    with primary_and_standby() as (primary, standby):
        url = "postgresql://postgres@127.0.0.1:{}/postgres"
        assert ended(url.format(primary.port), directory, "migrate")[0] == 0
        words = "the server is a standby, which takes no writes: name the primary, or all hosts (host1,host2)"
        require_refusal(url.format(standby.port), directory, words)


@pytest.mark.parametrize("tls", ["disable", "prefer", "require"])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", None], ids=["HTTP", "echo"])
def test_another_service_is_refused(directory: Path, answer: bytes | None, tls: str) -> None:
    """One that answers in HTTP, and one that repeats each message."""
    with answering(answer) as url:
        require_refusal(url.replace("sslmode=disable", f"sslmode={tls}"), directory, OTHER)


def test_an_older_server_is_refused(directory: Path) -> None:
    """The line names both versions."""
    with answering(greeting("14.9")) as url:
        require_refusal(url, directory, "says that it is PostgreSQL 14: the service needs PostgreSQL 15 or later")


def test_a_silent_server_is_unavailable(directory: Path) -> None:
    """A command ends after the seconds for a connection; `serve` tries again for a while."""
    with answering(b"") as url:
        status, lines = ended(url, directory, "hub", "list")
    assert (status, len(lines)) == (1, 1)
    assert "the database of IR_DATABASE_URL cannot be reached: connection timeout expired; check that" in lines[0]
