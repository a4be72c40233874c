"""The state of one request: the layers of the service share it, and the log reads it."""

from typing import Any

from starlette.types import Scope

from openapi.problems import Headers
from openapi.serving.error_styles import ERROR_OBJECTS, ErrorStyle

REQUEST = "request"
"""The key of a RequestState in the state of an ASGI scope, which the server creates for each request."""


class RequestState:
    """One request. The defaults are class attributes, so that a request costs no call to set them."""

    operation: str | None = None
    """The routed operationId; outside the API the first segment of the path."""
    version: str | None = None
    """The version of the contract that has the operation."""
    caller: Any = None
    """The authenticated hub."""
    origin: str | None = None
    """What its Origin says: the page in a browser that sends it; None without one."""
    is_proven: bool = False
    """True if its DPoP proof was valid; a proof is good for one use."""
    style: ErrorStyle = ERROR_OBJECTS
    """The error format for an internal error."""
    problem: str | None = None
    """The code of the error that was sent."""
    reason: str | None = None
    """The reason of the error, for the log alone."""
    headers: Headers = ()
    """Headers added to an error response."""
    announced: Headers = ()
    """Headers added to every response."""
    judged_at: float | None = None
    """The time, in seconds since the epoch, at which its token must be valid; None for now."""
    status: int = 0
    """The status of the response; 0 until it begins."""


def request_state(scope: Scope) -> RequestState:
    """The state of the request of `scope`."""
    state: RequestState = scope["state"][REQUEST]
    return state
