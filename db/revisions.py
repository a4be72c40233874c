"""The revision of a database's tables, read without Alembic, which takes longer to load than most commands run."""

from pathlib import Path

from sqlalchemy import Connection, text

from db.errors import Refused

MIGRATIONS = Path(__file__).parent / "migrations"
REVISIONS = sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))
"""The revisions of this release, newest last: the file name of a migration begins with it, `0001_first_tables`."""


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
        return None
    if not connection.execute(text("SELECT has_table_privilege('alembic_version', 'SELECT')")).scalar_one():
        role, database = _role_and_database(connection)
        raise Refused(
            f"the role {role!r} may not read the tables of database {database!r}: connect as the role that migrated it"
        )
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_create(connection: Connection) -> None:
    """Refused unless the role may create tables: since PostgreSQL 15, by default only the owner of a database may."""
    if not connection.execute(text("SELECT has_schema_privilege('public', 'CREATE')")).scalar_one():
        role, database = _role_and_database(connection)
        quote = connection.dialect.identifier_preparer.quote
        raise Refused(
            f"the role {role!r} may not create tables in schema public of database {database!r}: make it the owner "
            f"(ALTER DATABASE {quote(database)} OWNER TO {quote(role)}), or connect as the owner"
        )


def require_write(connection: Connection) -> None:
    """Refused unless the role may store events: a service that can only read would start and refuse every event."""
    if not connection.execute(text("SELECT has_table_privilege('interaction_events', 'INSERT')")).scalar_one():
        role, database = _role_and_database(connection)
        raise Refused(
            f"the role {role!r} may not write to the tables of database {database!r}: connect as the role that "
            "migrated it"
        )


def refuse_unknown(revision: str | None) -> None:
    """Refused if `revision` is of a later release."""
    if revision is not None and revision not in REVISIONS:
        raise Refused(
            f"the database is at revision {revision!r}, which this release does not know: it is of a later release"
        )


def _role_and_database(connection: Connection) -> tuple[str, str]:
    role, database = connection.execute(text("SELECT current_user, current_database()")).one()
    return role, database
