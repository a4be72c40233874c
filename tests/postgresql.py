"""PostgreSQL servers for the tests, each with its own data, and databases on them."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from db import embedded

DEBIAN = Path("/usr/lib/postgresql/15/bin")


@contextmanager
def embedded_server() -> Iterator[str]:
    """The URL of an embedded server."""
    with tempfile.TemporaryDirectory(prefix="ir-tests-") as directory, embedded.running(Path(directory)) as url:
        yield url


@contextmanager
def debian_server() -> Iterator[str]:
    """The URL of a server of Debian's PostgreSQL 15. Where that is missing the test is skipped; in CI it fails."""
    if not DEBIAN.exists():
        (pytest.fail if "CI" in os.environ else pytest.skip)("Debian's postgresql-15 is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="ir-debian-"))
    if user:
        shutil.chown(directory, user)

    def run(command: str, *arguments: str) -> None:
        subprocess.run(
            [DEBIAN / command, "-D", directory / "data", *arguments], user=user, check=True, capture_output=True
        )

    run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")
    run("pg_ctl", "--wait", f"--options=-h '' -k {directory}", f"--log={directory}/log", "start")
    try:
        yield f"postgresql://postgres@/postgres?host={directory}"
    finally:
        run("pg_ctl", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(directory)


def statement(url: str, *statements: sql.SQL | sql.Composed) -> None:
    """Run statements, each by itself, on the database at `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        for one in statements:
            connection.execute(one)


@contextmanager
def fresh_database(server: str, name: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database `name` on `server`, a copy of `template`; it is dropped in the end."""
    statement(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        statement(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
