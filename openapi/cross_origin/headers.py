"""The header fields by which a page of another origin may use the API (Fetch standard, "CORS protocol").

A browser sends the Origin of a page with each request to another origin, and shows the page a response only if that
names the origin. Before it sends a token it asks by a preflight, an OPTIONS request without one.
"""

from collections.abc import Iterable

from starlette.types import Scope

from openapi.problems import Headers
from openapi.standards.header_fields import field_values

ORIGIN = b"origin"
_ALLOW_ORIGIN, _EXPOSE = b"access-control-allow-origin", b"access-control-expose-headers"
_VARY = (b"vary", b"Origin")
_EXPOSED = (
    b"Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Idempotent-Replayed, Preference-Applied, "
    b"Contract-Version, WWW-Authenticate, Data-Epoch, Deprecation, Sunset, Link, Date"
)
_PREFLIGHT = (
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Content-Encoding, DPoP, Idempotency-Key, Prefer, X-Request-Id",
    ),
    (b"access-control-max-age", b"86400"),
)


def origin_of(scope: Scope) -> str:
    """The origin of the page that sends a request.

    Several Origin fields are joined, as RFC 9110 section 5.2 says: that is no page's origin.
    """
    return b", ".join(field_values(scope, ORIGIN)).strip(b" \t").decode("latin-1")


def readable_by(origin: str) -> Headers:
    """The headers that let pages of `origin` read a response."""
    return [(_ALLOW_ORIGIN, origin.encode("latin-1")), _VARY, (_EXPOSE, _EXPOSED)]


def unreadable(headers: Headers) -> Headers:
    """`headers` without those that let a page read the response."""
    return [field for field in headers if field[0] not in (_ALLOW_ORIGIN, _EXPOSE)]


def is_preflight(scope: Scope) -> bool:
    """True if a browser asks whether a page may send a request."""
    return scope["method"] == "OPTIONS" and bool(field_values(scope, b"access-control-request-method"))


def preflight(methods: Iterable[str]) -> Headers:
    """The headers of the response to a preflight: a page may use `methods` at this path."""
    allowed = ", ".join(sorted(methods)).encode("ascii")
    return [(b"access-control-allow-methods", allowed), *_PREFLIGHT]
