"""Restores a backup into an empty database: all of it, or nothing."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from psycopg import sql
from sqlalchemy import Connection, text

from db import backup_files, migrate, page_sessions, partitions, revisions
from db.backup_files import BackupReader, Manifest, Member, Progress
from db.backups import driver, sequences, stored_columns
from db.engine import Database
from db.errors import Refused
from db.release import RELEASE
from db.timelines import FIRST, NOTE, Timeline

_OF_MIGRATIONS = {"event_type_registry", "registry_revision", "schema_revisions"}
"""The tables that have rows once they are made."""

# A timeline that no database has: what is restored from before there were timelines begins a new one, too.
_ELSEWHERE = text("""
    INSERT INTO timelines SELECT :epoch, 0, 0, 0, 0, :created_at, NULL, 0 WHERE NOT EXISTS (SELECT FROM timelines)
""")
# As if the newest timeline had been on another server.
_LEFT = text("""
    UPDATE timelines SET system_identifier = system_identifier - 1 WHERE epoch = (SELECT max(epoch) FROM timelines)
""")

_NOTED = text("SELECT obj_description(to_regclass('alembic_version'), 'pg_class')")
_BEGUN, _STORED, _RESTORED = (
    "Is being restored from the backup {}",
    "Has the rows of the backup {}",
    "Was restored from the backup {}",
)
"""Comments on alembic_version, which say how far a restore came: it has tables, then rows, then a timeline."""


def restore(
    database: Database, path: Path, progress: Progress = lambda _table, _rows: None
) -> tuple[Manifest, Timeline | None]:
    """Restore the backup at `path`, and migrate it to this release; returns what was restored, and the new timeline.

    The timeline is None where the server does not say where it is. Refused before anything is written if the file is
    damaged or of a later release, or if the database has rows. If it ends early, the next call goes on.
    """
    with backup_files.opened(path) as backup:
        manifest = backup.manifest
        if manifest.revision not in RELEASE.revisions:
            raise Refused(
                f"the backup is at revision {manifest.revision}, which this release does not know: restore it with the "
                "release that made it, or a later one"
            )
        backup.verify()
        with database.begin() as connection:
            if not (is_stored := _is_stored(connection, manifest)):
                _require_empty(connection, manifest.revision)
        if not is_stored:
            release = RELEASE.until(manifest.revision)
            for step in (
                partial(_note, comment=_BEGUN, manifest=manifest),
                partial(_fill, backup=backup, progress=progress),
            ):
                migrate.upgrade(database, step, contract=True, release=release)
    noted: list[Timeline | None] = []
    migrate.upgrade(database, lambda connection: noted.append(_finish(connection, manifest)))
    return manifest, noted[-1]


def _is_stored(connection: Connection, manifest: Manifest) -> bool:
    """Whether an earlier call has stored the rows of the backup, and did not come to its end; Refused if it did."""
    comment = connection.scalar(_NOTED)
    if comment == _RESTORED.format(_name(manifest)):
        raise Refused(
            f"the database {_database(connection)!r} was restored from this backup already: start the service on it, "
            "or name a new, empty database to restore it once more"
        )
    return str(comment) == _STORED.format(_name(manifest))


def require_finished(connection: Connection) -> None:
    """Refused if a restore into the database has begun and has not come to its end."""
    comment = str(connection.scalar(_NOTED))
    if comment.startswith((_BEGUN.format(""), _STORED.format(""))):
        raise Refused(
            f"the restore into the database {_database(connection)!r} did not come to its end: call "
            "'interaction-reporting restore' with its file again"
        )


def _note(connection: Connection, comment: str, manifest: Manifest) -> None:
    words = sql.Literal(comment.format(_name(manifest)))
    driver(connection).execute(sql.SQL("COMMENT ON TABLE alembic_version IS {}").format(words))


def _name(manifest: Manifest) -> str:
    return f"of {manifest.created_at.astimezone(UTC).isoformat()}"


def _require_empty(connection: Connection, revision: str) -> None:
    """Refused if the database has rows, or is of a later revision than the backup."""
    current = revisions.revision(connection)
    if current is None:
        return
    tables = stored_columns(connection)
    for name in sorted(tables.keys() - _OF_MIGRATIONS):
        if connection.scalar(text(f"SELECT EXISTS (SELECT FROM {name})")):  # noqa: S608 (a table of ours)
            raise _not_empty(connection, f"has rows in {name}")
    if current not in RELEASE.until(revision).revisions:
        raise _not_empty(connection, f"is at revision {current}, later than the backup's {revision}")
    if "registry_revision" in tables and connection.scalar(text("SELECT value FROM registry_revision")):
        raise _not_empty(connection, "has a changed event_type_registry")


def _not_empty(connection: Connection, words: str) -> Refused:
    return Refused(f"the database {_database(connection)!r} {words}: a backup is restored into a new, empty database")


def _database(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT current_database()")))


def _fill(connection: Connection, backup: BackupReader, progress: Progress) -> None:
    """Store the rows of `backup`, in the transaction of `connection`."""
    manifest = backup.manifest
    _require_empty(connection, manifest.revision)
    _require_whole(connection, manifest)
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    for week in manifest.weeks:
        partitions.ensure(connection, week, week)
    columns = stored_columns(connection)
    for member in manifest.tables:
        _require_columns(member, columns)
    # The triggers would stamp, audit and notify: the rows are to be what they were.
    _for_each(connection, manifest, "ALTER TABLE {} DISABLE TRIGGER USER")
    for member in manifest.tables:
        connection.execute(text(f"DELETE FROM {member.table}"))  # noqa: S608 (a table of ours)
        _copy(connection, backup, member, progress)
    _for_each(connection, manifest, "ALTER TABLE {} ENABLE TRIGGER USER")
    for name, (value, is_called) in manifest.sequences.items():
        values = {"name": name, "value": value, "is_called": is_called}
        connection.execute(text("SELECT setval(CAST(:name AS regclass), :value, :is_called)"), values)
    _note(connection, _STORED, manifest)


def _for_each(connection: Connection, manifest: Manifest, statement: str) -> None:
    for member in manifest.tables:
        connection.execute(text(statement.format(member.table)))


def _require_whole(connection: Connection, manifest: Manifest) -> None:
    """Refused unless the backup has each table and each sequence of its revision, and no others."""
    tables = {member.table for member in manifest.tables}
    if others := tables ^ stored_columns(connection).keys() | manifest.sequences.keys() ^ set(sequences(connection)):
        raise Refused(f"the backup was changed: it has not exactly the tables of its revision; see {min(others)!r}")


def _require_columns(member: Member, columns: dict[str, list[str]]) -> None:
    if others := set(member.columns) - set(columns[member.table]):
        raise Refused(
            f"the backup has columns of {member.table} that its revision does not have, because someone added them: "
            f"{', '.join(sorted(others))}; add them to the empty database, too, then restore again"
        )


def _copy(connection: Connection, backup: BackupReader, member: Member, progress: Progress) -> None:
    query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT text, ENCODING 'UTF8')").format(
        sql.Identifier(member.table), sql.SQL(", ").join(map(sql.Identifier, member.columns))
    )
    rows = 0
    with driver(connection).cursor() as cursor:
        with cursor.copy(query) as copy:
            for chunk in backup.chunks(member):
                copy.write(chunk)
                rows += chunk.count(b"\n")
                progress(member.table, rows)
        if cursor.rowcount != member.rows:
            raise Refused(f"the database took {cursor.rowcount} rows of {member.table}, not {member.rows}")


def begin_timeline(connection: Connection) -> Timeline | None:
    """Begin a timeline on a database that was put back whole, from a copy of its files or a snapshot of a disk.

    Such a database does not differ from the one that it replaces but for the rows that it lacks.
    """
    connection.execute(_LEFT)
    return _noted(connection, datetime.now(UTC))


def _noted(connection: Connection, created_at: datetime) -> Timeline | None:
    """Note the new timeline; None where the server does not say where it is."""
    connection.execute(_ELSEWHERE, {"epoch": FIRST, "created_at": created_at})
    epoch, detected_at, restored_to, is_known = connection.execute(text(NOTE)).one()
    return Timeline(epoch, detected_at, restored_to) if is_known else None


def _finish(connection: Connection, manifest: Manifest) -> Timeline | None:
    timeline = _noted(connection, manifest.created_at)
    page_sessions.end_all(connection)  # of some people have signed out since the backup
    _note(connection, _RESTORED, manifest)
    return timeline
