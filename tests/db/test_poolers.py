"""Poolers, other servers and older ones: unsuitable, in words that name the cure."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from db.engine import Database
from db.errors import Unavailable, Unsuitable
from db.session_settings import SETTINGS, require_own_session
from tests.postgresql import debian_server, fresh_database

POOLER = shutil.which("pgbouncer")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of an empty database on a server that PgBouncer, as another user than root, can reach."""
    with debian_server() as server, fresh_database(server, "pooled") as url:
        yield url


def free_port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def pooler(url: str, mode: str, connect_query: str = "") -> Iterator[str]:
    """The URL of a PgBouncer before `url`, which drops `options`, and runs `connect_query` in each session."""
    if POOLER is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("PgBouncer is not installed")
    parsed, port = make_url(url), free_port()
    query = f"connect_query='{connect_query.replace(chr(39), 2 * chr(39))}'" if connect_query else ""
    configuration = f"""
        [databases]
        {parsed.database} = host={parsed.query["host"]} user=postgres {query}
        [pgbouncer]
        listen_addr = 127.0.0.1
        listen_port = {port}
        unix_socket_dir =
        auth_type = any
        pool_mode = {mode}
        ignore_startup_parameters = options,extra_float_digits
    """
    with tempfile.TemporaryDirectory(prefix="ir-pooler-") as name:
        file = Path(name, "pgbouncer.ini")
        file.write_text("\n".join(line.strip() for line in configuration.splitlines()))
        file.parent.chmod(0o755)
        user = "postgres" if os.geteuid() == 0 else None
        process = subprocess.Popen([POOLER, "-q", file], user=user, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 10
            while True:
                assert time.monotonic() < deadline, "PgBouncer does not listen"
                with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield f"postgresql://postgres@127.0.0.1:{port}/{parsed.database}"
        finally:
            process.terminate()
            process.wait()


SET_ALL = "; ".join(f"SET {setting.name} = '{setting.value}'" for setting in SETTINGS)


def test_a_pooler_that_drops_the_options_is_unsuitable(url: str) -> None:
    """In the pool and at the start; the message names a setting, its value, and what to do."""
    with pooler(url, "transaction") as pooled, closing(Database(pooled)) as database:
        with pytest.raises(Unsuitable, match=r"^\w+ is '.+' in a new session, .*; connect to PostgreSQL itself$"):
            database.require_own_sessions()
        with pytest.raises(Unsuitable), database.begin():
            pytest.fail("there is a connection")


def test_a_pooler_of_transactions_is_unsuitable_although_it_has_every_setting(url: str) -> None:
    """Two sessions share a process of the server, one after the other."""
    with (
        pooler(url, "transaction", SET_ALL) as pooled,
        closing(Database(pooled)) as database,
        pytest.raises(Unsuitable, match="lends each transaction another session"),
    ):
        database.require_own_sessions()


def test_a_pooler_of_sessions_with_every_setting_is_suitable(url: str) -> None:
    """Each session has a process of its own."""
    with pooler(url, "session", SET_ALL) as pooled, closing(Database(pooled)) as database:
        database.require_own_sessions()


@pytest.mark.parametrize(("first", "second"), [([1, 2], [3]), ([1], [1]), ([1, 2], [])])
def test_sessions_that_share_processes_are_not_the_services_own(first: list[int], second: list[int]) -> None:
    """Whichever of them a pooler moves."""
    with pytest.raises(Unsuitable, match="lends each transaction another session"):
        require_own_session(first, second)
    require_own_session([1, 1], [2])


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """The URL of a server that answers each message with `answer`, whatever it was."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as opened:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client = opened.enter_context(listener.accept()[0])
                    with suppress(OSError):
                        client.recv(65536)
                        client.sendall(answer)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"postgresql://me:hunter2@127.0.0.1:{listener.getsockname()[1]}/it?sslmode=disable"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def message(kind: bytes, content: bytes) -> bytes:
    """A message of PostgreSQL's protocol, version 3."""
    return kind + (len(content) + 4).to_bytes(4, "big") + content


def status(name: bytes, value: bytes) -> bytes:
    """The message that names a parameter of the server."""
    return message(b"S", name + b"\0" + value + b"\0")


def test_an_older_server_is_unsuitable() -> None:
    """Also another product, which as a rule says that it is an old PostgreSQL."""
    greeting = message(b"R", bytes(4)) + status(b"server_version", b"14.9") + status(b"in_hot_standby", b"off")
    greeting += status(b"default_transaction_read_only", b"off") + message(b"K", bytes(8)) + message(b"Z", b"I")
    words = "says that it is PostgreSQL 14: the service needs PostgreSQL 15 or later"
    with server(greeting) as url, closing(Database(url)) as database, pytest.raises(Unsuitable, match=words):
        database.require_own_sessions()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_another_service_is_no_database(answer: bytes) -> None:
    """The error has libpq's words, and no password."""
    words = "expected authentication request"
    with server(answer) as url, closing(Database(url)) as database, pytest.raises(Unavailable, match=words) as raised:
        database.require_own_sessions()
    assert "hunter2" not in str(raised.value)
