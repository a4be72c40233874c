"""The parts of a worker that the pages outside the API use: opened when it starts, passed with each request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from db.engine import Database
from db.living_sessions import LivingSessions
from db.registry import Caller
from db.replicas import Replicas
from db.version_usage import VersionUsage
from handlers.contracts.client_archives import ClientArchives
from handlers.contracts.publications import Publications
from handlers.contracts.rehearsing.rehearsal_runs import RehearsalRuns
from handlers.contracts.serving import Serving
from handlers.live.tail import Tail
from handlers.resources import Resources
from handlers.security.authority import AuthorizationServer
from handlers.security.failed_attempts import FailedAttempts
from handlers.security.passwords import Passwords
from handlers.security.sign_in_issuer import SignInIssuer
from openapi.serving.rate_limits import Bucket

SERVICE = "service"
"""The key of the ServiceState in the state of the ASGI lifespan, which the server copies into each request's."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The open parts of one worker. `metrics` writes the text that Prometheus reads; `bucket_for` limits a hub.

    `warnings` are for the operator, about the settings. Clients keep for `recovery_hours` what they have sent.
    The worker serves since `started_at`. Pages for those who are signed in take `page_turns`, so that many at once do
    not delay events. `sign_in_issuer` signs in admins; None if only passwords do.
    """

    database: Database
    serving: Serving
    authorization_server: AuthorizationServer
    version_usage: VersionUsage
    metrics: Callable[[], bytes]
    failed_attempts: FailedAttempts
    bucket_for: Callable[[Caller], Bucket]
    resources: Resources
    replicas: Replicas
    recovery_hours: int
    client_archives: ClientArchives
    started_at: datetime
    passwords: Passwords
    page_turns: asyncio.Semaphore
    living_sessions: LivingSessions
    tail: Tail
    sign_in_issuer: SignInIssuer | None
    publications: Publications
    rehearsal_runs: RehearsalRuns


def service_state(request: Request) -> ServiceState:
    """The state of the worker that serves `request`."""
    state: ServiceState = request.scope["state"][SERVICE]
    return state
