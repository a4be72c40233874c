"""The headers that announce the end of a version."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from openapi.problems import Headers
from openapi.standards import deprecation

INSTANT = datetime(2026, 3, 31, 12, 0, 0, 999_999, UTC)


@pytest.mark.parametrize(
    ("deprecated_at", "sunset_at", "fields"),
    [
        (None, None, []),
        (INSTANT, None, [(b"deprecation", b"@1774958400")]),
        (None, INSTANT, [(b"sunset", b"Tue, 31 Mar 2026 12:00:00 GMT")]),
        (
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 30, 1, tzinfo=timezone(timedelta(hours=2))),
            [(b"deprecation", b"@0"), (b"sunset", b"Wed, 29 Dec 9999 23:00:00 GMT")],
        ),
    ],
    ids=["neither", "deprecated", "sunset", "far"],
)
def test_instants_are_written_as_the_standards_say(
    deprecated_at: datetime | None, sunset_at: datetime | None, fields: Headers
) -> None:
    """Deprecation is a Structured Field date (RFC 9651 section 3.3.7), Sunset an HTTP-date in GMT (RFC 9110)."""
    assert deprecation.headers(deprecated_at, sunset_at) == fields


def test_the_successor_is_a_link() -> None:
    """Its target is a path on the same service."""
    assert deprecation.successor("/api/v2") == [(b"link", b'</api/v2>; rel="successor-version"')]
