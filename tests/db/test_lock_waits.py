"""A migration gives way to the sessions that use the tables, and says which of them it waits for."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from db import migrate
from db.advisory_locks import AdvisoryLock
from db.engine import Database
from db.errors import Blocked
from db.release import RELEASE, Release
from tests.postgresql import fresh_database
from tests.revisions import later_release, statement

HEAD = RELEASE.revisions[-1]
NEXT = f"{int(HEAD) + 1:04}"
ADD_COLUMN = ("expand", statement("ALTER TABLE interaction_events ADD COLUMN mood text"))
HAS_COLUMN = "SELECT FROM pg_attribute WHERE attrelid = 'interaction_events'::regclass AND attname = 'mood'"


@pytest.fixture
def url(any_server: str, partitioned: str) -> Iterator[str]:
    """The URL of a database at the revision of this release, on a server of each kind."""
    with fresh_database(any_server, "lock_waits", partitioned) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    with closing(Database(url)) as database:
        yield database


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """The next release, which adds a column to the events."""
    return later_release(tmp_path, ADD_COLUMN)


@contextmanager
def reader(url: str) -> Iterator[psycopg.Connection]:
    """A session that has read the events and stays in its transaction."""
    with psycopg.connect(url, application_name="a report") as connection:
        connection.execute("SELECT count(*) FROM interaction_events WHERE view_context_ref = 'secret'")
        yield connection


def test_the_message_names_the_session_and_no_data(
    database: Database, url: str, release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    """It says which revision waits for which lock; the tables are as before, and later the column is added."""
    with reader(url) as reading:
        with pytest.raises(Blocked) as raised:
            migrate.upgrade(database, release=release, patience=2)
        words = str(raised.value)
        assert f"revision {NEXT} waits for AccessExclusiveLock on interaction_events" in words
        assert f": pid {reading.info.backend_pid} (a report, in a transaction for " in words
        assert words.endswith("; this has lasted for 2 s: end that session, or try again later")
        assert "secret" not in words + caplog.text
        assert f"revision {NEXT} waits for" in caplog.text
        assert reading.execute(HAS_COLUMN).rowcount == 0
    assert migrate.upgrade(database, release=release) == (HEAD, NEXT)
    with psycopg.connect(url) as connection:
        assert connection.execute(HAS_COLUMN).rowcount == 1


def test_inserts_pass_between_the_tries(database: Database, url: str, release: Release) -> None:
    """While a reader keeps the migration from its lock, writers get theirs; they would wait for the reader's end."""
    migration = threading.Thread(target=migrate.upgrade, args=(database,), kwargs={"release": release})
    with psycopg.connect(url, autocommit=True) as writer:
        writer.execute("SET lock_timeout = '5s'")  # 25 times as long as a try
        with reader(url):
            migration.start()
            end, passed = time.monotonic() + 3, 0
            while time.monotonic() < end:
                with writer.transaction():
                    writer.execute("LOCK TABLE interaction_events IN ROW EXCLUSIVE MODE")
                passed += 1
            assert migration.is_alive()
        migration.join()
        assert writer.execute(HAS_COLUMN).rowcount == 1
    assert passed > 3


def test_a_statement_that_waits_for_long_is_logged(
    database: Database, url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that lets others pass is not tried again, so that its wait itself is watched."""
    monkeypatch.setattr("db.lock_waits._LOG_SECONDS", 0.2)
    unhurried = (
        "op.execute('SET LOCAL lock_timeout = 0'); op.execute('ALTER TABLE interaction_events ADD COLUMN mood text')"
    )
    release = later_release(tmp_path, ("expand", unhurried))
    migration = threading.Thread(target=migrate.upgrade, args=(database,), kwargs={"release": release})
    with reader(url), caplog.at_level(logging.WARNING):
        migration.start()
        end = time.monotonic() + 30
        while "the migration waits for AccessExclusiveLock on interaction_events" not in caplog.text:
            assert time.monotonic() < end
            time.sleep(0.05)
    migration.join()


def test_the_turn_of_another_process_is_waited_for(database: Database, url: str) -> None:
    """The message names its session. The turn ends with the session: a process that is killed cannot give it back."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [AdvisoryLock.MIGRATIONS.value])
        with pytest.raises(Blocked) as raised:
            migrate.upgrade(database, patience=1)
        assert str(raised.value).startswith(
            "another process migrates or restores the database, by the session with pid "
            f"{other.info.backend_pid}; this has lasted"
        )
    assert migrate.upgrade(database) == (HEAD, HEAD)
