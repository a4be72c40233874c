"""ASGI scopes for parts of the application that tests call without the layers around them."""

from starlette.types import Scope

from openapi.serving.request_state import REQUEST, RequestState


def new_request_state(scope: Scope) -> None:
    """Add to `scope` the request state that AccessLog adds."""
    scope.setdefault("state", {})[REQUEST] = RequestState()
