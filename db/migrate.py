"""Migrate a database to the tables of a release, while others use it: each revision in a transaction of its own."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from db.advisory_locks import AdvisoryLock, holders, try_session_lock
from db.engine import Database
from db.errors import Refused
from db.lock_waits import TRY_MILLISECONDS, LockWaits, Patience, watched, with_locks
from db.release import RELEASE, Release
from db.revisions import later, require_create, require_rights, revision

PATIENCE_SECONDS = 60.0
"""How long a revision waits for its locks, and a process for another one that migrates."""


def upgrade(
    database: Database,
    and_then: Callable[[Connection], object] = lambda _connection: None,
    *,
    contract: bool = False,
    release: Release = RELEASE,
    patience: float = PATIENCE_SECONDS,
) -> tuple[str | None, str]:
    """Run the missing migrations, then `and_then`; returns the revisions before and after.

    What contracts the tables runs only with `contract`, or on an empty database. Each revision is a transaction, which
    gives way to others: it tries to get its locks until `patience`, in seconds, ends. If one fails, those before it
    stay, and the next call goes on from there. Refused if the database is of a later release, unless that only
    expanded it. Concurrent calls take turns.
    """
    with _turn(database, patience) as session, watched(database, session) as waits:
        before = revision(session)
        steps = [] if later(session, before, release) else release.next_steps(before, contract)
        if steps:
            require_create(session)
        session.rollback()
        if steps:
            _run(session, release, steps[-1], waits, patience)

        def finish() -> None:
            with session.begin():
                if RELEASE.revisions[-1] in release.revisions:  # an earlier one has other tables
                    require_rights(session)
                and_then(session)

        with_locks(session, finish, lambda: "the end of the migration", waits, patience)
        after = revision(session)
        session.rollback()
        return before, str(after)


def config_of(release: Release, connection: Connection) -> Config:
    """Alembic's configuration for the migrations of `release`, on `connection`."""
    config = Config()
    config.set_main_option("script_location", _escaped(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(map(_escaped, release.directories)))
    config.attributes.update(connection=connection, release=release)
    return config


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


def _run(session: Connection, release: Release, target: str, waits: LockWaits, patience: float) -> None:
    """Run the revisions to `target`; a try goes on where the one before it could not."""
    config = config_of(release, session)

    def next_step() -> str:
        (step, *_) = [*release.after(revision(session)), target]
        session.rollback()
        return f"revision {step}"

    with_locks(session, lambda: command.upgrade(config, target), next_step, waits, patience)


@contextmanager
def _turn(database: Database, patience: float) -> Iterator[Connection]:
    """A session of its own that migrates while no other does. Its end, for whatever reason, gives the turn back."""
    with database.session() as session:
        encoding = session.scalar(text("SELECT current_setting('server_encoding')"))
        if encoding != "UTF8":
            raise Refused(f"the database stores text as {encoding}; create a database with ENCODING 'UTF8'")
        waiting = Patience(patience)
        # Not by a statement that waits: it would be a transaction that CREATE INDEX CONCURRENTLY waits for.
        while not try_session_lock(session, AdvisoryLock.MIGRATIONS):
            pids = ", ".join(map(str, holders(session, AdvisoryLock.MIGRATIONS)))
            session.rollback()
            waiting.wait(
                f"another process migrates or restores the database, by the session with pid {pids or 'unknown'}"
            )
        session.execute(text(f"SET lock_timeout = {TRY_MILLISECONDS}"))
        session.execute(text("SET client_connection_check_interval = '1s'"))  # a killed process ends its statement
        session.commit()
        yield session
