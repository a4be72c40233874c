"""Public documents outside all versions of the API: negotiated by media type, and revalidated by entity tag."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from openapi.problems import Problem
from openapi.serving.request_state import request_state
from openapi.standards import negotiation

HEADERS: Mapping[str, str] = {
    "access-control-allow-origin": "*",  # tools that render contracts run in browsers, from any origin
    "cache-control": "no-cache",  # a cached copy must be revalidated with its ETag
    "vary": "Accept",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Representation:
    """A media type, the content in it, and the opaque part of its entity tag."""

    media_type: str
    content: bytes
    etag: str

    @classmethod
    def of(cls, media_type: str, content: bytes) -> "Representation":
        """A representation with a strong tag: only representations that are equal in every byte share a tag."""
        return cls(media_type, content, hashlib.sha256(media_type.encode() + b"\n" + content).hexdigest()[:32])


Give = Callable[[Request], Awaitable[Representation]]
"""Returns the representation for a request; raises Problem if absent."""


def acceptable(request: Request, offers: Sequence[str]) -> str:
    """The media type of the response; raises Problem if the client accepts none of `offers`."""
    if media_type := negotiation.preferred(request.scope, offers):
        return media_type
    raise Problem("not_acceptable", expected=", ".join(offers))


def endpoint(give: Give, headers: Mapping[str, str] = HEADERS) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that sends the result of `give`, or 304 if the client has it; errors carry the same `headers`."""

    async def endpoint(request: Request) -> Response:
        request_state(request.scope).headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        representation = await give(request)
        tagged = {**headers, "etag": f'"{representation.etag}"'}
        if negotiation.is_not_modified(request.scope, representation.etag):
            return Response(status_code=304, headers=tagged)
        return Response(representation.content, media_type=representation.media_type, headers=tagged)

    return endpoint
