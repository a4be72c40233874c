"""The files in which the processes of a service share their counts: one for each worker that runs at the same time.

A worker takes the first number whose lock no process holds, and begins with the counts of the worker that had this
number before. So a count never decreases, and there are never more files than workers that ran at once. The kernel
drops the lock of a worker that ends, however it ends.
"""

import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

from scripts.metrics.values import Values, added, from_json, to_json

WORKER, SUPERVISOR = "worker", "supervisor"


class Slot:
    """A number that this process holds until it ends or closes the slot, and the file of its counts."""

    def __init__(self, directory: Path, role: str) -> None:
        """Take the first free number; OSError if there is no such directory."""
        for self.number in itertools.count():
            self._lock = directory / f"{role}-{self.number}.lock"
            self._descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
            with suppress(BlockingIOError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            os.close(self._descriptor)
        self.path = self._lock.with_suffix(".json")

    @property
    def is_there(self) -> bool:
        """False if the lock was removed with its directory, so that another process may take the number."""
        with suppress(FileNotFoundError):
            return self._lock.stat().st_ino == os.fstat(self._descriptor).st_ino
        return False

    def write(self, values: Values) -> None:
        """Replace the file at once: a reader sees the values of before or after."""
        written = self.path.with_suffix(".new")
        written.write_bytes(orjson.dumps(to_json(values)))
        written.replace(self.path)
        os.utime(self._lock)  # programs that clear temporary directories go by age

    def close(self) -> None:
        """Leave the number to another process."""
        os.close(self._descriptor)


class SharedCounts:
    """The values of this process, those of its predecessors with the same number, and the other processes'."""

    def __init__(self, directory: Path, role: str = WORKER) -> None:
        self._directory = directory
        self._role = role
        self._earlier: Values = {}
        self._own: Values = {}
        self._slot: Slot | None = None
        with suppress(OSError):  # `write` tries again
            self._take_slot()

    @property
    def number(self) -> int:
        """The number of this process among those that run."""
        return self._slot.number if self._slot else 0

    def write(self, own: Values) -> None:
        """Share `own`, all values of this process, in a new directory if it is gone; OSError if there is no space."""
        self._own = own
        if not (self._slot and self._slot.is_there):
            self._take_slot()
        if self._slot:
            self._slot.write(added(self._earlier, self._own))

    def total(self) -> Values:
        """The values of all processes, of this one as of the last `write`."""
        total = added(self._earlier, self._own)
        own = self._slot.path if self._slot else None
        for path in sorted(self._directory.glob("*.json")):
            if path != own:
                total = added(total, _read(path), _is_locked(path.with_suffix(".lock")))
        return total

    def close(self) -> None:
        """Leave the values to the next process."""
        if self._slot:
            self._slot.close()
            self._slot = None

    def _take_slot(self) -> None:
        self.close()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._slot = Slot(self._directory, self._role)
        self._earlier = added(self._earlier, _read(self._slot.path), is_live=False)


class SupervisorCounts:
    """What the supervisor of workers counts; OSError never stops it."""

    def __init__(self, directory: Path) -> None:
        self._shared = SharedCounts(directory, SUPERVISOR)
        self._restarts = 0

    def worker_restarted(self) -> None:
        """Count a worker that was started again after it had ended unasked."""
        self._restarts += 1
        self.write()

    def write(self) -> None:
        """Write the count, in a new directory if it is gone."""
        with suppress(OSError):
            self._shared.write({"worker_restarts": {(): self._restarts}})


def _read(path: Path) -> Values:
    """The values in the file at `path`; none if there is no file, or if it is damaged."""
    try:
        return from_json(orjson.loads(path.read_bytes()))
    except (OSError, ValueError):
        return {}


def _is_locked(path: Path) -> bool:
    """True if the process that wrote the counts lives."""
    with _opened(path) as descriptor:
        if descriptor is None:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)
