"""An earlier release works on the tables of a later one that has only expanded them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from db import migrate, revisions
from db.engine import Database
from db.errors import Refused
from db.release import RELEASE, Release
from tests.postgresql import fresh_database
from tests.revisions import later_release, statement

HEAD = RELEASE.revisions[-1]
FIRST, SECOND = (f"{int(HEAD) + number:04}" for number in (1, 2))
EXPANDING = ("expand", statement("ALTER TABLE hubs ADD COLUMN mood text"))
CONTRACTING = ("contract", statement("ALTER TABLE hubs DROP COLUMN cut_over_why"))


@pytest.fixture
def url(any_server: str, tables: str) -> Iterator[str]:
    """The URL of a database at the revision of this release, on a server of each kind."""
    with fresh_database(any_server, "revisions", tables) as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """That database."""
    with closing(Database(url)) as database:
        yield database


def require_current(database: Database, release: Release = RELEASE) -> None:
    """Refused unless `release` works on the database."""
    with database.begin() as connection:
        revisions.require_current(connection, release)


def test_a_release_works_on_tables_that_a_later_one_expanded(database: Database, tmp_path: Path) -> None:
    """Its `migrate` changes nothing, and calls its callback; the database knows the kinds."""
    assert migrate.upgrade(database, release=later_release(tmp_path, EXPANDING)) == (HEAD, FIRST)
    require_current(database)
    called: list[int] = []
    assert migrate.upgrade(database, lambda _connection: called.append(1)) == (FIRST, FIRST)
    assert called == [1]
    with database.begin() as connection:
        assert revisions.later(connection, FIRST) == [FIRST]
        assert revisions.pending(connection) == []


def test_a_release_refuses_tables_that_a_later_one_contracted(database: Database, tmp_path: Path) -> None:
    """Even if a later revision expands; the message names the one that contracted."""
    release = later_release(tmp_path, CONTRACTING, EXPANDING)
    assert migrate.upgrade(database, contract=True, release=release) == (HEAD, SECOND)
    words = (
        f"the database is at revision '{SECOND}' of a later release, and revision '{FIRST}' has contracted the tables "
        "that this release needs: start the later release, or restore a backup"
    )
    for refused in (require_current, migrate.upgrade):
        with pytest.raises(Refused) as raised:
            refused(database)
        assert str(raised.value) == words


def test_a_later_revision_that_the_database_does_not_know_is_refused(database: Database, url: str) -> None:
    """As of a release before the kinds were kept, or of another application."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'foreign'")
        for dropped in ("SELECT", "DROP TABLE schema_revisions"):
            connection.execute(dropped)
            with pytest.raises(Refused, match="revision 'foreign', which this release does not know"):
                require_current(database)


def test_a_release_works_without_its_own_revision_that_contracts(database: Database, tmp_path: Path) -> None:
    """It runs on request, and counts as pending until then."""
    release = later_release(tmp_path, EXPANDING, CONTRACTING)
    with pytest.raises(Refused, match=rf"is at revision {HEAD}, this release needs {FIRST}: run"):
        require_current(database, release)
    assert migrate.upgrade(database, release=release) == (HEAD, FIRST)
    require_current(database, release)
    with database.begin() as connection:
        assert revisions.pending(connection, release) == [SECOND]
    assert migrate.upgrade(database, release=release) == (FIRST, FIRST)
    assert migrate.upgrade(database, contract=True, release=release) == (FIRST, SECOND)
    require_current(database, release)
    with database.begin() as connection:
        assert revisions.pending(connection, release) == []
