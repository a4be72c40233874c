"""Servers that the service cannot use: poolers, other services, and such as pretend to be a PostgreSQL."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

POOLER = shutil.which("pgbouncer")


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


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """The URL of a server that answers the first message with `answer`, or repeats it, whatever it was."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as opened:

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client = opened.enter_context(listener.accept()[0])
                    with suppress(OSError):
                        message = client.recv(65536)
                        client.sendall(message if answer is None else answer)

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


def greeting(version: str) -> bytes:
    """What a PostgreSQL of `version` answers to a client that it accepts."""
    content = message(b"R", bytes(4)) + status(b"server_version", version.encode()) + status(b"in_hot_standby", b"off")
    content += status(b"default_transaction_read_only", b"off")
    return content + message(b"K", bytes(8)) + message(b"Z", b"I")
