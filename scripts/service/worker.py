"""The composition root of one worker: opens what it serves with, puts it together, and closes it again."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, closing
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from db.engine import Database
from db.errors import Unavailable
from db.registry import Caller
from db.rejected_submissions import Bounds
from db.version_usage import VersionUsage
from handlers import resources
from handlers.contracts import lifecycle
from handlers.contracts.serving import Serving
from handlers.operations import OPERATIONS
from handlers.paths import BESIDE, HEALTH, METRICS
from handlers.resources import ServiceOptions
from handlers.security import authentication, authority
from handlers.security.cut_over import CutOver
from handlers.security.issuers import IssuerUnavailable
from handlers.site import authorization_server, contract_pages, health, migration_pages, problem_pages
from handlers.site.service_state import SERVICE, ServiceState
from openapi.oauth import server_metadata
from openapi.protocol.connection import CONNECTION, ConnectionOptions
from openapi.protocol.cycle import fix_status_lines
from openapi.serving.access_log import AccessLog
from openapi.serving.app import build
from openapi.serving.dispatch import ErrorMiddleware
from openapi.serving.endpoint import Dependencies
from openapi.serving.error_styles import style_of
from openapi.serving.live import Live
from openapi.serving.rate_limits import Bucket, RateLimits, RatePolicy
from openapi.standards.header_fields import field_values
from openapi.standards.server_timing import ServerTiming
from scripts.service import logs, metrics
from scripts.service.maintenance import maintenance
from scripts.service.metrics import Metrics
from scripts.service.oauth_settings import oauth_policy
from scripts.service.settings import Settings

logger = logging.getLogger(__name__)

BELOW = tuple(f"{path}/" for path in BESIDE)
RATE_LIMITS = "rate-limits"
"""The file of the buckets, beside what the metrics are counted in."""
BURST_SECONDS = 10
"""What a hub with a rate of its own may send at once, in seconds of that rate."""
PATIENCE_SECONDS = 30
"""How long a start waits for a database that is away."""


def application() -> ASGIApp:
    """The service of one worker, configured by the environment. uvicorn calls this."""
    settings = Settings.read()
    logs.configure(settings.log_level)
    fix_status_lines()
    policy = oauth_policy(settings)
    live = Live()

    @asynccontextmanager
    async def lifespan(_router: Router) -> AsyncIterator[dict[str, Any]]:
        with closing(Database(settings.database_url, settings.connections, settings.database_timeout)) as opened:
            differences = await asyncio.to_thread(patiently, lambda: _differences(opened))
            directory = Path(os.environ[metrics.DIRECTORY])
            async with AsyncExitStack() as stack:
                counted = Metrics()
                limits = stack.enter_context(RateLimits(directory / RATE_LIMITS))
                held = await stack.enter_async_context(
                    resources.open_resources(opened, _policy(settings), counted.items)
                )
                for kept in (counted.flushing(), maintenance(opened, settings.retention, _bounds(settings))):
                    await stack.enter_async_context(kept)
                logged.ended = counted.request
                gc.collect()
                gc.freeze()  # what is there now stays, unlike applications: no later collection need look at it again
                gc.set_threshold(20_000)  # the requests under way are no garbage
                sys.setswitchinterval(0.0005)  # seconds: whatever runs on a thread keeps no request waiting for long
                authorized = authority.open_authorization_server(opened, held.registry, policy, limits)
                await stack.enter_async_context(authorized.tokens.issuers)
                requests, cut_over = (
                    VersionUsage(opened),
                    CutOver(policy.public_url + server_metadata.AUTHORIZATION_SERVER),
                )
                await stack.enter_async_context(requests.flushing())
                dependencies = Dependencies(
                    operations=OPERATIONS,
                    authenticate=authentication.authenticate,
                    resources=held,
                    failures={Unavailable: "unavailable", IssuerUnavailable: "keys_unavailable"},
                    body_timeout=settings.body_timeout,
                    bucket_for=_buckets(limits, settings),
                    public_url=policy.public_url,
                    authorize=partial(authentication.authorize, authorized),
                    check_key=cut_over.check_key,
                    on_request=requests.on_request,
                )
                serving = Serving(
                    live,
                    partial(build, dependencies=dependencies),
                    partial(_tell, counted, cut_over),
                    partial(style_of, public_url=dependencies.public_url),
                )
                await stack.enter_async_context(serving.following(opened))
                logger.info("serving", extra={"contracts": [contract.version for contract in serving.contracts]})
                for difference in differences:
                    logger.warning(difference)
                yield {
                    SERVICE: ServiceState(opened, serving, authorized, requests, counted.exposition),
                    CONNECTION: ConnectionOptions(settings.head_timeout, live.style),
                }
                logs.hold_no_more()  # a worker ends by the signal that uvicorn raises again
                logger.info("stopping")

    _end_with_parent()
    routes = [
        Route(f"{HEALTH}/live", health.live),
        Route(f"{HEALTH}/ready", health.ready),
        Route(METRICS, metrics.metrics),
        *contract_pages.routes(),
        *problem_pages.routes(policy.public_url),
        *authorization_server.routes(),
        *migration_pages.routes(settings.operator_key),
    ]
    beside = ErrorMiddleware(Router(routes, redirect_slashes=False, lifespan=lifespan), failures={})

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", METRICS)  # of a lifespan there is none
        await (beside if path.startswith(BELOW) or path in BESIDE else live)(scope, receive, send)

    logged = AccessLog(ServerTiming(application) if settings.server_timing else application)
    return _behind_proxy(logged)


def patiently(attempt: Callable[[], Any]) -> Any:
    """What `attempt` returns; it is tried again for a while as long as the database is away."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return attempt()
        except Unavailable as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("the database is away, trying again: %s", error)
            time.sleep(1)


def _behind_proxy(service: ASGIApp) -> ASGIApp:
    """`service`, told of the client by a proxy on this machine. uvicorn would look for that in every request."""
    told_by_proxy = ProxyHeadersMiddleware(service)  # type: ignore[arg-type] # uvicorn types scopes more closely

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        is_told = scope["type"] == "http" and field_values(scope, b"x-forwarded-for")
        await (told_by_proxy if is_told else service)(scope, receive, send)  # type: ignore[arg-type]

    return application


def _tell(counted: Metrics, cut_over: CutOver, serving: Serving) -> None:
    """Count by what is served now, and send there who is cut over."""
    cut_over.served(serving.contracts)
    counted.serving(
        [(contract.version, contract.digest) for contract in serving.contracts],
        serving.refused,
        [
            OPERATIONS.name(operation.operation_id)
            for contract in serving.contracts
            for operation in contract.operations
        ],
    )


def _buckets(limits: RateLimits, settings: Settings) -> Callable[[Caller], Bucket]:
    usual = RatePolicy(settings.rate_limit, settings.rate_burst)

    @lru_cache(maxsize=10_000)
    def bucket(hub_id: UUID, rate: int | None) -> Bucket:
        """A hub with a rate of its own may send at once as much as in ten seconds."""
        return Bucket(limits, hub_id, RatePolicy(rate, rate * BURST_SECONDS) if rate else usual)

    return lambda hub: bucket(hub.id, hub.rate_limit)


def _policy(settings: Settings) -> ServiceOptions:
    return ServiceOptions(_bounds(settings), approves_event_types=settings.manifest_approval == "manual")


def _bounds(settings: Settings) -> Bounds:
    return Bounds(settings.rejections_count, settings.rejections_days, settings.rejections_bytes)


def _differences(opened: Database) -> list[str]:
    """Where rows and documents differ."""
    with opened.begin() as connection:
        return lifecycle.differences(connection)


def _end_with_parent() -> None:
    """Drain when the process that supervises this worker is gone, however it went."""
    if (parent := multiprocessing.parent_process()) is not None:

        def wait() -> None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=wait, daemon=True).start()
