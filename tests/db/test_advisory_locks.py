"""Advisory locks, which belong to no row and no table."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

import db
from db.advisory_locks import AdvisoryLock, lock, try_lock
from db.engine import Database


@pytest.fixture
def second(migrated: Database) -> Iterator[Connection]:
    """A transaction on a connection apart from those of `migrated`."""
    with closing(Database(migrated.url)) as database, database.begin() as connection:
        yield connection
        connection.rollback()


def test_a_lock_is_held_until_the_end_of_its_transaction(migrated: Database, second: Connection) -> None:
    """Until then another transaction does not get it; other locks are free."""
    with migrated.begin() as first:
        lock(first, AdvisoryLock.PARTITIONS)
        assert not try_lock(second, AdvisoryLock.PARTITIONS)
        assert try_lock(second, AdvisoryLock.EVENT_TYPES)
    assert try_lock(second, AdvisoryLock.PARTITIONS)


def test_a_lock_is_waited_for(migrated: Database, second: Connection) -> None:
    """Here until lock_timeout expires."""
    with migrated.begin() as first:
        assert try_lock(first, AdvisoryLock.PARTITIONS)
        second.execute(text("SET LOCAL lock_timeout = '20ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            lock(second, AdvisoryLock.PARTITIONS)


def test_no_two_locks_share_a_key() -> None:
    """An enum would make the second one an alias of the first; and no module has a lock of its own."""
    assert len(AdvisoryLock.__members__) == len(list(AdvisoryLock))
    modules = Path(db.__file__).parent.glob("*.py")
    assert [path.stem for path in modules if re.search("pg_(try_)?advisory", path.read_text())] == ["advisory_locks"]
