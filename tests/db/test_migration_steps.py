"""Indexes and constraints on a full table: readers and inserts do not wait for them, and a rest is finished."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from db import migrate, partitions
from db.engine import Database
from db.errors import Failed, Unavailable
from db.release import RELEASE
from tests.postgresql import fresh_database
from tests.revisions import later_release
from tests.waiting import wait_until

HEAD = RELEASE.revisions[-1]
NEXT = f"{int(HEAD) + 1:04}"
INDEX = ("expand", "migration_steps.create_index('interaction_events_actor_id', 'interaction_events', 'actor_id')")
CHECK = (
    "contract",
    "migration_steps.add_check('interaction_events_mood_check', 'interaction_events', \"event_type <> 'bad'\")",
)
INSERT = """
    INSERT INTO interaction_events (id, hub_id, widget_id, event_type, occurred_at, contract_version)
    VALUES (%s, gen_random_uuid(), gen_random_uuid(), %s, now(), '1.1')
"""
# The index of the table itself and those of its partitions, each with whether it is valid.
INDEXES = """
    SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relname LIKE 'interaction_events%actor_id' ORDER BY relname
"""
ATTACHED = "SELECT FROM pg_inherits WHERE inhparent = 'interaction_events_actor_id'::regclass"
WAITS = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%'"


@pytest.fixture
def url(any_server: str, partitioned: str) -> Iterator[str]:
    """The URL of a database with partitions, on a server of each kind."""
    with fresh_database(any_server, "migration_steps", partitioned) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    with closing(Database(url)) as database:
        yield database


def insert(connection: psycopg.Connection, event_type: str = "clicked") -> None:
    """Store an event of now."""
    identifier = str(uuid4())
    milliseconds = f"{time.time_ns() // 1_000_000:012x}"
    connection.execute(INSERT, [f"{milliseconds[:8]}-{milliseconds[8:]}-7{identifier[15:]}", event_type])


@contextmanager
def reader(url: str) -> Iterator[None]:
    """A session that has read the events, and goes on to see them as they are now."""
    with psycopg.connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("SELECT count(*) FROM interaction_events")
        yield


@contextmanager
def inserting(url: str) -> Iterator[list[float]]:
    """Store events until the end of the block; yields the seconds that each has taken."""
    is_over, seconds = threading.Event(), list[float]()

    def run() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not is_over.wait(0.01):
                began = time.monotonic()
                insert(connection)
                seconds.append(time.monotonic() - began)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield seconds
    finally:
        is_over.set()
        thread.join()


def partition_count(database: Database) -> int:
    """The number of partitions of the events."""
    with database.begin() as connection:
        return sum(partition.table == "interaction_events" for partition in partitions.list_all(connection))


def test_an_index_of_a_partitioned_table_is_made_under_load(database: Database, url: str, tmp_path: Path) -> None:
    """A reader is open for 3 s, and inserts go on; then each partition has the index, which is valid."""
    release = later_release(tmp_path, INDEX)
    migration = threading.Thread(target=migrate.upgrade, args=(database,), kwargs={"release": release})
    with psycopg.connect(url, autocommit=True) as observer, inserting(url) as seconds:
        with reader(url):
            migration.start()
            wait_until(lambda: waits(observer), 10)
            before = len(seconds)
            time.sleep(3)
            assert len(seconds) > before, "inserts wait for the reader"
            assert migration.is_alive()
        migration.join()
        indexes = observer.execute(INDEXES).fetchall()
        assert len(indexes) == 1 + partition_count(database)
        assert all(is_valid for _, is_valid in indexes)
        assert observer.execute(ATTACHED).rowcount == partition_count(database)
        assert observer.execute("SELECT version_num FROM alembic_version").fetchone() == (NEXT,)


def test_an_interrupted_index_is_finished(database: Database, url: str, tmp_path: Path) -> None:
    """The session ends while a partition's index is made, which stays invalid: the next call makes it again."""
    release = later_release(tmp_path, INDEX)

    def fail() -> None:
        with pytest.raises(Unavailable, match="the session of the migration was lost"):
            migrate.upgrade(database, release=release)

    with psycopg.connect(url, autocommit=True) as observer:
        with reader(url):
            migration = threading.Thread(target=fail)
            migration.start()
            wait_until(lambda: waits(observer))
            observer.execute(f"SELECT pg_terminate_backend(pid) {WAITS.removeprefix('SELECT')}")
            migration.join()
        invalid = [name for name, is_valid in observer.execute(INDEXES) if not is_valid]
        assert len(invalid) == 2, "the parent's, and the one that was interrupted"
        assert migrate.upgrade(database, release=release) == (HEAD, NEXT)
        assert all(is_valid for _, is_valid in observer.execute(INDEXES))
        assert observer.execute(ATTACHED).rowcount == partition_count(database)


def waits(observer: psycopg.Connection) -> bool:
    """Whether an index that is being made waits for another session."""
    return observer.execute(f"{WAITS} AND wait_event_type = 'Lock'").rowcount > 0


def test_a_check_looks_through_old_rows_under_load(database: Database, url: str, tmp_path: Path) -> None:
    """A row that breaks it makes the revision fail, but new ones are refused from then on; without it the rest runs."""
    release = later_release(tmp_path, CHECK)
    with psycopg.connect(url, autocommit=True) as observer, inserting(url) as seconds:
        insert(observer, "bad")
        with pytest.raises(Failed, match="CheckViolation"):
            migrate.upgrade(database, contract=True, release=release)
        with pytest.raises(psycopg.errors.CheckViolation):
            insert(observer, "bad")
        observer.execute("DELETE FROM interaction_events WHERE event_type = 'bad'")
        assert migrate.upgrade(database, contract=True, release=release) == (HEAD, NEXT)
        validated = "SELECT DISTINCT convalidated FROM pg_constraint WHERE conname = 'interaction_events_mood_check'"
        assert observer.execute(validated).fetchall() == [(True,)]
        count = len(seconds)
        wait_until(lambda: len(seconds) > count)
