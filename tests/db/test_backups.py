"""Backups: each holds what there was at one instant, row for row, or there is none."""

import errno
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from db.backups import back_up
from db.engine import Database
from db.errors import Failed, Refused
from db.restores import restore
from tests.db.filled_databases import assert_equal_but_for_the_timeline, backed_up, content, filled
from tests.db.test_timelines import HUB, INSERT, write
from tests.postgresql import debian_server, fresh_database, statement


@pytest.fixture(scope="session")
def debian_url() -> Iterator[str]:
    """The URL of a server of Debian's PostgreSQL 15."""
    with debian_server() as url:
        yield url


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [("embedded_url", "debian_url"), ("debian_url", "embedded_url")])
def test_each_row_of_each_table_is_restored(
    directory: Path, first: str, second: str, request: pytest.FixtureRequest
) -> None:
    """From each kind of server to the other, older or newer, with triggers in force and sequences where they were."""
    with (
        filled(request.getfixturevalue(first), "moved_from") as database,
        fresh_database(request.getfixturevalue(second), "moved") as url,
        closing(Database(url)) as restored,
    ):
        assert all(content(database).values())
        restore(restored, backed_up(database, directory))
        assert_equal_but_for_the_timeline(database, restored)
        statement(restored.url, sql.SQL("UPDATE interaction_reporting_contracts SET status = 'draft'"))
        with pytest.raises(psycopg.errors.RestrictViolation):
            statement(restored.url, sql.SQL("DELETE FROM widgets"))
        assert len(content(restored)["interaction_reporting_contract_changes"]) == 3


def test_a_backup_is_of_one_instant(filled_copy: Database, empty_database: Database, directory: Path) -> None:
    """What is committed while a table is written is in no table; writers do not wait."""
    before = content(filled_copy)

    def commit(_table: str, _rows: int) -> None:
        write(filled_copy, 1)
        with psycopg.connect(filled_copy.url) as connection:
            connection.execute("INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'late')")

    path = directory / "reporting.backup"
    with path.open("wb") as stream:
        manifest = back_up(filled_copy, stream, commit)
    restore(empty_database, path)
    after = content(empty_database)
    assert manifest.rows == sum(map(len, before.values()))
    assert after.pop("timelines") > before.pop("timelines")
    assert after.pop("page_sessions") < before.pop("page_sessions")
    assert after == before
    assert len(content(filled_copy)["widgets"]) > len(before["widgets"])


def test_partitions_are_not_dropped_during_a_backup(filled_copy: Database, directory: Path) -> None:
    """They are locked before the snapshot: the drop gives up, and every row is in the backup."""

    def drop(_table: str, _rows: int) -> None:
        with psycopg.connect(filled_copy.url) as connection:
            connection.execute("SET lock_timeout = 10")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute("DROP TABLE interaction_events")

    with (directory / "backup").open("wb") as stream:
        assert {member.table: member.rows for member in back_up(filled_copy, stream, drop).tables}[
            "interaction_events"
        ] == 3


def test_a_backup_onto_a_full_disk_ends(filled_copy: Database) -> None:
    """It does not wait for a COPY that nothing reads; the session is closed, and with it its locks."""
    statement(
        filled_copy.url,
        sql.SQL(
            "INSERT INTO widgets (id, name) SELECT gen_random_uuid(), repeat('x', 200) FROM generate_series(1, 100000)"
        ),
    )

    def fail(table: str, _rows: int) -> None:
        if table == "widgets":
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        back_up(filled_copy, BytesIO(), fail)
    with psycopg.connect(filled_copy.url) as connection:
        connection.execute("SET lock_timeout = '5s'")
        connection.execute("LOCK TABLE widgets")


def test_rows_that_a_policy_hides_are_no_backup(filled_copy: Database) -> None:
    """It fails, as pg_dump does: a backup without them would look whole."""
    statement(
        filled_copy.url,
        sql.SQL("ALTER TABLE hubs ENABLE ROW LEVEL SECURITY"),
        sql.SQL("ALTER TABLE hubs FORCE ROW LEVEL SECURITY"),
        sql.SQL("CREATE ROLE reader LOGIN"),
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"),
        sql.SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader"),
    )
    url = make_url(filled_copy.url).set(username="reader").render_as_string(hide_password=False)
    try:
        with closing(Database(url)) as reader, pytest.raises(Failed, match="SQLSTATE 42501"):
            back_up(reader, BytesIO())
    finally:
        statement(filled_copy.url, sql.SQL("DROP OWNED BY reader"), sql.SQL("DROP ROLE reader"))


def test_a_database_without_tables_or_of_a_later_release_is_not_backed_up(
    filled_copy: Database, empty_database: Database, directory: Path
) -> None:
    """In words."""
    with pytest.raises(Refused, match="nothing to back up"):
        backed_up(empty_database, directory)
    statement(filled_copy.url, sql.SQL("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="revision 9999 of a later release"):
        backed_up(filled_copy, directory)


def test_rows_of_any_week_find_their_partition(
    filled_copy: Database, empty_database: Database, directory: Path
) -> None:
    """Also those in a partition that was made by hand, for years."""
    identifier = UUID(int=(1_000_000_000_000 << 80) + 1)
    statement(
        filled_copy.url,
        sql.SQL("CREATE TABLE by_hand PARTITION OF interaction_events DEFAULT"),
    )
    with psycopg.connect(filled_copy.url) as connection:
        query = INSERT.partition("SELECT")[0] + "VALUES (%s, %s, %s, 'clicked', now(), '1.0')"
        connection.execute(query.encode(), (identifier, HUB, HUB))
    restore(empty_database, backed_up(filled_copy, directory))
    assert_equal_but_for_the_timeline(filled_copy, empty_database)
