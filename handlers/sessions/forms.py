"""The forms of pages: urlencoded, from our own pages only."""

import asyncio
import hmac
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from handlers.pages.page_problems import PageRefusal
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.requests.content import Content
from openapi.standards.media_types import FORM

MOST_BYTES, MOST_FIELDS = 64 * 1024, 100
SECONDS = 10.0
"""A form must arrive within this time."""
TOKEN = "token"  # noqa: S105 (the name of the field)
"""The field with the token of the session."""


class Form:
    """The fields of a form, in order."""

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        self._pairs = pairs

    def text(self, name: str) -> str:
        """The field `name`, with line feeds as line ends, and without blanks around it; empty if absent."""
        return next((value.replace("\r\n", "\n").strip() for key, value in self._pairs if key == name), "")

    def secret(self, name: str) -> str:
        """The field `name` as it was typed; empty if absent."""
        return next((value for key, value in self._pairs if key == name), "")

    def every(self, name: str) -> list[str]:
        """Each value of the field `name`, as of boxes that were ticked."""
        return [value for key, value in self._pairs if key == name]


async def read(request: Request, token: str, limit: int = MOST_BYTES) -> Form:
    """The form in a request; a PageRefusal unless a page of this service sent it that knows `token`.

    It may have `limit` bytes.
    """
    _require_own_origin(request)
    form = await _form(request, limit)
    if not hmac.compare_digest(form.text(TOKEN).encode(), token.encode()):
        raise _outdated(request)
    return form


def _require_own_origin(request: Request) -> None:
    """PageRefusal unless the browser says that the form is from this service (Fetch Standard, Origin header)."""
    origin, public_url = request.headers.get("origin", ""), service_state(request).authorization_server.public_url
    host = _host(origin)
    site = request.headers.get("sec-fetch-site", "same-origin")
    if not host or site != "same-origin" or (host != request.headers.get("host") and origin != public_url):
        raise PageRefusal(
            403,
            "form_of_another_origin",
            "This form is not from this service",
            "Nothing was changed. Your browser says that a page of another address sent it, or it does not say whose "
            "page it was. Open the page here, and send its form.",
            {request.url.path: "Open the page"},
        )


def _host(origin: str) -> str:
    """The host and port of an origin; empty if it is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


async def _form(request: Request, limit: int) -> Form:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise PageRefusal(
            415, "unsupported_media_type", "This is not a form", f"Nothing was changed. A form is {FORM}."
        )
    try:
        content = await Content(request.scope, request.receive, frozenset()).whole(limit, SECONDS)
    except Problem as problem:
        if problem.status != 413:
            raise
        too_large = f"Nothing was changed. A form may have {limit // 1024:,} KiB. Shorten what you typed."
        raise PageRefusal(
            413, problem.code, "This form is too large", too_large, {request.url.path: "Begin again"}
        ) from None
    try:
        if len(content) > MOST_BYTES:  # decoding it takes a while
            return await asyncio.to_thread(_decoded, content)
        return _decoded(content)
    except ValueError:
        malformed = f"Nothing was changed. A form is percent-encoded UTF-8, and has at most {MOST_FIELDS} fields."
        raise PageRefusal(
            400, "malformed_form", "This form cannot be read", malformed, {request.url.path: "Begin again"}
        ) from None


def _decoded(content: bytes) -> Form:
    """The form in `content`; ValueError if it is malformed."""
    return Form(parse_qsl(content.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS))


def _outdated(request: Request) -> PageRefusal:
    return PageRefusal(
        403,
        "form_outdated",
        "The page was old",
        "Nothing was changed. The form is from before you signed in, or from another session. Open the page again, and "
        "send the form once more.",
        {request.url.path: "Open the page again"},
    )
