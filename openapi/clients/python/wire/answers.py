"""An answer as it arrived, and what it means: a value, or one of the errors."""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from openapi.clients.python.errors import KINDS, ApiError, Outage, ServerError, UnexpectedAnswer
from openapi.clients.python.narrowed import as_object

SHOWN_BYTES = 500
MAX_PAUSE = 3600.0
"""Seconds: a `Retry-After` that is longer, or a date that the clocks of two machines make longer, counts as this."""
TRANSIENT = {408, 425, 429, 500, 502, 503, 504}
"""Statuses after which the same request may succeed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, header fields by lower-case names, and the body without its coding."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait (RFC 9110 section 10.2.3), at most an hour; None without a header that can be read."""
        return seconds(self.headers.get("retry-after", ""))

    @property
    def json(self) -> Any:
        """The value of the body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def seconds(text: str) -> float | None:
    """The seconds that a `Retry-After` names, from 0 to an hour; None if it cannot be read."""
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_PAUSE)
    date = date_of(text)
    return None if date is None else min(max((date - datetime.now(UTC)).total_seconds(), 0.0), MAX_PAUSE)


def date_of(text: str) -> datetime | None:
    """The date in a header field (RFC 9110 section 5.6.7); None if it cannot be read."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def value(answer: Answer) -> Any:
    """The JSON value of a success; raises ApiError, UnexpectedAnswer or Outage for everything else."""
    if 200 <= answer.status < 300:
        result = None if answer.status == 204 else answer.json
        if result is None and answer.status != 204:
            raise unexpected(answer)
        return result
    raise failure(answer)


def failure(answer: Answer) -> ApiError | UnexpectedAnswer:
    """The error of an answer that is no success."""
    body = as_object(answer.json) if answer.status >= 400 else None
    if not body or not is_ours(body):
        return unexpected(answer)
    kind = KINDS.get(answer.status, ServerError if answer.status >= 500 else ApiError)
    body = {"help": _challenge(answer), **body}
    return kind(answer.status, body, answer.headers.get("x-request-id", ""), answer.retry_after)


def _challenge(answer: Answer) -> str:
    """What `WWW-Authenticate` (RFC 6750 section 3) says of the credentials; empty without it."""
    described = re.search(r'error_description="([^"]*)"', answer.headers.get("www-authenticate", ""))
    return described[1] if described else ""


def is_ours(body: Mapping[str, Any]) -> bool:
    """True for an error in the style of the service: problem details (RFC 9457), `error` in words, or results."""
    return (
        (isinstance(body.get("type"), str) and isinstance(body.get("title"), str))
        or isinstance(body.get("error"), str)
        or isinstance(body.get("results"), list)
    )


def unexpected(answer: Answer) -> UnexpectedAnswer:
    """The error of an answer that is not in the style of the service."""
    text = answer.body[:SHOWN_BYTES].decode("utf-8", "replace")
    kind = Outage if answer.status in TRANSIENT else UnexpectedAnswer
    return kind(answer.status, text, answer.retry_after)


def decoded(body: bytes, coding: str, most: int) -> bytes:
    """`body` without its coding, at most `most` bytes; Outage if it is cut off, longer, or in an unknown coding."""
    if coding in {"", "identity"}:
        return body
    if coding not in {"gzip", "x-gzip"}:
        raise Outage(0, f"the answer has the unknown Content-Encoding {coding[:40]!r}")
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        result = inflate.decompress(body, most)
    except zlib.error:
        raise Outage(0, "the answer is not gzip, although its Content-Encoding says so") from None
    if not inflate.eof:
        raise Outage(0, "the compressed answer is cut off, or too long")
    return result
