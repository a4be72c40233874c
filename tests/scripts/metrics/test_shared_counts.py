"""The files of counts: what workers leave to each other, however they end."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from scripts.metrics.shared_counts import SharedCounts, SupervisorCounts
from scripts.metrics.values import Values

SPAWN = multiprocessing.get_context("spawn")


def own(count: float) -> Values:
    """A count, a distribution, a time and two present values of one process."""
    return {
        "items": {("event", "created"): count},
        "write_batch_rows": {("event",): [count, *[0.0] * 11, count]},
        "upkeep_last_success_timestamp_seconds": {("tokens",): 100.0 + count},
        "connections": {(): count},
        "partitions_ahead_seconds": {("annotations",): count},
    }


def write_and_be_killed(directory: Path, count: float) -> None:
    """Write the values of one process, and end without any cleaning up."""
    counts = SharedCounts(directory)
    counts.write(own(count))
    os.kill(os.getpid(), signal.SIGKILL)


def test_processes_that_live_are_combined(tmp_path: Path) -> None:
    """Counts and connections are added, of times the latest counts, of partitions the fewest."""
    workers = [SharedCounts(tmp_path) for _ in range(3)]
    for count, worker in enumerate(workers, start=1):
        worker.write(own(count))
    assert [worker.number for worker in workers] == [0, 1, 2]
    for worker in workers:
        assert worker.total() == {
            "items": {("event", "created"): 6.0},
            "write_batch_rows": {("event",): [6.0, *[0.0] * 11, 6.0]},
            "upkeep_last_success_timestamp_seconds": {("tokens",): 103.0},
            "connections": {(): 6.0},
            "partitions_ahead_seconds": {("annotations",): 1.0},
        }


def test_a_killed_process_leaves_its_counts_and_no_present_value(tmp_path: Path) -> None:
    """Nothing is called when it ends."""
    reader, peer = SharedCounts(tmp_path), SharedCounts(tmp_path)
    process = SPAWN.Process(target=write_and_be_killed, args=(tmp_path, 5.0))
    process.start()
    process.join(60)
    peer.write(own(1.0))
    total = reader.total()
    assert total["items"] == {("event", "created"): 6.0}
    assert total["write_batch_rows"][("event",)] == [6.0, *[0.0] * 11, 6.0]
    assert total["upkeep_last_success_timestamp_seconds"] == {("tokens",): 105.0}
    assert total["connections"] == {(): 1.0}
    assert total["partitions_ahead_seconds"] == {("annotations",): 1.0}


def test_the_next_process_goes_on_with_the_counts(tmp_path: Path) -> None:
    """It takes the number, so that no count decreases and no file is added, over 200 restarts."""
    reader = SharedCounts(tmp_path)
    counts = []
    for _ in range(200):
        worker = SharedCounts(tmp_path)
        worker.write(own(1.0))
        counts.append(reader.total()["items"]["event", "created"])
        worker.close()
    assert counts == list(range(1, 201))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker-0.lock", "worker-1.json", "worker-1.lock"]


def test_files_of_200_ended_processes_are_read_once_each(tmp_path: Path) -> None:
    """So many can only remain of as many workers at once; new workers take their numbers and add no file."""
    workers = [SharedCounts(tmp_path) for _ in range(200)]
    for worker in workers:
        worker.write(own(1.0))
        worker.close()
    reader = SharedCounts(tmp_path)
    for _ in range(3):
        successor = SharedCounts(tmp_path)
        successor.write(own(1.0))
        successor.close()
    total = reader.total()
    assert total["items"] == {("event", "created"): 203.0}
    assert "connections" not in total
    assert len(list(tmp_path.glob("*.json"))) == 200


@pytest.mark.parametrize("content", [b"", b"{", b'{"unknown": [[[], 1]]}', b'{"items": [[["event"], 1]]}'])
def test_a_damaged_file_is_passed_over(tmp_path: Path, content: bytes) -> None:
    """Also one of another release."""
    reader, worker = SharedCounts(tmp_path), SharedCounts(tmp_path)
    worker.write(own(1.0))
    (tmp_path / "worker-1.json").write_bytes(content)
    reader.write(own(2.0))
    assert reader.total()["items"] == {("event", "created"): 2.0}


def test_a_histogram_with_other_bounds_is_passed_over(tmp_path: Path) -> None:
    """An earlier release may have left it."""
    reader = SharedCounts(tmp_path)
    (tmp_path / "worker-7.json").write_text(json.dumps({"write_batch_rows": [[["event"], [1.0, 2.0]]]}))
    reader.write(own(2.0))
    assert reader.total()["write_batch_rows"] == {("event",): [2.0, *[0.0] * 11, 2.0]}


def test_the_supervisor_counts_restarts(tmp_path: Path) -> None:
    """Beneath the workers; a directory that is gone is made anew, and costs no count."""
    supervisor = SupervisorCounts(tmp_path)
    supervisor.worker_restarted()
    reader = SharedCounts(tmp_path)
    assert reader.number == 0
    assert reader.total() == {"worker_restarts": {(): 1}}
    away = SupervisorCounts(tmp_path / "away")
    away.worker_restarted()
    assert (tmp_path / "away").stat().st_mode & 0o777 == 0o700
    shutil.rmtree(tmp_path / "away")
    away.worker_restarted()
    assert SharedCounts(tmp_path / "away").total() == {"worker_restarts": {(): 2}}


def test_a_lock_does_not_age(tmp_path: Path) -> None:
    """Programs that clear temporary directories take old files."""
    worker = SharedCounts(tmp_path)
    os.utime(tmp_path / "worker-0.lock", (1, 1))
    worker.write(own(1.0))
    assert (tmp_path / "worker-0.lock").stat().st_mtime > time.time() - 3600
