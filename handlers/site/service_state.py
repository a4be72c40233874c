"""The parts of a worker that the pages outside the API use: opened when it starts, passed with each request."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from db.engine import Database
from db.registry import Caller
from db.replicas import Replicas
from db.version_usage import VersionUsage
from handlers.contracts.serving import Serving
from handlers.resources import Resources
from handlers.security.authority import AuthorizationServer
from handlers.security.failed_attempts import FailedAttempts
from openapi.serving.rate_limits import Bucket

SERVICE = "service"
"""The key of the ServiceState in the state of the ASGI lifespan, which the server copies into each request's."""

DRAINING = "draining"
"""The key that is in that state, and true, once the worker is to stop."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The open parts of one worker. `metrics` writes the text that Prometheus reads; `bucket_for` limits a hub.

    `warnings` are for the operator, about the settings. Clients keep for `recovery_hours` what they have sent.
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


def service_state(request: Request) -> ServiceState:
    """The state of the worker that serves `request`."""
    state: ServiceState = request.scope["state"][SERVICE]
    return state
