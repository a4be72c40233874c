"""Tokens in a request, with the scheme Bearer (RFC 6750) or DPoP (RFC 9449 section 7.1), and the challenge."""

import re

from starlette.types import Scope

from openapi.problems import Headers, Problem
from openapi.standards.header_fields import field_values

REALM = "interaction-reporting"
BEARER, DPOP = "Bearer", "DPoP"
MAX_LENGTH = 16 * 1024
"""Limit on a token: those of other issuers may list groups and roles."""
B64TOKEN = "[A-Za-z0-9._~+/-]+=*"
"""The pattern of a token: b64token (RFC 6750 section 2.1)."""

_CREDENTIALS = re.compile(f"bearer +({B64TOKEN})".encode(), re.IGNORECASE)
_BOUND = re.compile(f"dpop +({B64TOKEN})".encode(), re.IGNORECASE)


class Unauthenticated(Exception):
    """A request lacks valid credentials: `error` and `description` of its challenge, None if it sent no credentials."""

    def __init__(self, error: str | None = None, description: str | None = None, scheme: str = BEARER) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.scheme = scheme

    def challenge(self, **attributes: str) -> Headers:
        """The WWW-Authenticate header (section 3), with further `attributes`."""
        parameters = {"realm": REALM, "error": self.error, "error_description": self.description, **attributes}
        values = ", ".join(f'{name}="{value}"' for name, value in parameters.items() if value)
        return [(b"www-authenticate", f"{self.scheme} {values}".encode("ascii"))]


def token(scope: Scope) -> str:
    """Return the token in the only Authorization header of a request (section 2.1); Problem `unauthorized` if absent.

    The other places of RFC 6750, form field and query (sections 2.2 and 2.3), are ignored.
    """
    try:
        return _read(scope, _CREDENTIALS, "Bearer <hub-api-key>")
    except Unauthenticated as failure:
        raise unauthorized(failure.error, failure.description) from None


def access_token(scope: Scope) -> tuple[str, str]:
    """Return the scheme and the access token of a request; raise Unauthenticated if absent or malformed."""
    values = field_values(scope, b"authorization")
    if values and _BOUND.fullmatch(values[0].strip()):
        return DPOP, _read(scope, _BOUND, "DPoP <access token>")
    return BEARER, _read(scope, _CREDENTIALS, "Bearer <access token>")


def unauthorized(error: str | None = None, description: str | None = None) -> Problem:
    """The Problem with its challenge (section 3); `error` is None if the request had no credentials."""
    return Problem("unauthorized", Unauthenticated(error, description).challenge(), reason=description)


def _read(scope: Scope, pattern: re.Pattern[bytes], form: str) -> str:
    values = field_values(scope, b"authorization")
    if not values and field_values(scope, b"x-api-key"):
        raise Unauthenticated("invalid_request", f"X-API-Key is not read; send Authorization: {form}")
    if not values:
        raise Unauthenticated
    if len(values) > 1:
        raise Unauthenticated("invalid_request", "more than one Authorization header")
    match = pattern.fullmatch(values[0].strip())
    if match is None:
        raise Unauthenticated("invalid_request", f"the Authorization header is not of the form: {form}")
    if len(match[1]) > MAX_LENGTH:
        raise Unauthenticated("invalid_token", f"it has more than {MAX_LENGTH} characters")
    return match[1].decode("ascii")
