"""The supervisor: no fault of one worker stops the others, and SIGTERM is always heard."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import httpx
import psutil
import pytest

from tests.scripts.service.supervision.supervised import FAULT, main
from tests.waiting import wait_until

pytestmark = pytest.mark.slow


def is_worker(process: psutil.Process) -> bool:
    """True if `process` runs a worker, and has not ended."""
    try:
        return "spawn_main" in str(process.cmdline())
    except psutil.Error:
        return False


@dataclass
class Supervised:
    """A supervisor in a process of its own, with its log and the file of its workers' fault."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    fault: Path

    def lines(self, event: str) -> list[dict[str, object]]:
        """The lines of the log with this event."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def workers(self) -> set[int]:
        """The processes of the living workers."""
        return {child.pid for child in psutil.Process(self.process.pid).children() if is_worker(child)}

    def answer(self, seconds: str = "0") -> str:
        """The answer of a worker after so many seconds; an empty text if the connection breaks."""
        try:
            return httpx.get(self.url + seconds, timeout=60).text
        except httpx.TransportError:
            return ""

    def ready(self, count: int = 2) -> set[int]:
        """Wait until `count` living workers serve; returns their processes."""

        def serving() -> set[int]:
            return self.workers() & {int(str(line["worker"])) for line in self.lines("a worker serves")}

        wait_until(lambda: len(serving()) == count)
        return serving()


@contextmanager
def supervised(
    tmp_path: Path, delay: float = 0, timeout: int = 5, silence: float = 120, fault: str = ""
) -> Iterator[Supervised]:
    """A supervisor of two workers; at the end it is stopped."""
    log, file = tmp_path / "log", tmp_path / "fault"
    file.write_text(fault)
    program = f"from {main.__module__} import main; main(2, {delay}, {timeout}, {silence})"
    command = [sys.executable, "-c", program]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, env=os.environ | {FAULT: str(file)}, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout
        port = process.stdout.readline().strip()
        try:
            yield Supervised(process, f"http://127.0.0.1:{port}/", log, file)
        finally:
            process.terminate()
            process.wait(60)


def test_a_killed_worker_is_replaced_at_once(tmp_path: Path) -> None:
    """Its end is noticed by itself, not by a question that it leaves unanswered."""
    with supervised(tmp_path) as service:
        for _ in range(3):
            killed = min(service.ready())
            os.kill(killed, signal.SIGKILL)
            noticed = time.monotonic()
            wait_until(lambda: killed in {line["worker"] for line in service.lines("a worker has ended")})  # noqa: B023
            assert time.monotonic() - noticed < 30, "uvicorn's own supervisor needs two minutes"
            assert killed not in service.ready()


def test_starts_that_fail_are_repeated_with_pauses(tmp_path: Path) -> None:
    """All workers are killed and none can start: at most one start a second is made, until they serve."""
    with supervised(tmp_path) as service:
        workers = service.ready()
        service.fault.write_text("exit")
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: len(service.lines("a worker starts")) >= 7)
        starts = [datetime.fromisoformat(str(line["timestamp"])) for line in service.lines("a worker starts")][4:]
        pauses = [(second - first).total_seconds() for first, second in pairwise(starts)]
        assert min(pauses) > 0.9, "they are counted from the second start of each, after the first failure"
        service.fault.write_text("")
        assert service.ready().isdisjoint(workers)
        assert service.process.poll() is None


def test_sigterm_is_heard_while_no_worker_can_start(tmp_path: Path) -> None:
    """The service ends, with status 0, whether starts end or hang."""
    for fault in ("exit", "wait"):
        with supervised(tmp_path) as service:
            workers = service.ready()
            service.fault.write_text(fault)
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            wait_until(lambda: len(service.lines("a worker starts")) >= 4)
            service.process.terminate()
            assert service.process.wait(30) == 0
            killed = [line["worker"] for line in service.lines("a worker takes too long to end, and is killed")]
            assert len(killed) == len(set(killed))


@pytest.mark.parametrize("pause", [0, 0.02, 0.05, 0.1, 0.2])
def test_sigterm_is_heard_right_after_the_death_of_a_worker(tmp_path: Path, pause: float) -> None:
    """The service ends soon after, and leaves no process."""
    with supervised(tmp_path) as service:
        workers = service.ready()
        os.kill(min(workers), signal.SIGKILL)
        time.sleep(pause)
        left = service.workers()
        service.process.terminate()
        assert service.process.wait(30) == 0
        assert not [process for process in left if psutil.pid_exists(process)]


def test_a_first_start_that_fails_ends_the_service(tmp_path: Path) -> None:
    """The worker logs the reason, and the supervisor that it ends because of it, with status 1."""
    with supervised(tmp_path, fault="exit") as service:
        assert service.process.wait(60) == 1
        (line,) = service.lines("the service ends, because it cannot start: the worker has logged the reason")
        assert line["level"] == "ERROR"
        assert "the fault of the test" in service.log.read_text()


def test_a_worker_that_stays_silent_is_killed_and_replaced(tmp_path: Path) -> None:
    """A stopped process answers no question; the other one does, however long."""
    with supervised(tmp_path, silence=8) as service:
        workers = service.ready()
        silent = min(workers)
        os.kill(silent, signal.SIGSTOP)
        wait_until(lambda: service.lines("a worker is silent, and is killed"), seconds=60)
        assert service.ready() > workers - {silent}
        assert [line["worker"] for line in service.lines("a worker has ended")] == [silent]


def test_a_drain_waits_for_requests_and_kills_what_takes_too_long(tmp_path: Path) -> None:
    """A request of one second is answered after SIGTERM; one of a minute is cut after the timeout."""
    with supervised(tmp_path, timeout=3) as service:
        service.ready()
        answers: dict[str, str] = {}
        threads = [
            threading.Thread(target=lambda seconds=seconds: answers.update({seconds: service.answer(seconds)}))
            for seconds in ("1", "60")
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        stopped = time.monotonic()
        service.process.terminate()
        assert service.process.wait(60) == 0
        assert 2.5 < time.monotonic() - stopped < 30
        for thread in threads:
            thread.join()
        assert answers["1"].endswith("serves")
        assert not answers["60"].endswith("serves")


def test_a_delay_serves_on_before_the_drain(tmp_path: Path) -> None:
    """New connections are answered after SIGTERM, by workers that say that they drain, until the delay is over."""
    with supervised(tmp_path, delay=3) as service:
        service.ready()
        service.process.terminate()
        wait_until(lambda: service.answer().endswith("drains"), seconds=2)
        wait_until(lambda: service.answer() == "", seconds=30)
        assert service.process.wait(30) == 0


def test_a_second_signal_ends_the_delay(tmp_path: Path) -> None:
    """The workers get it from the supervisor."""
    with supervised(tmp_path, delay=600) as service:
        service.ready()
        service.process.terminate()
        wait_until(lambda: service.answer().endswith("drains"), seconds=10)
        service.process.terminate()
        assert service.process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU])
def test_other_signals_change_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """The workers stay, and their number."""
    with supervised(tmp_path) as service:
        workers = service.ready()
        service.process.send_signal(number)
        time.sleep(1)
        assert service.ready() == service.workers() == workers
