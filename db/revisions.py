"""The revision of a database's tables, and whether a release works on it."""

from sqlalchemy import Connection, text

from db.errors import Refused
from db.release import EXPAND, RELEASE, Release
from db.tables import metadata

REVISIONS = RELEASE.revisions
"""The revisions of this release, newest last."""

_LATER = text("SELECT revision, kind FROM schema_revisions WHERE revision <> ALL (:known) ORDER BY revision")
_APPLIED = text("INSERT INTO schema_revisions (revision, kind, applied_at) VALUES (:revision, :kind, now())")
_UNDONE = text("DELETE FROM schema_revisions WHERE revision = :revision")

_MISSING_RIGHTS = text("""
    SELECT wanted, name FROM (
        SELECT 1, name, wanted
        FROM unnest(CAST(:tables AS text[])) AS name, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS wanted
        WHERE NOT has_table_privilege(name, wanted)
        UNION ALL
        SELECT 2, 'sequence positions', wanted FROM unnest('{SELECT,USAGE}'::text[]) AS wanted
        WHERE NOT has_sequence_privilege('positions', wanted)
    ) AS missing (kind, name, wanted)
    ORDER BY kind, name, wanted LIMIT 1
""")
_FOREIGN_PARTITIONS = text("""
    SELECT name FROM unnest(CAST(:tables AS text[])) AS name JOIN pg_class ON pg_class.oid = to_regclass(name)
    WHERE relkind = 'p' AND NOT pg_has_role(relowner, 'USAGE') LIMIT 1
""")


def require_current(connection: Connection, release: Release = RELEASE) -> None:
    """Refused unless `release` works on the tables of the database.

    It does without its own revisions that contract, and with those of a later release that only expand.
    """
    current = revision(connection)
    if later(connection, current, release):
        return
    if current is None:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        raise Refused(f"the database {name!r} has no tables: run 'interaction-reporting migrate'")
    if missing := release.missing(current):
        raise Refused(
            f"the database is at revision {current}, this release needs {missing[-1]}: "
            "run 'interaction-reporting migrate'"
        )


def later(connection: Connection, current: str | None, release: Release = RELEASE) -> list[str]:
    """The revisions of a later release, if the database is at one; Refused unless all of them only expand.

    The database knows their kinds: this release has no file of them.
    """
    if current is None or current in release.revisions:
        return []
    kinds = _later_kinds(connection, release)
    if current not in kinds:
        raise Refused(
            f"the database is at revision {current!r}, which this release does not know: it is of a later release"
        )
    if others := [name for name, kind in kinds.items() if kind != EXPAND]:
        raise Refused(
            f"the database is at revision {current!r} of a later release, and revision {others[0]!r} has contracted "
            "the tables that this release needs: start the later release, or restore a backup"
        )
    return list(kinds)


def pending(connection: Connection, release: Release = RELEASE) -> list[str]:
    """The revisions that contract and have not run: they wait for `migrate --contract`."""
    current = revision(connection)
    return release.contracting(current) if current in release.revisions else []


def record(connection: Connection, name: str, kind: str, is_upgrade: bool) -> None:
    """Keep or delete the row of the revision `name`, in its transaction. The first ones precede the table of rows."""
    if connection.scalar(text("SELECT to_regclass('schema_revisions')")) is None:
        return
    if is_upgrade:
        connection.execute(_APPLIED, {"revision": name, "kind": kind})
    else:
        connection.execute(_UNDONE, {"revision": name})


def _later_kinds(connection: Connection, release: Release) -> dict[str, str]:
    if not connection.scalar(text("SELECT has_table_privilege(to_regclass('schema_revisions'), 'SELECT')")):
        return {}
    rows = connection.execute(_LATER, {"known": release.revisions})
    return {row.revision: row.kind for row in rows}


def revision(connection: Connection) -> str | None:
    """The revision of the database; None if it was never migrated."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        if connection.execute(text("SELECT current_schema()")).scalar_one() is None:
            raise Refused(_without_schema(connection))
        return None
    if not connection.execute(text("SELECT has_table_privilege('alembic_version', 'SELECT')")).scalar_one():
        role, database = _role_and_database(connection)
        raise Refused(
            f"the role {role!r} may not read the tables of database {database!r}: connect as the role that migrated it"
        )
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_create(connection: Connection) -> None:
    """Refused unless the role may create tables: since PostgreSQL 15, by default only the owner of a database may."""
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    if schema is None:
        raise Refused(_without_schema(connection))
    if not connection.execute(text("SELECT has_schema_privilege(:schema, 'CREATE')"), {"schema": schema}).scalar_one():
        role, database = _role_and_database(connection)
        quote = connection.dialect.identifier_preparer.quote
        raise Refused(
            f"the role {role!r} may not create tables in schema {schema} of database {database!r}: make it the owner "
            f"(ALTER DATABASE {quote(database)} OWNER TO {quote(role)}), or connect as the owner"
        )


def require_rights(connection: Connection) -> None:
    """Refused unless the role may do what a service does: otherwise it would start, and refuse every event."""
    for right, name in connection.execute(_MISSING_RIGHTS, {"tables": list(metadata.tables)}):
        role, database = _role_and_database(connection)
        raise Refused(
            f"the role {role!r} lacks the right {right} on {name} in database {database!r}: connect as the role that "
            "migrated it, or grant it all rights on its tables and sequences"
        )
    for name in connection.execute(_FOREIGN_PARTITIONS, {"tables": list(metadata.tables)}).scalars():
        role, database = _role_and_database(connection)
        raise Refused(
            f"the role {role!r} does not own {name} in database {database!r}, so it cannot add the partitions of the "
            "coming weeks: connect as the role that migrated it, or grant that role to it"
        )


def _without_schema(connection: Connection) -> str:
    role, database = _role_and_database(connection)
    return (
        f"the role {role!r} may use no schema in search_path of database {database!r}: create the schema public and "
        "grant USAGE and CREATE on it to the role, or set search_path of the role to a schema of its own"
    )


def _role_and_database(connection: Connection) -> tuple[str, str]:
    role, database = connection.execute(text("SELECT current_user, current_database()")).one()
    return role, database
