"""The service as a whole: its database, its address, and the workers that it starts."""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from sqlalchemy import Connection
from uvicorn.supervisors import Multiprocess

from db import migrate, partitions
from db.engine import Database
from handlers.contracts import lifecycle
from openapi.serving.rate_limits import RateLimits
from scripts.service import logs, metrics
from scripts.service.databases import connected, remedied
from scripts.service.oauth_settings import oauth_policy
from scripts.service.parts import FAILED_ATTEMPTS, RATE_LIMITS
from scripts.service.proxies import trusted_proxies
from scripts.service.settings import Settings, variable
from scripts.service.worker import patiently

logger = logging.getLogger(__name__)

WORKER_START_SECONDS = 120
"""How long a worker may take to start; uvicorn's own 5 s are too short if many start at once."""


def prepare(opened: Database) -> dict[str, str | list[str] | None]:
    """Migrate, add the contracts to an empty database, and create the coming weeks' partitions; return a summary."""
    seeded: dict[str, list[str]] = {}

    def fill(connection: Connection) -> None:
        seeded["contracts_activated"] = lifecycle.seed(connection)
        seeded["partitions_made"] = partitions.ensure_coming(connection, datetime.now(UTC))

    before, after = migrate.upgrade(opened, fill)
    return {"revision_before": before, "revision": after, **seeded}


@contextmanager
def shared_by_workers() -> Iterator[None]:
    """Keep the files that the workers of a service share: the counts of metrics, and the buckets of rate limits."""
    with metrics.shared() as directory:
        for name in (RATE_LIMITS, FAILED_ATTEMPTS):
            RateLimits.create(directory / name)
        yield


def serve(settings: Settings, opened: Callable[[Database, str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests under way.

    `opened` is called once connections are accepted, with the database and the URL of the service. OSError if the
    service cannot listen on the address; ContractError if the governing contract cannot be served.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn raises the signal again when it has drained
    oauth_policy(settings), trusted_proxies(settings)  # raise here, before anything is opened
    logs.configure(settings.log_level)
    with _listener(settings) as listener, connected(settings) as database, shared_by_workers():
        with remedied(settings):
            migrated = patiently(lambda: prepare(database))
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
        config = uvicorn.Config(
            "scripts.service.worker:application",
            factory=True,
            loop="uvloop",
            http="openapi.protocol.connection:HTTPConnection",
            ws="none",
            workers=settings.workers,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # scripts/service/proxies.py does that
            timeout_keep_alive=settings.keep_alive,
            timeout_graceful_shutdown=settings.drain_timeout,
            timeout_worker_healthcheck=WORKER_START_SECONDS,
        )
        if settings.workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])


def _listener(settings: Settings) -> socket.socket:
    """A socket that listens on the host and port of `settings`; OSError names both."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        address = f"{variable('host')} {settings.host}, {variable('port')} {settings.port}"
        raise OSError(f"cannot listen at {address}: {error.strerror}") from None
