"""ASGI scopes for parts of the application that are called without the layers around them."""

from starlette.types import Scope

from openapi.serving.request_state import REQUEST, RequestState


def new_request_state(scope: Scope) -> None:
    """Give `scope` the state that AccessLog gives it."""
    scope.setdefault("state", {})[REQUEST] = RequestState()
