"""The revision of the accounts: hubs keep when they were last seen, and an interruption is made up for."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from alembic import command

from db import migrate
from db.engine import Database
from db.errors import Failed
from db.release import RELEASE
from tests.postgresql import fresh_database

REVISION = "0024"
BEFORE = RELEASE.revisions[RELEASE.revisions.index(REVISION) - 1]
HUBS = "SELECT hub_id::text, last_seen_at FROM hub_totals ORDER BY 1"
VALID = """
    SELECT indisvalid FROM pg_index
    WHERE indexrelid IN ('usage_kind_reason_hour'::regclass, 'rejected_submissions_event_type_hub_id'::regclass)
"""


@pytest.fixture
def earlier(any_server: str, tables: str) -> Iterator[Database]:
    """A database at the revision before, on a server of each kind."""
    with fresh_database(any_server, "accounts", tables) as url, closing(Database(url)) as database:
        with database.session() as session:
            command.downgrade(migrate.config_of(RELEASE, session), BEFORE)
        yield database


def test_hubs_were_last_seen_at_their_last_request(earlier: Database) -> None:
    """To any version on any day; never in the future, where a clock that was ahead has left one."""
    now = datetime.now(UTC)
    rows = [(1, 1, now - timedelta(days=9)), (1, 2, now - timedelta(days=2)), (2, 1, now + timedelta(days=9))]
    with psycopg.connect(earlier.url, autocommit=True) as connection:
        for hub, major, at in rows:
            identifier = f"00000000-0000-0000-0000-{hub:012}"
            connection.execute("INSERT INTO hub_requests VALUES (%s, %s, now(), 1, %s)", [identifier, major, at])
        migrate.upgrade(earlier)
        (_, first), (_, second) = connection.execute(HUBS).fetchall()
    assert first == now - timedelta(days=2)
    assert now - timedelta(seconds=1) < second <= datetime.now(UTC) + timedelta(seconds=1)


def test_an_interrupted_revision_is_done_again(earlier: Database) -> None:
    """What was committed before the last step stays; the next call does the rest."""
    with psycopg.connect(earlier.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE hub_totals ()")
        with pytest.raises(Failed):
            migrate.upgrade(earlier)
        assert connection.execute(VALID).fetchall() == [(True,), (True,)]
        connection.execute("DROP TABLE hub_totals")
        assert migrate.upgrade(earlier) == (BEFORE, RELEASE.revisions[-1])
        assert connection.execute(HUBS).fetchall() == []
