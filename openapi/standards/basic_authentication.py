"""The Basic scheme of HTTP authentication (RFC 7617): the credentials of a request, and the challenge."""

import re
from base64 import b64decode

from starlette.types import Scope

from openapi.problems import Headers
from openapi.standards.header_fields import field_values

_CREDENTIALS = re.compile(rb"basic +([A-Za-z0-9+/]+=*)", re.IGNORECASE)


def encoded_credentials(scope: Scope) -> bytes | None:
    """The Base64 of user-id, colon and password (section 2); None unless the only Authorization header is Basic."""
    values = field_values(scope, b"authorization")
    match = _CREDENTIALS.fullmatch(values[0].strip()) if len(values) == 1 else None
    return match and match[1]


def password(scope: Scope) -> bytes | None:
    """The password in a request, whatever the user; None if absent or malformed."""
    try:
        _, colon, value = b64decode(encoded_credentials(scope) or b"").partition(b":")
    except ValueError:
        return None
    return value if colon else None


def challenge(realm: str) -> Headers:
    """The WWW-Authenticate header (section 2), with the charset UTF-8 (section 2.1)."""
    return [(b"www-authenticate", f'Basic realm="{realm}", charset="UTF-8"'.encode("ascii"))]
