"""Restores: what is restored is what a backup holds, row for row, or nothing."""

import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from db import migrate
from db.backup_files import BackupWriter
from db.backups import back_up
from db.engine import Database
from db.errors import Failed, Refused
from db.release import RELEASE
from db.restores import require_finished, restore
from db.timelines import FIRST
from tests.db.filled_databases import FULL, assert_equal_but_for_the_timeline, backed_up, content
from tests.db.test_timelines import read, readable, write
from tests.postgresql import fresh_database, statement


@pytest.fixture(scope="module")
def whole(filled_database: Database) -> bytes:
    """The backup of `filled_database`."""
    back_up(filled_database, stream := BytesIO())
    return stream.getvalue()


@pytest.fixture
def path(whole: bytes, directory: Path) -> Path:
    """A file with that backup."""
    path = directory / "reporting.backup"
    path.write_bytes(whole)
    return path


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


def is_unmigrated(database: Database) -> bool:
    """Whether nothing at all was made in the database."""
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,)


def test_a_cursor_from_before_gets_what_is_new(
    filled_copy: Database, empty_database: Database, directory: Path
) -> None:
    """It is of a row that was lost; the restored database has begun a timeline at once, and names what survived."""
    path = backed_up(filled_copy, directory)
    write(filled_copy, 997)
    cursor = readable(filled_copy)[-1]
    _, timeline = restore(empty_database, path)
    assert timeline is not None
    assert timeline.epoch > FIRST
    assert timeline.restored_to is not None
    assert read(empty_database) == timeline
    write(empty_database, 5)
    assert len(readable(empty_database, after=cursor)) == 5
    assert len(readable(empty_database)) == 8


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
    [({"sequences": {}}, "idempotency|positions|_seq"), ({"tables": []}, "admins")],
    ids=["no sequence", "no table"],
)
def test_a_part_of_a_backup_is_refused(
    path: Path, empty_database: Database, members: dict[str, object], name: str
) -> None:
    """The message names what is missing, and no service starts on what was made."""
    with pytest.raises(Refused, match=f"not exactly the tables of its revision; see '.*({name})"):
        restore(empty_database, changed(path, **members))
    assert content(empty_database)["hubs"] == []
    with empty_database.begin() as connection, pytest.raises(Refused, match="did not come to its end"):
        require_finished(connection)
    restore(empty_database, path)


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
        ("INSERT INTO widgets (id, name) VALUES (gen_random_uuid(), 'a')", "has rows in audit"),
        ("INSERT INTO oauth_used_tokens VALUES ('x', now())", "has rows in oauth_used_tokens"),
        ("INSERT INTO event_type_registry (name) VALUES ('own')", "has rows in audit"),
        (
            "SET interaction_reporting.audit = 'off'; INSERT INTO event_type_registry (name) VALUES ('own')",
            "has a changed event_type_registry",
        ),
    ],
)
def test_a_database_with_rows_is_refused(path: Path, empty_database: Database, change: str, words: str) -> None:
    """The message names a table; nothing is changed."""
    migrate.upgrade(empty_database)
    statement(empty_database.url, sql.SQL(change))
    before = content(empty_database)
    with pytest.raises(Refused, match=words):
        restore(empty_database, path)
    assert content(empty_database) == before


def test_a_migrated_database_without_rows_is_filled(
    path: Path, filled_database: Database, empty_database: Database
) -> None:
    """The rows that migrations make are replaced. Afterwards no backup is restored into it, and not this one again."""
    migrate.upgrade(empty_database)
    restore(empty_database, path)
    assert_equal_but_for_the_timeline(filled_database, empty_database)
    with pytest.raises(Refused, match="was restored from this backup already: start the service on it"):
        restore(empty_database, path)
    with pytest.raises(Refused, match="has rows in"):
        restore(empty_database, backed_up(filled_database, path.parent))


def test_a_restore_that_fails_leaves_no_row(path: Path, filled_database: Database, empty_database: Database) -> None:
    """It can be called again, although the tables were made."""

    def fail(table: str, _rows: int) -> None:
        if table == "timelines":
            raise Failed("the end")

    with pytest.raises(Failed, match="the end"):
        restore(empty_database, path, fail)
    assert content(empty_database)["interaction_events"] == []
    with empty_database.begin() as connection, pytest.raises(Refused, match="did not come to its end"):
        require_finished(connection)
    restore(empty_database, path)
    assert_equal_but_for_the_timeline(filled_database, empty_database)


def test_a_backup_of_an_earlier_revision_is_migrated(
    early: tuple[Database, bytes], empty_database: Database, directory: Path
) -> None:
    """Even of a revision without timelines: the restored database begins a second one."""
    (path := directory / "backup").write_bytes(early[1])
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["revision"], list(manifest["kinds"])[-1]) == ("0014", "0014")
    _, timeline = restore(empty_database, path)
    assert timeline is not None
    assert timeline.epoch > FIRST
    assert_migrated(early[0], empty_database)


def test_a_restore_that_ended_after_its_rows_goes_on(
    early: tuple[Database, bytes], path: Path, empty_database: Database, directory: Path
) -> None:
    """A revision failed: the next call runs it and begins a timeline. A restore of another backup is refused."""
    (early_path := directory / "early").write_bytes(early[1])
    statement(empty_database.url, sql.SQL("CREATE TABLE timelines ()"))  # in the way of revision 0016
    with pytest.raises(Failed, match="DuplicateTable"):
        restore(empty_database, early_path)
    with empty_database.begin() as connection, pytest.raises(Refused, match="did not come to its end"):
        require_finished(connection)
    statement(empty_database.url, sql.SQL("DROP TABLE timelines"))
    with pytest.raises(Refused, match="has rows in"):
        restore(empty_database, path)
    _, timeline = restore(empty_database, early_path)
    assert timeline is not None
    assert timeline.epoch > FIRST
    assert_migrated(early[0], empty_database)
    with empty_database.begin() as connection:
        require_finished(connection)


def assert_migrated(early: Database, restored: Database) -> None:
    """The hubs are there, and the revision is that of the release."""
    with psycopg.connect(early.url) as ours, psycopg.connect(restored.url) as theirs:
        query = "SELECT id, name, api_key, rate_limit, cut_over_why, created_at FROM hubs"
        assert ours.execute(query).fetchall() == theirs.execute(query).fetchall() != []
        revision = theirs.execute("SELECT version_num FROM alembic_version").fetchone()
    assert revision == (RELEASE.revisions[-1],)


def test_a_database_of_a_later_revision_than_the_backup_is_refused(
    early: tuple[Database, bytes], empty_database: Database, directory: Path
) -> None:
    """The migrations in between would not see the rows."""
    migrate.upgrade(empty_database)
    (path := directory / "backup").write_bytes(early[1])
    with pytest.raises(Refused, match=r"is at revision \d+, later than the backup's 0014"):
        restore(empty_database, path)


def test_a_column_that_was_added_by_hand_is_kept(
    filled_copy: Database, empty_database: Database, directory: Path
) -> None:
    """Once the empty database, which the first attempt has migrated, has it, too."""
    statement(filled_copy.url, sql.SQL("ALTER TABLE widgets ADD note text"))
    path = backed_up(filled_copy, directory)
    with pytest.raises(Refused, match=r"columns of widgets that its revision does not have.*note"):
        restore(empty_database, path)
    statement(empty_database.url, sql.SQL("ALTER TABLE widgets ADD note text"))
    restore(empty_database, path)
    assert_equal_but_for_the_timeline(filled_copy, empty_database)
