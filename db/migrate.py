"""Bring a database to the tables of this release."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db.advisory_locks import AdvisoryLock, lock
from db.engine import Database
from db.errors import Refused


def upgrade(
    database: Database, and_then: Callable[[Connection], object] = lambda _connection: None
) -> tuple[str | None, str]:
    """Run the migrations that are missing, and `and_then`, in one transaction; the revision before and after.

    Refused if the database is of a later release. Processes that call this at once take turns.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    with database.begin() as connection:
        encoding = connection.execute(text("SELECT current_setting('server_encoding')")).scalar_one()
        if encoding != "UTF8":
            raise Refused(f"the database stores text as {encoding}; create one with ENCODING 'UTF8'")
        lock(connection, AdvisoryLock.MIGRATIONS)
        before = revision(connection)
        _refuse_unknown(before, scripts)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        and_then(connection)
        return before, str(scripts.get_current_head())


def require_current(connection: Connection) -> None:
    """Refused unless the database has the tables of this release."""
    scripts = ScriptDirectory.from_config(_config())
    current, head = revision(connection), scripts.get_current_head()
    _refuse_unknown(current, scripts)
    if current != head:
        raise Refused(
            f"the database is at revision {current}, this release needs {head}: run 'interaction-reporting migrate'"
        )


def revision(connection: Connection) -> str | None:
    """The revision of the database; None if it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_unknown(current: str | None, scripts: ScriptDirectory) -> None:
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise Refused(
            f"the database is at revision {current!r}, which this release does not know: it is of a later one"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
