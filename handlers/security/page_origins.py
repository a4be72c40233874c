"""Pages in browsers act only for the hubs that have listed their origins."""

from starlette.types import Scope

from handlers.security.authority import AuthorizationServer
from openapi.cross_origin.headers import unreadable
from openapi.oauth.bearer import Unauthenticated, access_token
from openapi.problems import Problem
from openapi.serving.request_state import request_state
from openapi.standards.header_fields import quoted


def check_page(oauth: AuthorizationServer, scope: Scope, path: str) -> None:
    """Problem `origin_not_listed` unless the hub of an authenticated request has listed the Origin of its page.

    `path` is that of the version of the API. The page cannot read the refusal, because the hub does not know it.
    """
    state = request_state(scope)
    if state.origin in state.caller.origins:
        return
    state.announced = unreadable(state.announced)
    scheme, _ = access_token(scope)
    refused = Unauthenticated("invalid_request", "the hub of the token has not listed the Origin", scheme)
    headers = refused.challenge(resource_metadata=oauth.metadata_of(path))
    origin = quoted((state.origin or "").encode("latin-1"))
    raise Problem("origin_not_listed", headers, reason=f"the Origin is {origin}", origin=origin)
