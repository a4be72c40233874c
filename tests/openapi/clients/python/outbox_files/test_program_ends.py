"""What is added survives however a program ends, and no program is kept from ending."""

import signal
import threading
import time
from pathlib import Path

import pytest

from openapi.clients.python.testing import FakeHub
from tests.openapi.clients.python.outboxes import add, balance, connected, event, output, started, state
from tests.waiting import wait_until

ADDING = """
with_outbox = connected(url, path)
for number in range(100_000):
    print(with_outbox.keep(event(number, is_bad=number % 10 == 0), "events"), flush=True)
"""


def killed_after(lines: int, hub: FakeHub, path: Path) -> list[str]:
    """The keys that a program has printed by the time it is killed, after some lines."""
    program = started(ADDING, hub.url, path)
    assert program.stdout
    first = [program.stdout.readline().strip() for _ in range(lines)]
    program.kill()
    rest, _ = program.communicate()
    return [*first, *rest.split("\n")[:-1]]  # the last line may be a part


def test_01_what_add_returned_is_stored_once_or_refused_with_its_reason(hub: FakeHub, path: Path) -> None:
    """Through kill -9 of three programs, and a service that loses requests and answers."""
    hub.refuse = lambda item: "it is bad" if item["is_bad"] else None
    keys = []
    for lines in (30, 60, 90):
        hub.fail("cut_after")
        hub.fail("status", times=1)
        keys += killed_after(lines, hub, path)
    hub.reset()
    with connected(hub.url, path) as outbox:
        assert outbox.flush(20)
        refused = {each.key for each in outbox.refused() if each.reason.error == "it is bad" and each.item["is_bad"]}
        stored = [item["client_event_id"] for item in hub.accepted["events"]]
        assert set(keys) <= {*stored, *refused}
        assert not refused & set(stored)
        counts = outbox.counts()
    assert len(set(stored)) == len(stored) == counts.sent
    assert (counts.added - counts.sent - counts.refused, counts.pending) == (0, 0)


def test_12_what_an_earlier_program_left_is_sent_at_the_start(hub: FakeHub, path: Path) -> None:
    """Without an item that is added."""
    hub.fail("status", times=None)
    with connected(hub.url, path, background=False) as first:
        add(first, event(1), event(2))
        assert not first.close(0.05)
    hub.reset()
    with connected(hub.url, path):
        wait_until(lambda: len(hub.accepted["events"]) == 2)


ENDING = """
outbox = connected(url, path, timeout=60, background=arguments[0] == "background")
outbox.keep(event(1), "events")
if arguments[1] == "exit":
    sys.exit(0)
"""


@pytest.mark.parametrize(("sender", "way"), [("background", "return"), ("flush", "exit")])
def test_06_a_program_ends_although_the_service_hangs(hub: FakeHub, path: Path, sender: str, way: str) -> None:
    """It waits for a moment and prints nothing; the item is still kept."""
    hub.fail("delay", times=None, seconds=60)
    output(started(ENDING, hub.url, path, sender, way))
    with connected(hub.url, path, background=False) as outbox:
        assert outbox.counts().pending == 1
        hub.reset()
        assert outbox.flush(20)


def test_06_a_program_sends_at_its_end(hub: FakeHub, path: Path) -> None:
    """What was added just before."""
    output(started(ENDING, hub.url, path, "background", "return"))
    assert [item["number"] for item in hub.accepted["events"]] == [1]


INTERRUPTED = """
import atexit
outbox = connected(url, path, timeout=60)
outbox.keep(event(1), "events")
atexit.register(print, "ending", flush=True)
"""


def test_06_an_interrupt_at_the_end_prints_nothing(hub: FakeHub, path: Path) -> None:
    """Ctrl-C while the outbox waits for the service."""
    hub.fail("delay", times=None, seconds=60)
    program = started(INTERRUPTED, hub.url, path)
    assert program.stdout
    assert program.stdout.readline() == "ending\n"
    time.sleep(0.2)
    program.send_signal(signal.SIGINT)
    output(program)


INTERRUPTED_FLUSH = """
outbox = connected(url, path, timeout=60)
key = outbox.keep(event(1), "events")
try:
    print("waiting", flush=True)
    outbox.flush(60)
except KeyboardInterrupt:
    print(outbox.counts().pending, flush=True)
os._exit(0)
"""


def test_06_an_interrupt_of_a_flush_is_the_programs_own(hub: FakeHub, path: Path) -> None:
    """It is raised as KeyboardInterrupt, and loses nothing."""
    hub.fail("delay", times=None, seconds=60)
    program = started(INTERRUPTED_FLUSH, hub.url, path)
    assert program.stdout
    assert program.stdout.readline() == "waiting\n"
    wait_until(lambda: hub.requests)
    program.send_signal(signal.SIGINT)
    assert output(program) == "1\n"


def test_05_a_flush_waits_for_what_was_added_before_it_alone(hub: FakeHub, path: Path) -> None:
    """It returns True although something else is added again and again."""
    with connected(hub.url, path) as outbox:

        def add_one(*_: object) -> None:
            if len(hub.requests) < 200:
                add(outbox, event(len(hub.requests)))

        hub.answer = add_one
        key = add(outbox, event(-1))[0]
        assert outbox.flush(20)
        assert key in {item["client_event_id"] for item in hub.accepted["events"]}
        assert len(hub.requests) < 200
        hub.answer = lambda *_: None
        assert outbox.flush(20)
        assert balance(outbox) == 0


@pytest.mark.parametrize("background", [True, False])
def test_05_a_flush_ends_in_time(hub: FakeHub, path: Path, background: bool) -> None:
    """It returns False while the service hangs for longer than the thread of this test may take."""
    hub.fail("delay", times=None, seconds=60)
    outbox = connected(hub.url, path, timeout=60, background=background)
    add(outbox, event(1))
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(outbox.flush(0.3)), daemon=True)
    thread.start()
    thread.join(20)
    assert results == [False]
    assert outbox.counts().pending == 1


def test_07_without_a_background_thread_a_flush_leaves_nothing_behind(hub: FakeHub, path: Path) -> None:
    """No thread, no timer, and no lease that would keep another process from sending while this one is frozen."""
    frozen = connected(hub.url, path, background=False)
    add(frozen, event(1))
    assert hub.requests == []
    assert frozen.flush(20)
    assert frozen._thread is None
    with connected(hub.url, path) as other:
        add(other, event(2))
        wait_until(lambda: len(hub.accepted["events"]) == 2, seconds=10)
    hub.fail("status")
    add(frozen, event(3))
    frozen._send()
    assert "owner" in state(path)
    assert not frozen.flush(0.01)
    assert "owner" not in state(path)
    frozen.close()
