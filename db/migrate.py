"""Bring a database to the tables of this release."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from db.engine import Database
from db.errors import Refused

_ONE_AT_A_TIME = 0x1_4E7E_4AC7  # an advisory lock's key; any number that nobody else uses


def upgrade(database: Database) -> tuple[str | None, str]:
    """Run the migrations that are missing, in one transaction; the revision before and after.

    Refused if the database is of a later release. Processes that call this at once take turns.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    with database.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        before = MigrationContext.configure(connection).get_current_revision()
        if before is not None and before not in {script.revision for script in scripts.walk_revisions()}:
            raise Refused(
                f"the database is at revision {before!r}, which this release does not know: it is of a later one"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, str(scripts.get_current_head())
