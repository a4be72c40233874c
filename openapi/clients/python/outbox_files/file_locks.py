"""A lock among processes, held while one of them creates, or puts aside, the file of an outbox."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # pragma: no cover - Windows, where a file that is open cannot be renamed or deleted
    fcntl = None


@contextmanager
def exclusive(path: Path) -> Generator[None, None, None]:
    """Hold the lock of the file at `path`; the system releases it if the process ends."""
    if fcntl is None:  # pragma: no cover
        yield
        return
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
