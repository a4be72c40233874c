"""The service as a whole: its database, its address, and the workers that it starts."""

import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import uuid4

import uvicorn
from sqlalchemy import Connection

from db import clocks, migrate, partitions, restores, revisions
from db.engine import Database
from db.errors import Unavailable, Unsuitable
from handlers.contracts import lifecycle
from openapi.serving.rate_limits import RateLimits
from scripts.metrics.shared_counts import SupervisorCounts
from scripts.service import logs, metrics, telemetry
from scripts.service.databases import connected, remedied
from scripts.service.oauth_settings import oauth_policy, sign_in_options
from scripts.service.parts import FAILED_ATTEMPTS, RATE_LIMITS, REPLICA
from scripts.service.proxies import trusted_proxies
from scripts.service.settings import Settings, variable
from scripts.service.supervision.runtime_directory import SharedFile, environment_variable, runtime_directory
from scripts.service.supervision.server import DelayedServer
from scripts.service.supervision.supervisor import Supervisor, WorkerOptions

T = TypeVar("T")

logger = logging.getLogger(__name__)

MOST_DESCRIPTORS = 1_048_576
PATIENCE_SECONDS = 30
"""How long the start waits while the database is unavailable."""
RETRY_SECONDS = 1.0


class Program(NamedTuple):
    """What a worker runs, each as `module:name`: the factory of its application, and the class of its connections."""

    application: str = "scripts.service.worker:application"
    connection: str = "openapi.protocol.connection:HTTPConnection"


THE_SERVICE = Program()


def prepare(
    opened: Database, *, contract: bool = False, with_migrations: bool = True
) -> dict[str, str | list[str] | None]:
    """Migrate, add the contracts to an empty database, and create the coming weeks' partitions; return a summary.

    Revisions that contract the tables run only with `contract`. Without migrations the database must have its tables.
    Unsuitable, Refused or Failed, in words for an operator, if the service cannot work with the database.
    """
    summary: dict[str, str | list[str] | None] = {}

    def fill(connection: Connection) -> None:
        current = summary["revision"] = revisions.revision(connection)
        summary["contracts_activated"] = lifecycle.seed(connection)
        summary["partitions_made"] = [
            name for instant in clocks.both(connection) for name in partitions.ensure_coming(connection, instant)
        ]
        summary["revisions_pending"] = revisions.pending(connection)
        summary["revisions_later"] = revisions.later(connection, current)

    opened.require_own_sessions()
    with opened.begin() as connection:
        restores.require_finished(connection)
    if with_migrations:
        before, _ = migrate.upgrade(opened, fill, contract=contract)
    else:
        with opened.begin() as connection:
            revisions.require_current(connection)
            before = revisions.revision(connection)
            fill(connection)
    return {"revision_before": before, **summary}


def warn_of_revisions(summary: Mapping[str, str | list[str] | None]) -> None:
    """Log what an operator should know of the revisions in a summary of `prepare`."""
    if names := summary["revisions_later"]:
        logger.warning("the database is of a later release that only adds: revisions %s", ", ".join(names))
    if names := summary["revisions_pending"]:
        logger.warning(
            "revisions %s contract the tables and have not run: once no replica of an earlier release runs, run "
            "'interaction-reporting migrate --contract'",
            ", ".join(names),
        )


@contextmanager
def shared_by_workers(directory: Path) -> Iterator[list[SharedFile]]:
    """Set up what the workers of a service share: an id, the counts in `directory`, and the returned buckets."""
    with metrics.shared(directory), environment_variable(REPLICA, str(uuid4())), ExitStack() as stack:
        files = []
        for name in (RATE_LIMITS, FAILED_ATTEMPTS):
            files.append(file := stack.enter_context(closing(SharedFile(name))))
            RateLimits.create(file.path)
            stack.enter_context(environment_variable(name, str(file.path)))
        yield files


def serve(
    settings: Settings,
    opened: Callable[[Database, str], None],
    with_migrations: bool = True,
    program: Program = THE_SERVICE,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way.

    `opened` is called once connections are accepted, with the database and the URL of the service. OSError if the
    service cannot listen on the address; ContractError if the governing contract cannot be served.
    """
    _open_standard_streams()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises the signal again when it has drained
    # These raise here, before anything is opened.
    oauth_policy(settings), sign_in_options(settings), trusted_proxies(settings)
    logs.configure(settings.log_level)
    telemetry.report_errors(settings)
    telemetry.require(settings)
    _raise_limit_of_descriptors()
    with (
        _listener(settings) as listener,
        connected(settings, keep_running=True) as database,
        runtime_directory(settings.runtime_dir, settings.data_dir / "run") as directory,
        shared_by_workers(directory) as files,
    ):
        with remedied(settings):
            migrated = _patiently(lambda: prepare(database, with_migrations=with_migrations))
        warn_of_revisions(migrated)
        if migrated["revision_before"] != migrated["revision"]:
            logger.info("migrated", extra=migrated)
        with database.begin() as connection:  # raises here, before anything depends on it
            lifecycle.require_served(connection)
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        logger.info("listening", extra={"url": url})
        opened(database, url)
        os.environ[variable("database_url")] = database.url  # workers learn the URL of an embedded one from this
        os.environ[variable("port")] = str(port)  # and the number of a free port from this
        _run(settings, listener, directory, files, program)


def _open_standard_streams() -> None:
    """Open /dev/null in place of each standard stream that is closed: otherwise a socket would get what is written."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _run(
    settings: Settings, listener: socket.socket, directory: Path, files: list[SharedFile], program: Program
) -> None:
    """Serve on `listener`, in this process or in several."""
    config = uvicorn.Config(
        program.application,
        factory=True,
        loop="uvloop",
        http=program.connection,
        ws="none",
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # scripts/service/proxies.py does that
        timeout_keep_alive=settings.keep_alive,
        timeout_graceful_shutdown=settings.drain_timeout,
    )
    if settings.workers > 1:
        counts = SupervisorCounts(directory)

        def remake() -> None:
            if not directory.exists():
                counts.write()

        Supervisor(
            config,
            [listener],
            WorkerOptions(settings.drain_delay, files),
            look=remake,
            ended=lambda _worker: counts.worker_restarted(),
        ).run()
    else:
        DelayedServer(config, settings.drain_delay).run(sockets=[listener])


def _patiently(attempt: Callable[[], T]) -> T:
    """Return the result of `attempt`, which is repeated for PATIENCE_SECONDS while the database is unavailable.

    It is not repeated for a database that is unsuitable, which stays so until an operator changes something.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except Unsuitable:
            raise
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("the database is unavailable, trying again: %s", error)
            time.sleep(RETRY_SECONDS)


def _raise_limit_of_descriptors() -> None:
    """Allow this process and its workers as many open files and connections as the system lets them have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft < most:
        with suppress(OSError):  # a sandbox may forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listener(settings: Settings) -> socket.socket:
    """A socket that listens on the host and port of `settings`; OSError names both."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        address = f"{variable('host')} {settings.host}, {variable('port')} {settings.port}"
        raise OSError(f"cannot listen at {address}: {error.strerror}") from None
