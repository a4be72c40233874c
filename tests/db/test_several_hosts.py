"""Several hosts in the URL: the one that takes writes is found, whichever comes first."""

import asyncio
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from db.engine import Database
from db.errors import DatabaseError, Unavailable
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


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
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


async def served(database: Database) -> tuple[int, int]:
    """The ports of the servers that answer the pool and a connection for asyncio."""
    ask = "SELECT current_setting('port')::int WHERE NOT pg_is_in_recovery()"
    async with database.connected() as connection:
        rows = await connection.execute(ask)
    return await database.run(lambda connection: connection.execute(text(ask)).scalar_one()), rows[0][0]


def soon_served(database: Database, port: int) -> None:
    """Assert that the server at `port`, as a primary, serves within two seconds, and no other one before it."""
    deadline = time.monotonic() + 2
    while True:
        try:
            answers = asyncio.run(served(database))
        except DatabaseError:
            assert time.monotonic() < deadline, "nothing serves"
        else:
            assert answers == (port, port)
            return


@pytest.mark.slow
def test_the_primary_is_found_after_each_step_of_a_failover(pair: tuple[Server, Server]) -> None:
    """The first host dies, the second is promoted, and the first comes back as its standby."""
    first, second = pair
    hosts = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
    with closing(Database(f"postgresql://postgres@{hosts}/postgres")) as database:
        soon_served(database, first.port)
        first.stop()
        second.run("pg_ctl", "-D", second.directory, "--wait", "promote")
        soon_served(database, second.port)
        first.copy(second)
        first.start()
        second.stop()  # this cuts all connections
        second.start()
        soon_served(database, second.port)


@pytest.mark.slow
def test_a_standby_alone_is_refused(pair: tuple[Server, Server]) -> None:
    """It would read, and refuse every event."""
    url = f"postgresql://postgres@127.0.0.1:{pair[1].port}/postgres"
    with closing(Database(url)) as database, pytest.raises(Unavailable, match="session is read-only"):
        asyncio.run(served(database))


@pytest.mark.slow
def test_a_silent_first_host_does_not_hide_the_second(pair: tuple[Server, Server]) -> None:
    """Although it accepts connections; a pool waits for it once."""
    with silent_port() as silent:
        url = f"postgresql://postgres@127.0.0.1:{silent},127.0.0.1:{pair[0].port}/postgres"
        with closing(Database(url)) as database:
            assert asyncio.run(served(database)) == (pair[0].port, pair[0].port)
            soon_served(database, pair[0].port)
