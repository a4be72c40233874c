"""The places of workers, without processes: when another may start, and what the supervisor learns of a worker."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import uvicorn

from scripts.service.supervision import supervisor
from scripts.service.supervision.supervisor import PAUSES, Place, Worker, WorkerOptions


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time by the supervisor's clock, which a test sets."""
    now = [1000.0]
    monkeypatch.setattr(supervisor, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker whose process was never started; the test answers in its place."""
    worker = Worker(uvicorn.Config("none"), [], WorkerOptions())
    yield worker
    worker.parent_conn.close()
    worker.child_conn.close()


def test_the_pauses_grow_while_starts_fail(now: list[float], worker: Worker) -> None:
    """Up to the longest one; a worker that served for a while is replaced at once, and the next pause is the first."""
    place = Place()
    pauses = []
    for _ in range(len(PAUSES) + 1):
        place.end(worker)
        pauses.append(place.starts_at - now[0])
    assert pauses == [*PAUSES, PAUSES[-1]]
    worker.has_served = True
    place.end(worker)
    assert (place.failures, place.starts_at) == (0, now[0])
    worker._started_at = now[0] - 9
    place.end(worker)
    assert (place.failures, place.starts_at) == (1, now[0] + PAUSES[0])


def test_a_worker_is_asked_without_waiting(now: list[float], worker: Worker, caplog: pytest.LogCaptureFixture) -> None:
    """It has served from its first yes on; its silence is borne for two minutes."""
    caplog.set_level("INFO")
    for answer, has_served in ((False, False), (True, True), (False, True)):
        worker.look()
        worker.look()
        assert worker.child_conn.recv() == b"ping"
        worker.child_conn.send(answer)
        worker.look()
        assert worker.has_served is has_served
    assert caplog.messages == ["a worker serves"]
    worker.look()
    now[0] += supervisor.SILENCE_SECONDS + 1
    with pytest.raises(AttributeError):  # there is no process to kill
        worker.look()
    assert caplog.messages[-1] == "a worker is silent, and is killed"


def test_the_end_of_a_pipe_is_no_error(worker: Worker) -> None:
    """The worker has just died: its sentinel tells."""
    worker.child_conn.close()
    worker.look()
    assert not worker.has_served
