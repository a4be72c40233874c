"""How answers tell that a version of an API ends: Deprecation (RFC 9745), Sunset (RFC 8594) and what comes after it."""

from datetime import UTC, datetime
from email.utils import format_datetime

from openapi.problems import Headers


def headers(deprecated_at: datetime | None, sunset_at: datetime | None) -> Headers:
    """Since when a version is deprecated (RFC 9745 section 2.1), and when it ends (RFC 8594 section 3)."""
    found = []
    if deprecated_at is not None:
        found.append((b"deprecation", b"@%d" % deprecated_at.timestamp()))
    if sunset_at is not None:
        found.append((b"sunset", format_datetime(sunset_at.astimezone(UTC), usegmt=True).encode("ascii")))
    return found


def successor(path: str) -> Headers:
    """Where the next version is (RFC 8288, RFC 5829 section 3.4)."""
    return [(b"link", f'<{path}>; rel="successor-version"'.encode("ascii"))]
