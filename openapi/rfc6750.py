"""Bearer tokens (RFC 6750): where a request carries one, and the challenge when it does not do."""

import re

from starlette.types import Scope

from openapi.fields import field_values
from openapi.problems import Problem

REALM = "interaction-reporting"
MAX_LENGTH = 4096

_CREDENTIALS = re.compile(rb"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)


def token(scope: Scope) -> str:
    """The token in the one Authorization header of a request (section 2.1); Problem `unauthorized` if there is none.

    The other places of RFC 6750, form field and query (sections 2.2 and 2.3), are not looked at.
    """
    values = field_values(scope, b"authorization")
    if not values:
        raise unauthorized()
    if len(values) > 1:
        raise unauthorized("invalid_request", "more than one Authorization header")
    match = _CREDENTIALS.fullmatch(values[0].strip())
    if match is None or len(match[1]) > MAX_LENGTH:
        raise unauthorized("invalid_request", "the Authorization header is not of the form: Bearer <hub-api-key>")
    return match[1].decode("ascii")


def unauthorized(error: str | None = None, description: str | None = None) -> Problem:
    """The Problem with its challenge (section 3); without `error` when the request carried no credentials at all."""
    challenge = f'Bearer realm="{REALM}"'
    if error:
        challenge += f', error="{error}", error_description="{description}"'
    return Problem("unauthorized", [(b"www-authenticate", challenge.encode("ascii"))], reason=description)
