"""Backups: what is restored is what there was at one instant, row for row, or nothing."""

import errno
import itertools
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from db import migrate, partitions, tables
from db.backup_files import BackupWriter
from db.backups import back_up
from db.engine import Database
from db.errors import Failed, Refused
from db.release import RELEASE
from db.restores import require_finished, restore
from db.timelines import FIRST
from tests.db.test_timelines import HUB, INSERT, read, readable, write
from tests.postgresql import debian_server, fresh_database, statement

NAMES = [table.name for table in tables.metadata.sorted_tables]
FULL = """
INSERT INTO hubs (id, name, api_key) VALUES (gen_random_uuid(), E'a\\tb\\\\N\\n', repeat('a', 64));
UPDATE hubs SET rate_limit = 5, cut_over_why = '';
INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'Größe 🙂');
INSERT INTO interaction_reporting_contracts (contract_version, document, digest) VALUES ('1.0', 'x', 'y');
UPDATE interaction_reporting_contracts SET status = 'active';
INSERT INTO interaction_reporting_contracts_served (major, contract_version, document) VALUES (1, '1.0', 'x');
INSERT INTO annotations (id, hub_id, widget_id, category, body, occurred_at, contract_version, metadata)
    SELECT id, hub_id, widget_id, 'praise', E'\\\\.\\r\\n', now(), '1.0', '{"a": [1.50, null]}'
    FROM interaction_events LIMIT 1;
INSERT INTO idempotency_keys SELECT hub_id, 'event', '', id, id FROM interaction_events LIMIT 1;
INSERT INTO hub_capability_manifests (hub_id, revision, manifest, contract_version)
    SELECT id, 1, '{}', '1.0' FROM hubs;
INSERT INTO rejected_submissions (id, hub_id, kind, code, error, raw, contract_version)
    SELECT id, id, 'event', 'x', 'x', '\\x00ff5c', '1.0' FROM hubs;
INSERT INTO usage SELECT id, now(), 'event', 'created', '', 1 FROM hubs;
INSERT INTO hub_requests SELECT id, 1, now(), 1, now() FROM hubs;
INSERT INTO oauth_clients (id, client_id, hub_id, scopes) SELECT id, 'c', id, '{"a,b",NULL,""}' FROM hubs;
INSERT INTO oauth_signing_keys (kid, key) VALUES ('k', '{}');
INSERT INTO oauth_revoked_tokens (jti, expires_at) VALUES (gen_random_uuid(), 'infinity');
INSERT INTO oauth_used_tokens VALUES ('\\x00', now());
INSERT INTO replicas SELECT id, now() FROM hubs;
INSERT INTO erasures (id, actor_sha256) SELECT id, repeat('0', 64) FROM hubs;
INSERT INTO event_type_deletions SELECT name, now() FROM event_type_registry LIMIT 1
"""
"""At least a row in each table, with what COPY escapes."""

_numbers = itertools.count()


@contextmanager
def filled(server: str, name: str) -> Iterator[Database]:
    """A database on `server` with rows in each table, and three events on its first timeline."""
    with fresh_database(server, name) as url, closing(Database(url)) as database:
        migrate.upgrade(database)
        with database.begin() as connection:
            partitions.ensure_coming(connection, datetime.now(UTC))
        read(database)
        write(database, 3)
        statement(url, *map(sql.SQL, FULL.split(";\n")))
        yield database


@pytest.fixture(scope="module")
def source(embedded_url: str) -> Iterator[Database]:
    """A filled database that no test changes."""
    with filled(embedded_url, "backed_up") as database:
        yield database


@pytest.fixture(scope="module")
def whole(source: Database) -> bytes:
    """The backup of `source`."""
    back_up(source, stream := BytesIO())
    return stream.getvalue()


@pytest.fixture
def path(whole: bytes, directory: Path) -> Path:
    """A file with the backup of `source`."""
    path = directory / "reporting.backup"
    path.write_bytes(whole)
    return path


@pytest.fixture
def database(embedded_url: str, source: Database) -> Iterator[Database]:
    """A copy of `source` of the test's own."""
    source.close()  # a database with sessions is not copied
    with (
        fresh_database(embedded_url, f"copied_{next(_numbers)}", "backed_up") as url,
        closing(Database(url)) as database,
    ):
        yield database


@pytest.fixture(scope="session")
def debian_url() -> Iterator[str]:
    """The URL of a server of Debian's PostgreSQL 15."""
    with debian_server() as url:
        yield url


@pytest.fixture
def empty(embedded_url: str) -> Iterator[Database]:
    """An empty database of the test's own."""
    with (
        fresh_database(embedded_url, f"restored_{next(_numbers)}") as url,
        closing(Database(url)) as database,
    ):
        yield database


@pytest.fixture(scope="module")
def untouched(embedded_url: str) -> Iterator[Database]:
    """An empty database, in which a refused restore makes nothing."""
    with fresh_database(embedded_url, "untouched") as url, closing(Database(url)) as database:
        yield database


@pytest.fixture(scope="module")
def early(embedded_url: str) -> Iterator[tuple[Database, bytes]]:
    """A database of a revision without timelines, with rows, and its backup."""
    with fresh_database(embedded_url, "early") as url, closing(Database(url)) as database:
        migrate.upgrade(database, release=RELEASE.until("0014"))
        statement(url, *map(sql.SQL, FULL.split(";\n")[:5]))
        back_up(database, stream := BytesIO())
        yield database, stream.getvalue()


def backed_up(database: Database, directory: Path) -> Path:
    """A backup of `database` in `directory`."""
    path = directory / "another.backup"
    with path.open("wb") as stream:
        back_up(database, stream)
    return path


def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """The rows of each table."""
    query = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1")
    with psycopg.connect(database.url) as connection:
        return {name: connection.execute(query.format(sql.Identifier(name))).fetchall() for name in NAMES}


def is_unmigrated(database: Database) -> bool:
    """Whether nothing at all was made in the database."""
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)


def assert_equal_but_for_the_timeline(database: Database, restored: Database) -> None:
    """Every table is equal, row for row, and the restored database has one timeline more."""
    ours, theirs = content(database), content(restored)
    assert set(ours.pop("timelines")) < set(theirs.pop("timelines"))
    assert ours == theirs


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


def test_a_cursor_from_before_gets_what_is_new(database: Database, empty: Database, directory: Path) -> None:
    """It is of a row that was lost; the restored database has begun a timeline at once, and names what survived."""
    path = backed_up(database, directory)
    write(database, 997)
    cursor = readable(database)[-1]
    _, timeline = restore(empty, path)
    assert timeline is not None
    assert timeline.epoch > FIRST
    assert timeline.restored_to is not None
    assert read(empty) == timeline
    write(empty, 5)
    assert len(readable(empty, after=cursor)) == 5
    assert len(readable(empty)) == 8


def test_a_backup_is_of_one_instant(database: Database, empty: Database, directory: Path) -> None:
    """What is committed while a table is written is in no table; writers do not wait."""
    before = content(database)

    def commit(_table: str, _rows: int) -> None:
        write(database, 1)
        with psycopg.connect(database.url) as connection:
            connection.execute("INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'late')")

    path = directory / "reporting.backup"
    with path.open("wb") as stream:
        manifest = back_up(database, stream, commit)
    restore(empty, path)
    after = content(empty)
    assert manifest.rows == sum(map(len, before.values()))
    assert after.pop("timelines") > before.pop("timelines")
    assert after == before
    assert len(content(database)["widgets"]) > len(before["widgets"])


def test_partitions_are_not_dropped_during_a_backup(database: Database, directory: Path) -> None:
    """They are locked before the snapshot: the drop gives up, and every row is in the backup."""

    def drop(_table: str, _rows: int) -> None:
        with psycopg.connect(database.url) as connection:
            connection.execute("SET lock_timeout = 10")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute("DROP TABLE interaction_events")

    with (directory / "backup").open("wb") as stream:
        assert {member.table: member.rows for member in back_up(database, stream, drop).tables}[
            "interaction_events"
        ] == 3


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_a_cut_file_is_refused_before_anything_is_written(path: Path, untouched: Database, share: float) -> None:
    """Wherever it was cut."""
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(Refused, match="not a whole backup"):
        restore(untouched, path)
    assert is_unmigrated(untouched)


def test_a_flipped_bit_is_refused_before_anything_is_written(path: Path, untouched: Database) -> None:
    """In the rows, or in the manifest."""
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        starts = [
            member.header_offset + 30 + len(member.filename) + 20
            for member in archive.infolist()
            if member.compress_size > 20
        ]
    for offset in [start + 10 for start in starts]:
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])
        with pytest.raises(Refused, match="damaged"):
            restore(untouched, path)
    assert is_unmigrated(untouched)


def changed(path: Path, **members: object) -> Path:
    """The backup with other members of its manifest."""
    result = path.with_name("changed.backup")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(result, "w") as after:
        for name in before.namelist():
            text = before.read(name)
            after.writestr(name, json.dumps(json.loads(text) | members) if name == "manifest.json" else text)
    return result


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"format": 2}, "has format 2, this release reads 1"),
        ({"revision": "9999"}, "revision 9999, which this release does not know"),
        ({"tables": [{}]}, "is damaged"),
        ({"weeks": None}, "is damaged"),
        ({"weeks": ["9999-12-31T23:59:59-14:00"]}, "is damaged"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "is damaged"),
        ({"sequences": []}, "is damaged"),
        ({"sequences": {"positions": [1, True, 2]}}, "is damaged"),
        ({"padding": " " * (1 << 24)}, "is damaged"),
    ],
)
def test_another_format_or_release_is_refused_in_words(
    path: Path, untouched: Database, members: dict[str, object], words: str
) -> None:
    """Before anything is written."""
    with pytest.raises(Refused, match=words):
        restore(untouched, changed(path, **members))
    assert is_unmigrated(untouched)


@pytest.mark.parametrize(
    ("members", "name"),
    [({"sequences": {}}, "idempotency|positions|_seq"), ({"tables": []}, "annotations")],
    ids=["no sequence", "no table"],
)
def test_a_part_of_a_backup_is_refused(path: Path, empty: Database, members: dict[str, object], name: str) -> None:
    """The message names what is missing, and no service starts on what was made."""
    with pytest.raises(Refused, match=f"not exactly the tables of its revision; see '.*({name})"):
        restore(empty, changed(path, **members))
    assert content(empty)["hubs"] == []
    with empty.begin() as connection, pytest.raises(Refused, match="did not come to its end"):
        require_finished(connection)
    restore(empty, path)


def test_a_backup_onto_a_full_disk_ends(database: Database) -> None:
    """It does not wait for a COPY that nothing reads; the session is closed, and with it its locks."""
    statement(
        database.url,
        sql.SQL(
            "INSERT INTO widgets (id, name) SELECT gen_random_uuid(), repeat('x', 200) FROM generate_series(1, 100000)"
        ),
    )

    def fail(table: str, _rows: int) -> None:
        if table == "widgets":
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        back_up(database, BytesIO(), fail)
    with psycopg.connect(database.url) as connection:
        connection.execute("SET lock_timeout = '5s'")
        connection.execute("LOCK TABLE widgets")


def test_rows_that_a_policy_hides_are_no_backup(database: Database) -> None:
    """It fails, as pg_dump does: a backup without them would look whole."""
    statement(
        database.url,
        sql.SQL("ALTER TABLE hubs ENABLE ROW LEVEL SECURITY"),
        sql.SQL("ALTER TABLE hubs FORCE ROW LEVEL SECURITY"),
        sql.SQL("CREATE ROLE reader LOGIN"),
        sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader"),
        sql.SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader"),
    )
    url = make_url(database.url).set(username="reader").render_as_string(hide_password=False)
    try:
        with closing(Database(url)) as reader, pytest.raises(Failed, match="SQLSTATE 42501"):
            back_up(reader, BytesIO())
    finally:
        statement(database.url, sql.SQL("DROP OWNED BY reader"), sql.SQL("DROP ROLE reader"))


def test_rows_other_than_those_backed_up_are_refused(path: Path, untouched: Database) -> None:
    """The manifest has their number and their digest: a member that was exchanged is not restored."""
    result = path.with_name("exchanged.backup")
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(result, "w") as after:
        for name in before.namelist():
            after.writestr(name, b"" if name == "interaction_events.copy" else before.read(name))
    with pytest.raises(Refused, match="damaged"):
        restore(untouched, result)
    assert is_unmigrated(untouched)


def test_another_file_is_refused(directory: Path, untouched: Database) -> None:
    """A file of another kind, and a zip of another kind."""
    path = directory / "other"
    path.write_text("PGDMP")
    with pytest.raises(Refused, match="not a whole backup"):
        restore(untouched, path)
    with path.open("wb") as stream, closing(BackupWriter(stream)):
        pass
    with pytest.raises(Refused, match="damaged"):
        restore(untouched, path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'a')", "has rows in widgets"),
        ("INSERT INTO oauth_used_tokens VALUES ('x', now())", "has rows in oauth_used_tokens"),
        ("INSERT INTO event_type_registry (name) VALUES ('own')", "has a changed event_type_registry"),
    ],
)
def test_a_database_with_rows_is_refused(path: Path, empty: Database, change: str, words: str) -> None:
    """The message names a table; nothing is changed."""
    migrate.upgrade(empty)
    statement(empty.url, sql.SQL(change))
    before = content(empty)
    with pytest.raises(Refused, match=words):
        restore(empty, path)
    assert content(empty) == before


def test_a_migrated_database_without_rows_is_filled(path: Path, source: Database, empty: Database) -> None:
    """The rows that migrations make are replaced. Afterwards no backup is restored into it, and not this one again."""
    migrate.upgrade(empty)
    restore(empty, path)
    assert_equal_but_for_the_timeline(source, empty)
    with pytest.raises(Refused, match="was restored from this backup already: start the service on it"):
        restore(empty, path)
    with pytest.raises(Refused, match="has rows in"):
        restore(empty, backed_up(source, path.parent))


def test_a_restore_that_fails_leaves_no_row(path: Path, source: Database, empty: Database) -> None:
    """It can be called again, although the tables were made."""

    def fail(table: str, _rows: int) -> None:
        if table == "timelines":
            raise Failed("the end")

    with pytest.raises(Failed, match="the end"):
        restore(empty, path, fail)
    assert content(empty)["interaction_events"] == []
    with empty.begin() as connection, pytest.raises(Refused, match="did not come to its end"):
        require_finished(connection)
    restore(empty, path)
    assert_equal_but_for_the_timeline(source, empty)


def test_a_backup_of_an_earlier_revision_is_migrated(
    early: tuple[Database, bytes], empty: Database, directory: Path
) -> None:
    """Even of a revision without timelines: the restored database begins a second one."""
    (path := directory / "backup").write_bytes(early[1])
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["revision"], list(manifest["kinds"])[-1]) == ("0014", "0014")
    _, timeline = restore(empty, path)
    assert timeline is not None
    assert timeline.epoch > FIRST
    assert_migrated(early[0], empty)


def test_a_restore_that_ended_after_its_rows_goes_on(
    early: tuple[Database, bytes], path: Path, empty: Database, directory: Path
) -> None:
    """A revision failed: the next call runs it and begins a timeline. A restore of another backup is refused."""
    (early_path := directory / "early").write_bytes(early[1])
    statement(empty.url, sql.SQL("CREATE TABLE timelines ()"))  # in the way of revision 0016
    with pytest.raises(Failed, match="DuplicateTable"):
        restore(empty, early_path)
    with empty.begin() as connection, pytest.raises(Refused, match="did not come to its end"):
        require_finished(connection)
    statement(empty.url, sql.SQL("DROP TABLE timelines"))
    with pytest.raises(Refused, match="has rows in"):
        restore(empty, path)
    _, timeline = restore(empty, early_path)
    assert timeline is not None
    assert timeline.epoch > FIRST
    assert_migrated(early[0], empty)
    with empty.begin() as connection:
        require_finished(connection)


def assert_migrated(early: Database, restored: Database) -> None:
    """The hubs are there, and the revision is that of the release."""
    with psycopg.connect(early.url) as ours, psycopg.connect(restored.url) as theirs:
        query = "SELECT id, name, api_key, rate_limit, cut_over_why, created_at FROM hubs"
        assert ours.execute(query).fetchall() == theirs.execute(query).fetchall() != []
        revision = theirs.execute("SELECT version_num FROM alembic_version").fetchone()
    assert revision == (RELEASE.revisions[-1],)


def test_a_database_of_a_later_revision_than_the_backup_is_refused(
    early: tuple[Database, bytes], empty: Database, directory: Path
) -> None:
    """The migrations in between would not see the rows."""
    migrate.upgrade(empty)
    (path := directory / "backup").write_bytes(early[1])
    with pytest.raises(Refused, match=r"is at revision \d+, later than the backup's 0014"):
        restore(empty, path)


def test_a_column_that_was_added_by_hand_is_kept(database: Database, empty: Database, directory: Path) -> None:
    """Once the empty database, which the first attempt has migrated, has it, too."""
    statement(database.url, sql.SQL("ALTER TABLE widgets ADD note text"))
    path = backed_up(database, directory)
    with pytest.raises(Refused, match=r"columns of widgets that its revision does not have.*note"):
        restore(empty, path)
    statement(empty.url, sql.SQL("ALTER TABLE widgets ADD note text"))
    restore(empty, path)
    assert_equal_but_for_the_timeline(database, empty)


def test_a_database_without_tables_or_of_a_later_release_is_not_backed_up(
    database: Database, empty: Database, directory: Path
) -> None:
    """In words."""
    with pytest.raises(Refused, match="nothing to back up"):
        backed_up(empty, directory)
    statement(database.url, sql.SQL("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused, match="revision 9999 of a later release"):
        backed_up(database, directory)


def test_rows_of_any_week_find_their_partition(database: Database, empty: Database, directory: Path) -> None:
    """Also those in a partition that was made by hand, for years."""
    identifier = UUID(int=(1_000_000_000_000 << 80) + 1)
    statement(
        database.url,
        sql.SQL("CREATE TABLE by_hand PARTITION OF interaction_events DEFAULT"),
    )
    with psycopg.connect(database.url) as connection:
        query = INSERT.partition("SELECT")[0] + "VALUES (%s, %s, %s, 'clicked', now(), '1.0')"
        connection.execute(query.encode(), (identifier, HUB, HUB))
    restore(empty, backed_up(database, directory))
    assert_equal_but_for_the_timeline(database, empty)
