"""Forks: of a program whose threads are adding, with a file that is never open across one."""

import gc
import weakref
from pathlib import Path

import pytest

from openapi.clients.python.outbox_files import kept_items, sender
from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import add, connected, event, output, started, state
from tests.waiting import wait_until

FORKING = """
outbox = connected(url, path)
is_over = threading.Event()

def work():
    while not is_over.is_set():
        outbox.keep(event(0), "events")
        added.append(0)

def fork_and_build():
    while not is_over.is_set():
        connected(url, path, background=False).close(0)

added = []
threads = [threading.Thread(target=work) for _ in range(3)] + [threading.Thread(target=fork_and_build)]
for thread in threads:
    thread.start()
children = []
for child in range(8):
    time.sleep(0.02)
    if pid := os.fork():
        children.append(pid)
        continue
    is_over.set()
    for number in range(10):
        outbox.keep(event(number, child=child), "events")
    os._exit(0)
codes = [os.waitpid(pid, 0)[1] for pid in children]
is_over.set()
for thread in threads:
    thread.join()
assert outbox.flush(20)
counts = outbox.counts()
print(len(added) + 80, counts.added, counts.sent, *codes)
outbox.close()
"""


def test_02_children_and_adding_threads_lose_nothing(hub: FakeHub, path: Path) -> None:
    """Eight forks beside three threads that add: no process hangs, and each item is counted, and stored, once."""
    wanted, added, sent, *codes = map(int, output(started(FORKING, hub.url, path)).split())
    assert codes == [0] * 8
    assert added == sent == wanted == len(hub.accepted["events"])
    assert {(item["child"], item["number"]) for item in hub.accepted["events"] if "child" in item} == {
        (child, number) for child in range(8) for number in range(10)
    }


OF_A_CHILD = """
outbox = connected(url, path, background=False)
outbox.keep(event(0), "events")
readable, writable = os.pipe()
if os.fork() == 0:
    names = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    print(len([name for name in names if name.startswith(path)]), flush=True)
    os.read(readable, 1)
    for number in range(1, 41):
        outbox.keep(event(number), "events")
    os._exit(0)
outbox.close(0)
os.write(writable, b"1")
print(os.wait()[1])
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not list the open files")
def test_03_the_file_is_not_open_across_a_fork(hub: FakeHub, path: Path) -> None:
    """A child has none of its descriptors, and what it adds after the parent has closed it is there."""
    hub.fail("status", times=None)
    assert output(started(OF_A_CHILD, hub.url, path)) == "0\n0\n"
    with connected(hub.url, path, background=False) as outbox:
        assert outbox.counts().pending == 41
        outbox.close(0)


def test_04_what_is_told_of_forks_is_not_kept_alive(hub: FakeHub, path: Path) -> None:
    """An outbox that is closed, and its connections, go when nothing else refers to them."""
    outbox = connected(hub.url, path)
    references: list[weakref.ref[object]] = [
        weakref.ref(each) for each in (outbox, outbox._database, outbox._caller._connections)
    ]
    outbox.close()
    thread = outbox._thread
    assert thread
    thread.join(20)
    del outbox
    gc.collect()
    assert [reference() for reference in references] == [None] * 3


def test_04_an_outbox_that_is_dropped_lets_others_send(
    hub: FakeHub, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread ends, gives up the lease and closes the file; the items are in it."""
    monkeypatch.setattr(sender, "IDLE", 0.01)
    monkeypatch.setattr(kept_items, "IDLE", 0.01)
    hub.fail("status")
    outbox = connected(hub.url, path)
    thread, reference = outbox._thread, weakref.ref(outbox)
    add(outbox, event(1))
    wait_until(lambda: hub.requests)
    assert "owner" in state(path)
    del outbox
    assert thread
    thread.join(20)
    gc.collect()
    assert reference() is None
    assert "owner" not in state(path)
    with connected(hub.url, path) as other:
        assert other.flush(10)
