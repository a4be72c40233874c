"""One outbox for threads and event loops, and one file for processes."""

import asyncio
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from openapi.clients.python.asynchronous import run
from openapi.clients.python.errors import InvalidItem, OutboxError, OutboxFull, OutboxLocked
from openapi.clients.python.outbox_files.database import Database
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import LOG, add, connected, event, output, started
from tests.waiting import wait_until


def test_08_threads_and_event_loops_share_an_outbox(hub: FakeHub, path: Path) -> None:
    """A loop may end while others go on."""

    async def report(outbox_number: int) -> bool:
        await asyncio.gather(*(run(outbox.keep, event(outbox_number * 10 + number), "events") for number in range(10)))
        return await outbox.aflush(20)

    with connected(hub.url, path) as outbox, ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(add, outbox, event(number)) for number in range(100, 200)]
        assert [asyncio.run(report(number)) for number in range(3)] == [True] * 3
        for future in futures:
            future.result()
        assert outbox.flush(20)
    assert sorted(item["number"] for item in hub.accepted["events"]) == [*range(30), *range(100, 200)]


def test_08_a_loop_that_closes_loses_nothing(hub: FakeHub, path: Path) -> None:
    """A task that is cancelled while its item is being kept leaves the item, or an error."""

    async def cancelled() -> None:
        task = asyncio.ensure_future(run(outbox.keep, event(1), "events"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with connected(hub.url, path, background=False) as outbox:
        asyncio.run(cancelled())
        assert outbox.counts().added in {0, 1}
        assert outbox.flush(20)


ADDING = """
with connected(url, path, lock_timeout=20, power_safe=arguments[0] == "1") as outbox:
    for number in range(100):
        outbox.keep(event(number, program=os.getpid()), "events")
        time.sleep(0.001)
    assert outbox.flush(20)
"""


def test_09_processes_share_a_file(hub: FakeHub, path: Path) -> None:
    """Four of them create it and add at the same time: none sees a lock, and nothing is lost or sent twice."""
    programs = [started(ADDING, hub.url, path, number % 2) for number in range(4)]
    for program in programs:
        output(program)
    assert len({(item["program"], item["number"]) for item in hub.accepted["events"]}) == 400
    with connected(hub.url, path) as outbox:
        counts = outbox.counts()
    assert (counts.added, counts.sent, counts.pending) == (400, 400, 0)


def test_09_two_outboxes_of_one_process_share_a_file(hub: FakeHub, path: Path) -> None:
    """Both send all of it, and closing one of them takes nothing from the other."""
    with connected(hub.url, path) as first:
        with connected(hub.url, path) as second:
            for number in range(20):
                add(first if number % 2 else second, event(number))
            assert second.flush(20)
        add(first, event(20))
        assert first.flush(20)
        assert first.counts().sent == len(hub.accepted["events"]) == 21


def test_09_an_outbox_waits_for_a_file_that_is_locked(hub: FakeHub, path: Path) -> None:
    """For as long as it was told: then OutboxLocked, and the item is not kept, not even later."""
    patient = connected(hub.url, path, background=False)
    hasty = connected(hub.url, path, background=False, lock_timeout=0.05)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OutboxLocked):
        add(hasty, event(1))
    threading.Timer(0.5, lambda: other.execute("COMMIT")).start()
    add(patient, event(2))
    add(hasty, event(3))
    assert patient.flush(20)
    assert [item["number"] for item in hub.accepted["events"]] == [2, 3]
    other.close()
    patient.close()
    hasty.close()


def test_09_an_error_of_the_commit_is_told_to_each_thread_that_shared_it(hub: FakeHub, path: Path) -> None:
    """Threads that wait while the file is locked commit together; with OutboxLocked none of their items is kept."""
    outbox = connected(hub.url, path, background=False, lock_timeout=0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(6) as pool:
        with outbox._database.held():
            futures = [pool.submit(add, outbox, event(number)) for number in range(6)]
            wait_until(lambda: len(outbox._additions._waiting) == 6)
        errors = [future.exception() for future in futures]
    assert {type(error) for error in errors} == {OutboxLocked}
    other.execute("COMMIT")
    other.close()
    add(outbox, event(6))
    assert (outbox.counts().added, outbox.counts().pending) == (1, 1)
    assert outbox.close()


def test_11_the_bounds_count_for_each_thread_that_shares_a_commit(hub: FakeHub, path: Path) -> None:
    """A thread that adds too many gets Full, one with a key that waits an error; the items of the others are kept."""
    outbox = connected(hub.url, path, background=False, max_items=10)
    add(outbox, {"client_event_id": "a"})
    own = {"client_event_id": "a", "number": 1}
    with ThreadPoolExecutor(4) as pool:
        with outbox._database.held():
            groups = [[event(1)], [event(2)] * 10, [event(3)], [event(4), own]]
            futures = [pool.submit(add, outbox, *group) for group in groups]
            wait_until(lambda: len(outbox._additions._waiting) == 4)
        errors = [future.exception() for future in futures]
    assert [type(error) for error in errors] == [type(None), OutboxFull, type(None), InvalidItem]
    assert outbox.counts().pending == 3
    assert outbox.close()


def test_nothing_can_be_added_within_an_erasure(hub: FakeHub, path: Path) -> None:
    """It would be undone with it: an error at once, and neither happens."""
    with connected(hub.url, path, background=False) as outbox:
        add(outbox, event(1))
        with pytest.raises(OutboxError, match="changing"):
            outbox.erase(lambda _: bool(add(outbox, event(2))))
        assert outbox.counts().pending == outbox.counts().added == 1
        assert outbox.flush(20)


def test_power_safe_threads_share_commits(path: Path, hub: FakeHub) -> None:
    """Six threads that add at the same time need one, which is on the disk."""
    outbox = connected(hub.url, path, background=False, power_safe=True)
    statements: list[str] = []
    with outbox._database.connected() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        connection.set_trace_callback(statements.append)
    with ThreadPoolExecutor(6) as pool:
        with outbox._database.held():
            futures = [pool.submit(add, outbox, event(number)) for number in range(6)]
            wait_until(lambda: len(outbox._additions._waiting) == 6)
        for future in futures:
            future.result()
    assert [statement for statement in statements if statement in {"COMMIT", "BEGIN IMMEDIATE"}] == [
        "BEGIN IMMEDIATE",
        "COMMIT",
    ]
    assert outbox.close()


FILLING = """
from openapi.clients.python.errors import OutboxFull
outbox = connected(url, path, background=False, max_items=100)
kept = 0
try:
    while True:
        outbox.keep(event(kept), "events")
        kept += 1
except OutboxFull:
    print(kept, flush=True)
os._exit(0)
"""


def test_11_processes_that_share_a_file_share_its_bounds(hub: FakeHub, path: Path) -> None:
    """Three fill it at the same time: each gets an error, and no more is kept than allowed, but one item each."""
    outbox = connected(hub.url, path, background=False, max_items=100)
    add(outbox, *(event(number) for number in range(20)))
    programs = [started(FILLING, hub.url, path) for _ in range(3)]
    kept = [int(output(program)) for program in programs]
    with pytest.raises(OutboxFull):
        add(outbox, event(0))
    assert 100 <= 20 + sum(kept) == outbox.counts().pending <= 102
    assert outbox.close()


FORKED = """
outbox = connected(url, path, background=False, max_items=1000)
outbox.keep(event(0), "events")
from openapi.clients.python.errors import OutboxFull
for child in range(20):
    if os.fork() == 0:
        try:
            for number in range(60):
                outbox.keep(event(number), "events")
        except OutboxFull:
            pass
        os._exit(0)
    os.wait()
print(outbox.counts().pending, flush=True)
os._exit(0)
"""


def test_11_children_share_the_bounds_of_their_parent(hub: FakeHub, path: Path) -> None:
    """What a parent had been allowed is not allowed to each of its children."""
    assert int(output(started(FORKED, hub.url, path))) == 1000


def test_a_child_does_not_add_what_threads_of_its_parent_are_adding(path: Path, hub: FakeHub) -> None:
    """Their items are the parent's: a child that added them, too, would send them twice."""
    outbox = connected(hub.url, path, background=False)
    with ThreadPoolExecutor(1) as pool:
        with outbox._database.held():
            future = pool.submit(add, outbox, event(1))
            wait_until(lambda: outbox._additions._waiting)
            outbox.after_fork(is_child=True)
            assert not outbox._additions._waiting
        future.result()
    outbox.close()


def test_the_file_is_opened_for_its_owner_alone(path: Path) -> None:
    """Each of its parts has the mode 0600 (promise 20), whatever the mask of the process."""
    before = os.umask(0)
    try:
        database = Database(path, power_safe=False, lock_timeout=1, log=LOG)
        with database.transaction() as connection:
            connection.execute("INSERT INTO state VALUES ('a', 1)")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys(["outbox.db", "outbox.db-wal", "outbox.db-shm", "outbox.db.lock"], 0o600)
    database.close()
