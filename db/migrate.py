"""Migrate a database to the tables of this release."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db.advisory_locks import AdvisoryLock, lock
from db.engine import Database
from db.errors import Refused
from db.revisions import refuse_unknown, require_create, require_rights, revision


def upgrade(
    database: Database, and_then: Callable[[Connection], object] = lambda _connection: None
) -> tuple[str | None, str]:
    """Run the missing migrations, and `and_then`, in one transaction; returns the revisions before and after.

    Refused if the database is of a later release. Concurrent calls take turns.
    """
    config = _config()
    scripts = ScriptDirectory.from_config(config)
    with database.begin() as connection:
        encoding = connection.execute(text("SELECT current_setting('server_encoding')")).scalar_one()
        if encoding != "UTF8":
            raise Refused(f"the database stores text as {encoding}; create a database with ENCODING 'UTF8'")
        lock(connection, AdvisoryLock.MIGRATIONS)
        before = revision(connection)
        refuse_unknown(before)
        if before != scripts.get_current_head():
            require_create(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        require_rights(connection)
        and_then(connection)
        return before, str(scripts.get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
