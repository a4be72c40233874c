"""The configured database."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection

from db import embedded, revisions
from db.engine import Database
from db.errors import Failed, Refused, Unavailable, Unsuitable
from scripts.service.settings import Settings, variable

_UNKNOWN = re.compile(r"""[\s"'$%\\\ud800-\udfff]""")
"""A character that the programs of the embedded PostgreSQL, or its URL, cannot have in a path."""

Opening = Callable[[Settings], AbstractContextManager[Database]]
URL, DIRECTORY = variable("database_url"), variable("data_dir")

REMEDIES = {
    "session is read-only": "every host there is a standby, or has default_transaction_read_only on: name the server "
    f"that takes writes in {URL}, or all hosts, host1,host2, and then the service finds it",
    "server is in hot standby mode": f"every host there is a standby: name the server that takes writes in {URL}",
    "unrecognized configuration parameter": f"name a PostgreSQL 15 or later, and no other product, in {URL}",
    "unsupported startup parameter": f"a pooler such as PgBouncer answers there: name PostgreSQL itself in {URL}",
    "received invalid response": f"another service answers there: correct host and port in {URL}",
    "expected authentication request": f"another service answers there: correct host and port in {URL}",
    "connection option": f"correct the options after the question mark in {URL}",
    "SSL": f"correct sslmode in {URL}, or enable TLS on the server",
    "permission denied for database": f"grant the role CONNECT on the database, or name another role in {URL}",
    "too many connections": "allow the server or the role more connections, or lower IR_CONNECTIONS and IR_WORKERS",
    "authentication failed": f"correct the user and the password in {URL}",
    "no password supplied": f"put the password into {URL}: postgresql://user:password@host/database",
    'role "': f"correct the user in {URL}, or create the role",
    "does not exist": f"create the database, or name another one in {URL}",
    "resolve host": f"correct the host in {URL}",
    "connection": f"check that PostgreSQL runs and accepts connections there, and correct host and port in {URL}",
}
"""The remedy for each libpq error, by words in its message; the first match counts."""
STATEMENTS = {
    "SQLSTATE 25006": f"the database is read-only: name a writable server in {URL}",
    "SQLSTATE 42501": f"grant the role the missing right, or name the role that migrated the database in {URL}",
    "SQLSTATE 42P07": f"another application has tables in this database: name a separate database in {URL}",
}
"""The remedy for each statement error, by SQLSTATE."""


@contextmanager
def connected(settings: Settings, keep_running: bool = False) -> Iterator[Database]:
    """The database of `settings` in its current state. Without a URL it is an embedded one, created if absent.

    With `keep_running` an embedded one is started again if it dies.
    """
    is_named = bool(settings.database_url)
    named = nullcontext(settings.database_url) if is_named else _embedded(settings.data_dir, keep_running)
    with named as url, closing(_opened(settings, url)) as opened:
        yield opened


@contextmanager
def database(
    settings: Settings, require: Callable[[Connection], object] = revisions.require_current
) -> Iterator[Database]:
    """The database of `settings`; Refused if it is absent, or by `require`: it lacks the tables of this release."""
    if not settings.database_url:
        _require_embedded(settings.data_dir)
    with connected(settings) as opened:
        with remedied(settings):
            opened.require_own_sessions()
            with opened.begin() as connection:
                require(connection)
        yield opened


@contextmanager
def remedied(settings: Settings) -> Iterator[None]:
    """Add the remedy, and the name but not the value of IR_DATABASE_URL, to an error of the database."""
    try:
        yield
    except (Unavailable, Failed) as error:
        if not settings.database_url:
            raise
        if isinstance(error, Unsuitable):
            raise Unsuitable(f"the database of {URL} cannot be used: {error}") from None
        for words, remedy in STATEMENTS.items():
            if words in str(error):
                raise Failed(f"{error}: {remedy}") from None
        for words, remedy in REMEDIES.items():
            if words in str(error):
                raise type(error)(f"the database of {URL} cannot be reached: {error}; {remedy}") from None
        raise


def _opened(settings: Settings, url: str) -> Database:
    """The database at `url`; Failed names IR_DATABASE_URL if `url` is not the URL of a database."""
    try:
        return Database(url, settings.connections, settings.database_timeout)
    except Failed as error:
        raise Failed(f"{URL} cannot be used: {error}") from None


@contextmanager
def _embedded(directory: Path, keep_running: bool) -> Iterator[str]:
    """The URL of the embedded PostgreSQL in `directory`, which is created if absent; Refused if it cannot be used."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(directory, error.strerror) from None
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise _unusable(directory, "Permission denied")
    if unknown := _UNKNOWN.search(str(directory.resolve())):
        raise _unusable(directory, f"the embedded PostgreSQL takes no {unknown[0]!r} in its path")
    with embedded.running(directory, keep_running) as url:
        yield url


def _require_embedded(directory: Path) -> None:
    """Raise Refused unless `directory` holds a database, so that no command creates a second one by mistake."""
    try:
        exists = (directory / "postgresql" / "PG_VERSION").exists()
    except OSError as error:
        raise _unusable(directory, error.strerror) from None
    if directory.exists() and not directory.is_dir():
        raise _unusable(directory, "File exists")
    if not exists:
        raise Refused(
            f"there is no database in {directory.absolute()}: set {DIRECTORY} to another directory, {URL} to a "
            "server, or create a database here with 'interaction-reporting migrate' or 'serve'"
        )


def _unusable(directory: Path, reason: str | None) -> Refused:
    return Refused(
        f"{DIRECTORY} is '{directory}', which cannot be used ({reason}): name a directory that this user may write to, "
        f"or set {URL} to use a server"
    )
