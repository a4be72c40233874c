"""What the session of a hub may do: what the API lets its key, or the scopes of its client, do."""

from starlette.requests import Request

from db.page_sessions import HubSession
from handlers.operations import OPERATIONS
from handlers.pages.page_problems import PageRefusal
from handlers.paths import HUB
from handlers.site.service_state import service_state

COUNTS, REJECTIONS, REJECTION, REPLAY = (
    "getUsage",
    "listRejectedSubmissions",
    "getRejectedSubmission",
    "replayRejectedSubmissions",
)
"""The operations of the API that do what the pages do."""


def lack(request: Request, session: HubSession, operation_id: str) -> str:
    """What a session lacks for an operation, as a sentence without its end; empty if it lacks nothing.

    The highest version that is served and takes access tokens says which scopes the operation requires.
    """
    if session.scopes is None:
        return ""
    contracts = [contract for contract in service_state(request).serving.contracts if contract.scopes]
    ways = contracts[-1].required_scopes(OPERATIONS.name_in(contracts[-1], operation_id)) if contracts else []
    if not ways:
        return "no version that is served lets a client do this"
    missing = min((sorted(way - session.scopes) for way in ways), key=len)
    if not missing:
        return ""
    return f"your client lacks the scope{'' if len(missing) == 1 else 's'} {' and '.join(missing)}"


def require(request: Request, session: HubSession, operation_id: str) -> None:
    """PageRefusal 403 if a session lacks something for an operation."""
    if lacked := lack(request, session, operation_id):
        raise PageRefusal(
            403,
            "insufficient_scope",
            f"{lacked[:1].upper()}{lacked[1:]}",
            "Ask the operator of the service for it, or sign in with the API key of your hub.",
            {HUB: "What your client may see"},
        )
