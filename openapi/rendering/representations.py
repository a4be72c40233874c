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
    """A media type, the content in it, and the opaque part of its entity tag; a file to be saved has a name."""

    media_type: str
    content: bytes
    etag: str
    file_name: str = ""

    @classmethod
    def of(cls, media_type: str, content: bytes) -> "Representation":
        """A representation with a strong tag: only representations that are equal in every byte share a tag."""
        return cls(media_type, content, hashlib.sha256(media_type.encode() + b"\n" + content).hexdigest()[:32])

    @classmethod
    def of_file(cls, media_type: str, content: bytes, file_name: str) -> "Representation":
        """A file, whose tag is its SHA-256; `file_name` is ASCII without quotes."""
        return cls(media_type, content, hashlib.sha256(content).hexdigest(), file_name)


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
        return conditional(request, await give(request), headers)

    return endpoint


def conditional(request: Request, representation: Representation, headers: Mapping[str, str]) -> Response:
    """The response with the content of `representation`, or 304 if the client has it, and `headers`."""
    if negotiation.is_not_modified(request.scope, representation.etag):
        return Response(status_code=304, headers=_described(representation, headers))
    return response(representation, headers)


def response(representation: Representation, headers: Mapping[str, str]) -> Response:
    """The response with the content of `representation`, and `headers`."""
    described = _described(representation, headers)
    return Response(representation.content, media_type=representation.media_type, headers=described)


def _described(representation: Representation, headers: Mapping[str, str]) -> dict[str, str]:
    """`headers`, with the entity tag of `representation`, and its name if it is a file."""
    described = {**headers, "etag": f'"{representation.etag}"'}
    if representation.file_name:
        described["content-disposition"] = f'attachment; filename="{representation.file_name}"'
    return described
