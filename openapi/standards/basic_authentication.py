"""The scheme Basic of HTTP authentication (RFC 7617): the password of a request, and the challenge for one."""

import re
from base64 import b64decode

from starlette.types import Scope

from openapi.problems import Headers
from openapi.standards.header_fields import field_values

_CREDENTIALS = re.compile(rb"basic +([A-Za-z0-9+/]+=*)", re.IGNORECASE)


def password(scope: Scope) -> bytes | None:
    """The password in the one Authorization header of a request (section 2), of whatever user; None if it has none."""
    values = field_values(scope, b"authorization")
    match = _CREDENTIALS.fullmatch(values[0].strip()) if len(values) == 1 else None
    if match is None:
        return None
    try:
        _, colon, found = b64decode(match[1]).partition(b":")
    except ValueError:
        return None
    return found if colon else None


def challenge(realm: str) -> Headers:
    """How to authenticate (section 2), in UTF-8 (section 2.1)."""
    return [(b"www-authenticate", f'Basic realm="{realm}", charset="UTF-8"'.encode("ascii"))]
