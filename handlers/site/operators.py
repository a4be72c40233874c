"""Requests with the operator's key, and no others."""

import hmac
from collections.abc import Callable
from hashlib import sha256

from starlette.requests import Request
from starlette.types import Scope

from handlers.security import failed_attempts
from handlers.site.service_state import service_state
from openapi.oauth.bearer import BEARER, Unauthenticated, access_token
from openapi.problems import Problem
from openapi.standards import basic_authentication

REALM = "interaction-reporting operators"

Admit = Callable[[Request], None]
"""Problem unless a request may use a page."""


def page_headers(policy: str) -> dict[str, str]:
    """The fields of a page that no cache may keep, with a Content-Security-Policy."""
    return {
        "cache-control": "no-store",
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "vary": "Accept, Authorization",
        "x-content-type-options": "nosniff",
    }


def admitting(operator_key: str) -> Admit:
    """Admits requests with `operator_key`."""
    digest = sha256(operator_key.encode("utf-8", "surrogateescape")).digest()

    def admit(request: Request) -> None:
        _require_key(request, digest)

    return admit


def _require_key(request: Request, digest: bytes) -> None:
    """Problem unless the request has the key of `digest`, or after too many wrong ones from its address.

    Unlike a secret of a client, a person may have chosen the key: so after too many guesses even the right one waits.
    """
    if not (key := _key(request.scope)):
        raise Problem("operator_unauthorized", basic_authentication.challenge(REALM))
    attempts, bucket = service_state(request).failed_attempts, failed_attempts.of_operator(request.scope)
    if wait := attempts.seconds_to_wait(bucket):
        raise Problem("too_many_attempts", [(b"retry-after", b"%d" % wait)])
    # Digests have one length, and comparing them takes the same time wherever they differ.
    if not hmac.compare_digest(sha256(key).digest(), digest):
        attempts.count(bucket)
        raise Problem("operator_unauthorized", basic_authentication.challenge(REALM))


def _key(scope: Scope) -> bytes:
    """The key in a request: the password of any user, or a bearer token; empty if absent."""
    password = basic_authentication.password(scope)
    if password is not None:
        return password
    try:
        scheme, token = access_token(scope)
    except Unauthenticated:
        return b""
    return token.encode() if scheme == BEARER else b""
