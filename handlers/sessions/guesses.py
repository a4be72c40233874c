"""A limit on guesses: of passwords, keys and secrets, in the same file as those at the token endpoint."""

from starlette.requests import Request

from handlers.pages.page_problems import PageRefusal
from handlers.security.failed_attempts import Bucket
from handlers.site.service_state import service_state
from openapi.serving.request_state import request_state


def begin(request: Request, *buckets: Bucket) -> None:
    """Count a guess before it is looked at, so that many at once are not more; PageRefusal 429 without room.

    `right` takes it back.
    """
    if wait := service_state(request).failed_attempts.begin(*buckets):
        raise too_many(request, wait)


def right(request: Request, *buckets: Bucket) -> None:
    """Count a guess no longer, because it was right."""
    service_state(request).failed_attempts.succeeded(*buckets)


def require_room(request: Request, *buckets: Bucket) -> None:
    """PageRefusal 429 while one of `buckets` has no room for another wrong guess."""
    if wait := service_state(request).failed_attempts.seconds_to_wait(*buckets):
        raise too_many(request, wait)


def count(request: Request, reason: str, *buckets: Bucket) -> None:
    """Count a wrong guess; `reason` is for the log."""
    service_state(request).failed_attempts.count(*buckets)
    request_state(request.scope).reason = reason


def too_many(request: Request, seconds: int) -> PageRefusal:
    """The refusal to look at another guess for so many `seconds`."""
    return PageRefusal(
        429,
        "too_many_attempts",
        "Too many attempts",
        f"Wait for {seconds} seconds, then try again.",
        {request.url.path: "Sign in"},
        [(b"retry-after", b"%d" % seconds)],
    )
