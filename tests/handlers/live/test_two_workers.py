"""The promises of the live tail over two workers: complete, cheap for the database, and bounded."""

import itertools
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from db import hubs, widgets
from db.engine import Database
from tests.examples import EVENT, PATH, WIDGET
from tests.handlers.live.two_workers import Served, two_workers
from tests.handlers.live.viewers import STREAM, Message, messages, rows, until, watching
from tests.live_submissions import report
from tests.postgresql import DEBIAN, debian_server, fresh_database, statement
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("alone")]

EVENTS = int(os.environ.get("LIVE_EVENTS", "2000"))
"""By hand: LIVE_EVENTS=20000."""
CUTS = 20
HUBS = 4
BATCH = 20
POSITIONS = (
    "SELECT position FROM interaction_events UNION ALL SELECT position FROM annotations "
    "UNION ALL SELECT position FROM rejected_submissions ORDER BY 1"
)
CALLS = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE %s AND query NOT LIKE '%%pg_stat%%'"
MIB = 1024 * 1024

_numbers = itertools.count()


@pytest.fixture
def url(embedded_url: str, template: str) -> Iterator[str]:
    """The URL of a prepared database."""
    with fresh_database(embedded_url, f"two_workers_{next(_numbers)}", template) as url:
        yield url


def keys(url: str) -> list[str]:
    """The keys of new hubs; the widget of the examples is registered."""
    with closing(Database(url)) as database, database.begin() as connection:
        widgets.register(connection, "Widget of the examples", UUID(WIDGET))
        return [hubs.create(connection, f"hub {number}")[1] for number in range(HUBS)]


def submit(service: Served, key: str, count: int) -> None:
    """Send `count` events in batches, of which the last is rejected; a batch is sent again if its worker is killed."""
    with httpx.Client(base_url=service.url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        for _ in range(count // BATCH):
            batch = [*[EVENT] * (BATCH - 1), EVENT | {"event_type": "never registered"}]
            fields, is_sent = {"Idempotency-Key": str(uuid4())}, False
            while not is_sent:
                with suppress(httpx.TransportError):
                    is_sent = client.post(f"{PATH}/batch", json=batch, headers=fields).status_code < 500


def commit_late(url: str, stop: threading.Event) -> None:
    """Write events in transactions that are committed up to 120 ms late."""
    with psycopg.connect(url) as connection:
        while not stop.is_set():
            report(connection, UUID(int=9), count=random.randint(1, 3))  # noqa: S311 (no secret)
            stop.wait(random.uniform(0, 0.12))  # noqa: S311
            connection.commit()


class Watcher(threading.Thread):
    """A viewer that is cut off again and again, and goes on with the last id that it has seen."""

    def __init__(self, service: Served, between_cuts: int) -> None:
        super().__init__(daemon=True)
        self.seen: list[int] = []
        self.cuts = 0
        self.port = 0
        self.refused: list[int] = []
        self._service = service
        self._between_cuts = between_cuts
        self._last = ""
        self._is_over = False

    def run(self) -> None:
        """Watch until `end`."""
        while not self._is_over:
            with suppress(httpx.TransportError), httpx.Client(timeout=5) as client:
                self._watch(client)

    def end(self) -> None:
        """Watch no longer, once something arrives."""
        self._is_over = True

    def _watch(self, client: httpx.Client) -> None:
        fields = {"Last-Event-ID": self._last} if self._last else {}
        with client.stream("GET", f"{self._service.url}{STREAM}", headers=fields) as response:
            if response.status_code != 200:
                self.refused.append(response.status_code)
                time.sleep(0.2)
                return
            self.port = response.extensions["network_stream"].get_extra_info("client_addr")[1]
            before = len(self.seen)
            for message in messages(response.iter_lines()):
                self._last = message.id or self._last
                if message.name == "message" and message.data:
                    self.seen.append(message.position)
                if self._is_over or (self.cuts < CUTS and len(self.seen) - before >= self._between_cuts):
                    self.cuts += 1
                    return


def test_a_viewer_sees_each_position_once_in_order(url: str) -> None:
    """Four hubs through two workers, late commits, twenty cuts, and the viewer's own worker killed."""
    api_keys = keys(url)
    with two_workers(url) as service, psycopg.connect(url, autocommit=True) as connection:
        watcher, stop = Watcher(service, EVENTS // (CUTS + 5)), threading.Event()
        watcher.start()
        wait_until(lambda: watcher._last)
        late = [threading.Thread(target=commit_late, args=(url, stop)) for _ in range(3)]
        for thread in late:
            thread.start()
        with ThreadPoolExecutor(HUBS) as pool:
            sending = [pool.submit(submit, service, key, EVENTS // HUBS) for key in api_keys]
            wait_until(lambda: len(watcher.seen) > EVENTS // 3)
            wait_until(lambda: kill(service, watcher))
            for each in sending:
                each.result()
        stop.set()
        for thread in late:
            thread.join()
        expected = [position for (position,) in connection.execute(POSITIONS)]
        wait_until(lambda: watcher.seen and watcher.seen[-1] >= expected[-1])
        watcher.end()
        report(connection, UUID(int=9))
        watcher.join(20)
    assert len(expected) >= EVENTS
    assert watcher.seen[: len(expected)] == expected
    assert watcher.cuts >= CUTS
    assert watcher.refused.count(429) == 0
    print(f"{len(expected)} rows, {watcher.cuts} cuts, refused {watcher.refused}")


def kill(service: Served, watcher: Watcher) -> bool:
    """Kill the worker that serves `watcher`; False if it is between two connections."""
    if (worker := service.server_of(watcher.port)) is None:
        return False
    worker.send_signal(signal.SIGKILL)
    return True


@contextmanager
def counting_server() -> Iterator[str]:
    """The URL of a server that counts statements."""
    with debian_server() as url:
        statement(url, psycopg.sql.SQL("ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'"))
        data = Path(url.split("host=")[1])
        user = "postgres" if os.geteuid() == 0 else None
        command = [str(DEBIAN / "pg_ctl"), "-D", str(data / "data"), "--wait", "--mode=fast"]
        subprocess.run([*command, f"--options=-h '' -k {data}", f"--log={data}/log", "restart"], user=user, check=True)
        yield url


def calls(connection: psycopg.Connection) -> dict[str, int]:
    """The calls of the statements of the tail: reading the sequence, the locks, and a page."""
    names = {"sequence": "%FROM positions%", "locks": "%pg_locks%", "page": "%UNION ALL%annotations%"}
    counted = {}
    for name, pattern in names.items():
        row = connection.execute(CALLS, [pattern]).fetchone()
        counted[name] = int(row[0]) if row else 0
    return counted


@pytest.mark.parametrize("viewers", [2, 100])
def test_many_viewers_cost_the_database_what_one_does(viewers: int) -> None:
    """At most one poll for each of the two workers in 250 ms, while rows arrive."""
    seconds = 5
    with counting_server() as server, fresh_database(server, "counted") as url, ExitStack() as stack:
        service = stack.enter_context(two_workers(url))
        connection = stack.enter_context(psycopg.connect(url, autocommit=True))
        connection.execute("CREATE EXTENSION pg_stat_statements")
        opened = spread(stack, service, viewers)
        for stream in opened:
            until(stream, "current")
        connection.execute("SELECT pg_stat_statements_reset()")
        before, started = calls(connection), time.monotonic()
        while time.monotonic() < started + seconds:
            report(connection, UUID(int=9), count=5)
            time.sleep(0.05)
        passed, after = time.monotonic() - started, calls(connection)
    polls = {name: after[name] - before[name] for name in after}
    print(f"{viewers} viewers, {passed:.1f} s: {polls}")
    assert 0 < max(polls.values()) <= 2 * (passed / 0.25 + 1)


def spread(stack: ExitStack, service: Served, viewers: int) -> list[Iterator[Message]]:
    """As many streams, of which no worker refuses one: a new connection may come to either worker."""
    opened: list[Iterator[Message]] = []
    attempts = 0
    while len(opened) < viewers:
        attempts += 1
        assert attempts < 20 * viewers
        with suppress(httpx.HTTPStatusError):
            opened.append(stack.enter_context(watching(service.url, session=str(uuid4()))))
    return opened


def test_a_viewer_that_reads_nothing_takes_no_memory(url: str) -> None:
    """Twenty of them, while 5,000 rows with as much content as a row shows arrive."""
    idle, count = 20, 5
    with two_workers(url) as service, psycopg.connect(url, autocommit=True) as connection, ExitStack() as stack:
        host, port = service.url.removeprefix("http://").split(":")

        def burst() -> None:
            """Many rows, a thousand at a time, while a viewer reads them."""
            with watching(service.url, session="reads") as stream:
                until(stream, "current")
                for _ in range(count):
                    report(connection, UUID(int=9), metadata=f'{{"note": "{"x" * 900}"}}', count=1000)
                    assert rows(stream, 1000)

        for _ in range(4):  # for connections to both workers
            burst()
        before = {worker.pid: worker.memory_info().rss for worker in service.workers}
        for number in range(idle):
            client = stack.enter_context(socket.create_connection((host, int(port))))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            head = f"GET {STREAM} HTTP/1.1\r\nHost: {host}\r\nX-Session: idle {number}\r\n\r\n"
            client.sendall(head.encode())
        burst()
        after = {worker.pid: worker.memory_info().rss for worker in service.workers}
    growth = sum(after[pid] - before[pid] for pid in before)
    print(f"{idle} viewers that read nothing: {growth / MIB:.1f} MiB in all, {growth / MIB / idle:.2f} MiB each")
    assert growth / idle < 4 * MIB


def test_a_drain_does_not_wait_for_viewers(url: str) -> None:
    """Their streams end at once, and they connect again elsewhere."""
    with two_workers(url) as service, watching(service.url) as stream:
        until(stream, "current")
        started = time.monotonic()
        service.supervisor.terminate()
        assert until(stream, "end")[-1].data == {"why": "stopping"}
        wait_until(lambda: not service.workers)
        assert time.monotonic() - started < 10
