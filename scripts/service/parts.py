"""The parts that a worker serves with, opened in order and closed in the reverse order."""

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from uuid import UUID

from db.engine import Database
from db.errors import Unavailable
from db.latencies import Latencies
from db.registry import Caller
from db.rejected_submissions import Bounds
from db.replicas import Replicas
from db.version_usage import VersionUsage
from handlers import resources
from handlers.contracts.client_builds import ClientBuilds
from handlers.contracts.serving import Serving
from handlers.live.tail import Tail
from handlers.operations import OPERATIONS
from handlers.resources import Resources, ServiceOptions
from handlers.security import authentication, authority, page_origins
from handlers.security.authority import AuthorizationServer, OAuthOptions
from handlers.security.cut_over import CutOver
from handlers.security.failed_attempts import FailedAttempts
from handlers.security.issuers import IssuerUnavailable
from handlers.security.sign_in_issuer import SignInIssuer
from openapi.generate.openapi_generator import program
from openapi.oauth import server_metadata
from openapi.serving.endpoint import Dependencies
from openapi.serving.rate_limits import Bucket, RateLimits, RatePolicy
from scripts.metrics import resource_readings
from scripts.metrics.samplers import Samplers
from scripts.service import oauth_settings
from scripts.service.maintenance import Upkeep
from scripts.service.metrics import Metrics
from scripts.service.settings import Settings

RATE_LIMITS = "RATE_LIMITS_FILE"
"""The environment variable that names the file of the buckets of hubs."""
FAILED_ATTEMPTS = "FAILED_ATTEMPTS_FILE"
"""That of another file, so that names which a sender makes up take no slot of a hub."""
REPLICA = "REPLICA_ID"
"""The environment variable with the id of the service, which its workers share."""
BURST_SECONDS = 10
"""The burst of a hub with a rate of its own, in seconds of that rate."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The components that a worker has opened, and its settings."""

    settings: Settings
    database: Database
    metrics: Metrics
    bucket_for: Callable[[Caller], Bucket]
    failed_attempts: FailedAttempts
    resources: Resources
    authorization_server: AuthorizationServer
    version_usage: VersionUsage
    cut_over: CutOver
    replicas: Replicas
    client_builds: ClientBuilds
    tail: Tail
    sign_in_issuer: SignInIssuer | None

    def on_served(self, serving: Serving) -> None:
        """Label the metrics by the contracts that are now served, refer cut-over hubs to them, and build clients."""
        self.client_builds.contracts_changed()
        self.cut_over.served(serving.contracts)
        self.metrics.serving(
            [(contract.version, contract.digest) for contract in serving.contracts],
            serving.refused,
            [
                OPERATIONS.name(operation.operation_id)
                for contract in serving.contracts
                for operation in contract.operations
            ],
        )


async def open_parts(
    settings: Settings, options: OAuthOptions, database: Database, metrics: Metrics, stack: AsyncExitStack
) -> Parts:
    """Open the parts over `database`, which `stack` closes; Unavailable if the database cannot be reached."""
    limits, attempts = (
        stack.enter_context(RateLimits(Path(os.environ[name]))) for name in (RATE_LIMITS, FAILED_ATTEMPTS)
    )
    bounds = Bounds(settings.rejections_count, settings.rejections_days, settings.rejections_bytes)
    service_options = ServiceOptions(bounds, approves_event_types=settings.manifest_approval == "manual")
    opened = await stack.enter_async_context(resources.open_resources(database, service_options, metrics.items))
    replicas = Replicas(database, UUID(os.environ[REPLICA]))
    await stack.enter_async_context(replicas.running())
    samplers = Samplers(database)
    await stack.enter_async_context(samplers.running())
    stack.enter_context(metrics.exposing(samplers.readings))
    stack.enter_context(metrics.exposing(partial(resource_readings.readings, opened, replicas)))
    await stack.enter_async_context(metrics.flushing())
    await stack.enter_async_context(Latencies(database, metrics.durations).flushing())
    upkeep = Upkeep(database, settings.retention, bounds, metrics.upkeep_succeeded)
    await stack.enter_async_context(upkeep.running())
    failed_attempts = FailedAttempts(attempts)
    server = authority.open_authorization_server(database, opened.registry, options, failed_attempts)
    await stack.enter_async_context(server.tokens.issuers)
    issuer = None
    if signing_in := oauth_settings.sign_in_options(settings):
        issuer = await stack.enter_async_context(SignInIssuer(signing_in, server.public_url))
    version_usage = VersionUsage(database)
    await stack.enter_async_context(version_usage.flushing())
    cut_over = CutOver(server.public_url + server_metadata.AUTHORIZATION_SERVER)
    bucket_for = _buckets(limits, settings, replicas)
    tail = await stack.enter_async_context(Tail(database).running())
    builds = ClientBuilds(database, settings.client_languages, program.installed(), settings.public_url)
    return Parts(
        settings,
        database,
        metrics,
        bucket_for,
        failed_attempts,
        opened,
        server,
        version_usage,
        cut_over,
        replicas,
        builds,
        tail,
        issuer,
    )


def dependencies(parts: Parts) -> Dependencies:
    """The dependencies of each contract's application, from `parts`."""
    return Dependencies(
        operations=OPERATIONS,
        authenticate=authentication.authenticate,
        resources=parts.resources,
        failures={Unavailable: "unavailable", IssuerUnavailable: "keys_unavailable"},
        body_timeout=parts.settings.body_timeout,
        bucket_for=parts.bucket_for,
        public_url=parts.authorization_server.public_url,
        authorize=partial(authentication.authorize, parts.authorization_server),
        check_key=parts.cut_over.check_key,
        on_request=parts.version_usage.on_request,
        check_page=partial(page_origins.check_page, parts.authorization_server),
        is_origin=parts.resources.registry.has_origin,
    )


def _buckets(limits: RateLimits, settings: Settings, replicas: Replicas) -> Callable[[Caller], Bucket]:
    """The bucket of each hub. The living replicas share its rate and its burst in equal parts, at least 1 each."""

    @lru_cache(maxsize=10_000)
    def bucket(hub_id: UUID, rate: int | None, count: int) -> Bucket:
        """A hub with its own rate also has its own burst."""
        rate, burst = (rate, rate * BURST_SECONDS) if rate else (settings.rate_limit, settings.rate_burst)
        return Bucket(limits, hub_id, RatePolicy(max(1, rate // count), max(1, burst // count)))

    return lambda hub: bucket(hub.id, hub.rate_limit, replicas.count)
