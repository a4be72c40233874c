"""A primary and its standby, which may die, be promoted, and come back as each other's standby."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgresql import DEBIAN


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers, as a host does that is cut off."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


class Server:
    """A server of Debian's PostgreSQL 15 that may be started again, also as a standby."""

    def __init__(self, directory: Path, port: int) -> None:
        self.directory, self.port = directory, port
        self._user = "postgres" if os.geteuid() == 0 else None

    def run(self, command: str, *arguments: object) -> None:
        """Run a program of PostgreSQL to its end."""
        program = [str(DEBIAN / command), *map(str, arguments)]
        subprocess.run(program, user=self._user, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        where = f"--options=-h 127.0.0.1 -p {self.port} -k ''"
        self.run("pg_ctl", "-D", self.directory, "--wait", where, "start")

    def stop(self) -> None:
        """Stop it at once, as a crash does."""
        self.run("pg_ctl", "-D", self.directory, "--wait", "--mode=immediate", "stop")

    def copy(self, primary: "Server") -> None:
        """Make this a standby of `primary`, whatever it was."""
        shutil.rmtree(self.directory, ignore_errors=True)
        source = f"host=127.0.0.1 port={primary.port} user=postgres"
        self.run("pg_basebackup", "-D", self.directory, "-R", "--checkpoint=fast", "-d", source)


@contextmanager
def primary_and_standby() -> Iterator[tuple[Server, Server]]:
    """A running primary and its standby."""
    if not DEBIAN.exists():
        (pytest.fail if "CI" in os.environ else pytest.skip)("Debian's postgresql-15 is not installed")
    home = Path(tempfile.mkdtemp(prefix="ir-pair-"))
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
    ports = []
    for _ in range(2):
        with silent_port() as port:
            ports.append(port)
    first, second = (Server(home / str(port), port) for port in ports)
    first.run("initdb", "-D", first.directory, "--auth=trust", "--username=postgres", "--encoding=UTF8")
    running = []
    try:
        first.start()
        running.append(first)
        second.copy(first)
        second.start()
        running.append(second)
        yield first, second
    finally:
        for server in running:
            server.stop()
        shutil.rmtree(home)
