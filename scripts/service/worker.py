"""The composition root of one worker: the application that uvicorn serves, and its resources."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from db.engine import Database
from db.errors import Unavailable
from db.living_sessions import LivingSessions
from db.outage_log import OutageLog
from handlers.admin.rejections.replay_worker import ReplayWorker
from handlers.contracts import lifecycle
from handlers.contracts.client_archives import ClientArchives
from handlers.contracts.publications import Publications
from handlers.contracts.rehearsing.rehearsal_runs import RehearsalRuns
from handlers.contracts.serving import Serving
from handlers.pages.browsers import ForBrowsers, missing_as_page
from handlers.paths import BESIDE, FOR_PEOPLE, FOR_SIGNED_IN, HOME, METRICS, page_name
from handlers.security.authority import OAuthOptions
from handlers.security.passwords import Passwords
from handlers.site import recovery
from handlers.site.draining import ON_DRAIN
from handlers.site.service_state import SERVICE, ServiceState
from openapi.contract import Contract, ContractError
from openapi.protocol.admission import Admission
from openapi.protocol.connection import CONNECTION, ConnectionOptions
from openapi.protocol.cycle import fix_status_lines
from openapi.serving.access_log import AccessLog
from openapi.serving.app import build
from openapi.serving.dispatch import ErrorMiddleware
from openapi.serving.endpoint import Dependencies
from openapi.serving.error_styles import style_of
from openapi.serving.live import Live
from openapi.serving.request_state import REQUEST
from openapi.standards.server_timing import ServerTiming
from scripts.metrics import processes
from scripts.service import logs, oauth_settings, telemetry
from scripts.service.metrics import Metrics
from scripts.service.oauth_settings import oauth_policy
from scripts.service.parts import dependencies, open_parts
from scripts.service.proxies import behind, trusted_proxies
from scripts.service.routes import admin, pages, routes
from scripts.service.settings import Settings

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
END_SECONDS = 0.3
"""How long each write of the last counts may take at the end, when the requests have had their time."""
PAGES_AT_ONCE = 4
"""Pages of one worker that are made at the same time for those who are signed in."""
SPARE_DESCRIPTORS = 8
"""For temporary files, and connections that are still closing."""

T = TypeVar("T")


class Outside(NamedTuple):
    """What is around the open parts of a worker: it exists before they are opened."""

    live: Live
    metrics: Metrics
    announced: list[tuple[bytes, bytes]]
    """Headers of every response."""
    publications: Publications
    tracer: Any = None


def application() -> ASGIApp:
    """The service of one worker, configured by the environment. uvicorn calls this."""
    settings = Settings.read()
    logs.configure(settings.log_level)
    telemetry.report_errors(settings)
    fix_status_lines()
    options, metrics = oauth_policy(settings), Metrics()
    publications = Publications(settings.public_url)
    beside = routes(publications, options.public_url, settings.operator_key, settings.tools)
    paths = [route.path for route in beside]
    live = Live(paths, missing_as_page)
    outside = Outside(live, metrics, [], publications, tracer=telemetry.tracing(settings))
    lifespan = partial(_lifespan, settings, options, outside)
    router = Router(beside, redirect_slashes=False, lifespan=lifespan)
    for_programs = _at(BESIDE, ErrorMiddleware(router, failures={}, paths=paths), live)
    for_people = [*pages(publications, options.public_url), *admin()]
    service = _at((HOME, *BESIDE, *FOR_PEOPLE, *FOR_SIGNED_IN), ForBrowsers(for_people, for_programs), live)
    _end_with_parent()
    timed = ServerTiming(service) if settings.server_timing else service
    traced = telemetry.traced(timed, outside.tracer, settings)
    return behind(trusted_proxies(settings), AccessLog(traced, metrics.request, outside.announced))


@asynccontextmanager
async def _lifespan(
    settings: Settings, options: OAuthOptions, outside: Outside, _router: Router
) -> AsyncIterator[dict[str, Any]]:
    """Serve through `outside` until the end; yield the state that the server adds to each request."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(telemetry.running(outside.tracer, settings))
        state = await _patiently(partial(_open, settings, options, outside), stack)
        yield state
        state[SERVICE].database.hurry(END_SECONDS)
        logs.stop_holding()  # uvicorn raises the signal again, which ends the worker
        logger.info("stopping")


async def _patiently(attempt: Callable[[AsyncExitStack], Awaitable[T]], stack: AsyncExitStack) -> T:
    """Return the result of `attempt`, which opens things in `stack`; repeat it while the database is unavailable."""
    outage = OutageLog(logger, over="the database answers")
    while True:
        try:
            async with AsyncExitStack() as opened:
                result = await attempt(opened)
                await stack.enter_async_context(opened.pop_all())
                return result
        except Unavailable as error:
            outage.fails("the worker waits for the database: %s", error)
        await asyncio.sleep(RETRY_SECONDS)


async def _open(settings: Settings, options: OAuthOptions, outside: Outside, stack: AsyncExitStack) -> dict[str, Any]:
    """Open everything in `stack` and begin to serve; Unavailable if the database cannot be reached."""
    database = stack.enter_context(
        closing(Database(settings.database_url, settings.connections, settings.database_timeout))
    )
    differences = await database.run(lifecycle.differences)
    parts = await open_parts(settings, options, database, outside.metrics, stack)
    telemetry.trace_commits(parts.resources, outside.tracer)
    recovery.announce(parts.resources.registry.timelines, outside.announced)
    _spare_requests()
    serving = Serving(
        outside.live,
        partial(_build, dependencies(parts), oauth_settings.unreachable(settings)),
        parts.on_served,
        partial(style_of, public_url=options.public_url),
    )
    await stack.enter_async_context(serving.following(database))
    await stack.enter_async_context(parts.client_builds.running())
    await stack.enter_async_context(ReplayWorker(parts.resources, serving).running())
    await stack.enter_async_context((runs := RehearsalRuns(database)).running())
    logger.info("serving", extra={"contracts": [contract.version for contract in serving.contracts]})
    for warning in differences:
        logger.warning(warning)
    return {
        SERVICE: ServiceState(
            database,
            serving,
            parts.authorization_server,
            parts.version_usage,
            outside.metrics.exposition,
            parts.failed_attempts,
            parts.bucket_for,
            parts.resources,
            parts.replicas,
            settings.recovery_hours,
            ClientArchives(database, parts.client_builds),
            datetime.now(UTC),
            Passwords(),
            asyncio.Semaphore(PAGES_AT_ONCE),
            LivingSessions(database),
            parts.tail,
            parts.sign_in_issuer,
            outside.publications,
            runs,
        ),
        ON_DRAIN: parts.tail.end,
        CONNECTION: ConnectionOptions(
            settings.head_timeout,
            settings.write_timeout,
            outside.live.style,
            outside.live.announced,
            outside.metrics.connection,
            Admission(_most_connections(settings)),
        ),
    }


def _most_connections(settings: Settings) -> int:
    """The number that the limit of descriptors leaves after the connections to the database."""
    try:
        open_now = processes.open_descriptors()
    except OSError:  # there is no /proc
        open_now = SPARE_DESCRIPTORS
    return max(1, processes.max_descriptors() - open_now - settings.connections - SPARE_DESCRIPTORS)


def _build(parts: Dependencies, fault: str | None, contract: Contract) -> ASGIApp:
    """The application of `contract`; ContractError if there is a `fault` and it has tokens."""
    if fault and contract.scopes:
        raise ContractError(f"contract {contract.version} is not served: {fault}")
    return build(contract, parts)


def _at(paths: Sequence[str], here: ASGIApp, elsewhere: ASGIApp) -> ASGIApp:
    """`here` at `paths`, and below them but the first page; `elsewhere` at all others."""
    known, below = frozenset(paths), tuple(f"{path}/" for path in paths if path != HOME)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", METRICS)  # a lifespan has no path; the router handles it
        if not (path.startswith(below) or path in known):
            await elsewhere(scope, receive, send)
            return
        if scope["type"] == "http":
            scope["state"][REQUEST].operation = page_name(path)  # in the metrics
        await here(scope, receive, send)

    return application


def _spare_requests() -> None:
    """Set up garbage collection and threads so that they delay no request for long."""
    gc.collect()
    gc.freeze()  # present objects stay, unlike applications: no later collection need look at them
    gc.set_threshold(20_000)  # requests in progress are not garbage
    sys.setswitchinterval(0.0005)  # seconds


def _end_with_parent() -> None:
    """Drain this worker when its supervisor ends, for whatever reason."""
    if (parent := multiprocessing.parent_process()) is not None:

        def wait() -> None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, daemon=True).start()
