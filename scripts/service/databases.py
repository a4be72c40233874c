"""The database of the settings."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

from db import embedded, revisions
from db.engine import Database
from db.errors import Failed, Refused, Unavailable
from scripts.service.settings import Settings, variable

Opening = Callable[[Settings], AbstractContextManager[Database]]
URL, DIRECTORY = variable("database_url"), variable("data_dir")

REMEDIES = {
    "connection option": f"correct the options after the question mark in {URL}",
    "SSL": f"correct sslmode in {URL}, or let the server use TLS",
    "permission denied for database": f"grant the role CONNECT on the database, or name another role in {URL}",
    "too many connections": "let the server or the role have more connections, or lower IR_CONNECTIONS and IR_WORKERS",
    "authentication failed": f"correct the user and the password in {URL}",
    "no password supplied": f"put the password into {URL}: postgresql://user:password@host/database",
    'role "': f"correct the user in {URL}, or create the role",
    "does not exist": f"create the database, or name another one in {URL}",
    "resolve host": f"correct the host in {URL}",
    "connection": f"see that PostgreSQL runs and accepts connections there, and correct host and port in {URL}",
}
"""What to do about an error of libpq, by words in its message: the first row that matches counts."""
STATEMENTS = {
    "SQLSTATE 25006": f"the database is read-only: name a server in {URL} that can be written",
    "SQLSTATE 42P07": f"another application has tables in this database: name one in {URL} that is the service's own",
}
"""What to do about an error of a statement, by its SQLSTATE."""


@contextmanager
def connected(settings: Settings) -> Iterator[Database]:
    """The database of `settings` as it is; without a URL an embedded one runs meanwhile, and is created if absent."""
    named = nullcontext(settings.database_url) if settings.database_url else _embedded(settings.data_dir)
    with named as url, closing(_opened(settings, url)) as opened:
        yield opened


@contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """The database of `settings`; Refused if it is absent or has not the tables of this release."""
    if not settings.database_url:
        _require_embedded(settings.data_dir)
    with connected(settings) as opened:
        with remedied(settings), opened.begin() as connection:
            revisions.require_current(connection)
        yield opened


@contextmanager
def remedied(settings: Settings) -> Iterator[None]:
    """Name IR_DATABASE_URL, but not the password, and the remedy where a connection to its server fails."""
    try:
        yield
    except (Unavailable, Failed) as error:
        if not settings.database_url:
            raise
        for words, remedy in STATEMENTS.items():
            if words in str(error):
                raise Failed(f"{error}: {remedy}") from None
        for words, remedy in REMEDIES.items():
            if words in str(error):
                raise type(error)(f"the database of {URL} cannot be reached: {error}; {remedy}") from None
        raise


def _opened(settings: Settings, url: str) -> Database:
    """The database at `url`; Failed names IR_DATABASE_URL if it is no URL of one."""
    try:
        return Database(url, settings.connections, settings.database_timeout)
    except Failed as error:
        raise Failed(f"{URL} cannot be used: {error}") from None


@contextmanager
def _embedded(directory: Path) -> Iterator[str]:
    """The URL of the embedded PostgreSQL in `directory`, which is created if absent; Refused if it cannot be used."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, error.strerror) from None
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(directory, "Permission denied")
    with embedded.running(directory) as url:
        yield url


def _require_embedded(directory: Path) -> None:
    """Refused unless `directory` holds a database: one that is made by mistake would stand beside the right one."""
    try:
        is_there = (directory / "postgresql" / "PG_VERSION").exists()
    except OSError as error:
        raise _unusable(directory, error.strerror) from None
    if directory.exists() and not directory.is_dir():
        raise _unusable(directory, "File exists")
    if not is_there:
        raise Refused(
            f"there is no database in {directory.absolute()}: {DIRECTORY} names another directory, {URL} names a "
            "server, and 'interaction-reporting migrate' or 'serve' makes a database here"
        )


def _unusable(directory: Path, reason: str | None) -> Refused:
    return Refused(
        f"{DIRECTORY} is '{directory}', which cannot be used ({reason}): name a directory that this user may write to, "
        f"or set {URL} to use a server"
    )
