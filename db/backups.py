"""Backs up the whole database as of one instant, while others use it."""

from collections.abc import Generator
from contextlib import closing
from typing import IO, cast

import psycopg
from psycopg import sql
from sqlalchemy import Connection, func, select, text

from db import partitions, revisions
from db.backup_files import BackupWriter, Manifest, Member, Progress
from db.engine import Database
from db.errors import Refused
from db.release import RELEASE
from db.tables import metadata

_TABLES = [table.name for table in metadata.sorted_tables]
_COLUMNS = text("""
    SELECT name, array_agg(attname::text ORDER BY attnum)
    FROM unnest(CAST(:tables AS text[])) WITH ORDINALITY AS wanted (name, place)
    JOIN pg_attribute ON attrelid = to_regclass(name)
    WHERE attnum > 0 AND NOT attisdropped AND attgenerated = '' GROUP BY name, place ORDER BY place
""")
_SEQUENCES = text("""
    SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND (
        oid = to_regclass('positions') OR oid IN (
            SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'i' AND refobjid = ANY (
                SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name
            )
        )
    ) ORDER BY 1
""")
_BEGIN = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    # Before the snapshot: no partition is dropped, and no table altered, between the two.
    "LOCK TABLE {tables} IN ACCESS SHARE MODE",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL row_security = off",  # rows that a policy hides are an error, not missing
    "SET LOCAL synchronize_seqscans = off",  # rows keep their order, in which a BRIN index is small
)


def back_up(database: Database, stream: IO[bytes], progress: Progress = lambda _table, _rows: None) -> Manifest:
    """Write the rows of one instant to `stream`, in a session of its own; returns what was written.

    Writers do not wait for it. Until its end no partition is dropped, and no table altered. Refused if the database is
    of a later release.
    """
    with database.session() as session:
        revision, tables = known_revision(session), stored_columns(session)
        session.rollback()
        names = ", ".join([*tables, "alembic_version"])
        for statement in _BEGIN:
            session.execute(text(statement.format(tables=names)))
        if revision != revisions.revision(session) or tables != stored_columns(session):
            raise Refused("the database has just been migrated: back it up again")
        created_at = session.execute(select(func.now())).scalar_one()
        with closing(BackupWriter(stream)) as writer:
            members = [_add(session, writer, name, columns, progress) for name, columns in tables.items()]
            manifest = Manifest(
                revision=revision,
                kinds={name: RELEASE.kinds[name] for name in RELEASE.until(revision).revisions},
                created_at=created_at,
                server_version=str(session.scalar(text("SELECT current_setting('server_version')"))),
                weeks=partitions.weeks_with_rows(session),
                sequences=sequences(session),
                tables=members,
            )
            writer.add_manifest(manifest)
        return manifest


def stored_columns(connection: Connection) -> dict[str, list[str]]:
    """The columns that hold data of each table of ours that exists, in the database itself."""
    return {row[0]: row[1] for row in connection.execute(_COLUMNS, {"tables": _TABLES})}


def driver(connection: Connection) -> psycopg.Connection[tuple[object, ...]]:
    """The connection of psycopg below `connection`, which can COPY."""
    connection.execute(select(1))  # so that a transaction has begun
    return cast("psycopg.Connection[tuple[object, ...]]", connection.connection.driver_connection)


def known_revision(connection: Connection) -> str:
    """The revision of the database; Refused if it has none, or one of a later release."""
    revision = revisions.revision(connection)
    if revision is None:
        raise Refused("the database has no tables, so there is nothing to back up: check the settings")
    if revision not in RELEASE.revisions:
        raise Refused(f"the database is at revision {revision} of a later release: back it up with that release")
    return revision


def _add(session: Connection, writer: BackupWriter, table: str, columns: list[str], progress: Progress) -> Member:
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT text, ENCODING 'UTF8')").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
    )
    with closing(_copied(session, query)) as blocks:  # a COPY that nothing reads would hold up the end
        return writer.add(table, columns, blocks, progress)


def _copied(session: Connection, query: sql.Composed) -> Generator[bytes | bytearray | memoryview]:
    with driver(session).cursor() as cursor, cursor.copy(query) as copy:
        yield from copy


def sequences(connection: Connection) -> dict[str, tuple[int, bool]]:
    """The state of each sequence. None is part of the snapshot: it may be ahead of the rows, never behind."""
    names = connection.scalars(_SEQUENCES, {"tables": _TABLES}).all()
    return {name: _state(connection, name) for name in names}


def _state(connection: Connection, sequence: str) -> tuple[int, bool]:
    value, is_called = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608 (of ours)
    return value, is_called
