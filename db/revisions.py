"""The revision of a database's tables, read without Alembic, which takes longer to load than most commands run."""

from pathlib import Path

from sqlalchemy import Connection, text

from db.errors import Refused
from db.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The revisions of this release, newest last: the file name of a migration begins with it, `0001_first_tables`."""

_MISSING_RIGHTS = text("""
    SELECT wanted, name
    FROM unnest(CAST(:tables AS text[])) AS name, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS wanted
    WHERE NOT has_table_privilege(name, wanted)
    UNION ALL
    SELECT wanted, 'sequence positions' FROM unnest('{SELECT,USAGE}'::text[]) AS wanted
    WHERE NOT has_sequence_privilege('positions', wanted)
    LIMIT 1
""")
_FOREIGN_PARTITIONS = text("""
    SELECT name FROM unnest(CAST(:tables AS text[])) AS name JOIN pg_class ON pg_class.oid = to_regclass(name)
    WHERE relkind = 'p' AND NOT pg_has_role(relowner, 'USAGE') LIMIT 1
""")


def require_current(connection: Connection) -> None:
    """Refused unless the database has the tables of this release."""
    current, head = revision(connection), REVISIONS[-1]
    refuse_unknown(current)
    if current is None:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        raise Refused(f"the database {name!r} has no tables: run 'interaction-reporting migrate'")
    if current != head:
        raise Refused(
            f"the database is at revision {current}, this release needs {head}: run 'interaction-reporting migrate'"
        )


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


def refuse_unknown(revision: str | None) -> None:
    """Refused if `revision` is of a later release."""
    if revision is not None and revision not in REVISIONS:
        raise Refused(
            f"the database is at revision {revision!r}, which this release does not know: it is of a later release"
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
