"""Headers of a deprecated version: Deprecation (RFC 9745), Sunset (RFC 8594), successor Link (RFC 8288, RFC 5829)."""

from datetime import UTC, datetime
from email.utils import format_datetime

from openapi.problems import Headers


def headers(deprecated_at: datetime | None, sunset_at: datetime | None) -> Headers:
    """The Deprecation (RFC 9745 section 2.1) and Sunset (RFC 8594 section 3) headers of a version."""
    fields = []
    if deprecated_at is not None:
        fields.append((b"deprecation", b"@%d" % deprecated_at.timestamp()))
    if sunset_at is not None:
        fields.append((b"sunset", format_datetime(sunset_at.astimezone(UTC), usegmt=True).encode("ascii")))
    return fields


def successor(path: str) -> Headers:
    """The Link header (RFC 8288 section 3) to the next version, with the relation of RFC 5829 section 3.4."""
    return [(b"link", f'<{path}>; rel="successor-version"'.encode("ascii"))]
