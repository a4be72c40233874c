"""Request fields (RFC 9110): the representations that a client prefers (Accept, Accept-Encoding) and has."""

from collections.abc import Sequence

from starlette.types import Scope
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header, parse_etags

from openapi.standards.header_fields import field_values

LONGEST = 1000
"""The most characters of a field: a longer one is ignored (sections 12.5.1 and 13.1.2)."""


def preferred(scope: Scope, offers: Sequence[str]) -> str | None:
    """The media type of `offers` that the Accept field of a request prefers (section 12.5.1); None if it accepts none.

    The earlier offer wins a tie; without the field the first offer wins. Each media type has one representation, so a
    range's parameters are ignored except its weight. A malformed range is ignored.
    """
    field = _field(scope, b"accept")
    if not field.strip(" \t,"):
        return offers[0]
    ranges = [
        (media_range.partition(";")[0].strip(" \t"), weight) for media_range, weight in parse_accept_header(field)
    ]
    return MIMEAccept(ranges).best_match(offers)


def accepts_gzip(scope: Scope) -> bool:
    """True if the Accept-Encoding field of a request names gzip, or its former name, as acceptable (section 12.5.3)."""
    return any(
        coding.partition(";")[0].strip(" \t").lower() in ("gzip", "x-gzip") and weight > 0
        for coding, weight in parse_accept_header(_field(scope, b"accept-encoding"))
    )


def is_not_modified(scope: Scope, etag: str) -> bool:
    """True if the If-None-Match field of a request names `etag`, the opaque part of an existing entity tag.

    The comparison is weak (section 13.1.2).
    """
    return parse_etags(_field(scope, b"if-none-match").strip(" \t")).contains_weak(etag)


def _field(scope: Scope, name: bytes) -> str:
    """The lines of a field, joined (section 5.2); empty if longer than `LONGEST`."""
    value = b", ".join(field_values(scope, name))
    return value.decode("latin-1") if len(value) <= LONGEST else ""
