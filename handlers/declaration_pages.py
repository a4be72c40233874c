"""Where the published contracts are read: by everybody, outside of any version of the API."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from db.engine import Database
from db.errors import Unavailable
from handlers.declarations import (
    MARKDOWN,
    MEDIA_TYPES,
    Declaration,
    Declarations,
    Representation,
    changelog_until,
    summary,
)
from handlers.governing import VERSIONS
from openapi import rfc9110
from openapi.exchange import JSON, encoded
from openapi.problems import Problem

HEADERS = {
    "access-control-allow-origin": "*",  # what renders contracts runs in browsers, and comes from anywhere
    "cache-control": "no-cache",  # a copy may be kept, if it is asked for again with its ETag
    "vary": "Accept",
    "x-content-type-options": "nosniff",
}

Published = Mapping[str, Declaration]
Give = Callable[[Request, Published], Representation]
"""From a request to what is answered; Problem if there is nothing to answer."""
Page = Callable[[Request, Declaration, Published], Representation]
"""Likewise, from the contract that the path names, too."""


def routes() -> list[Route]:
    """The list of the published contracts, and the pages of each."""
    declarations = Declarations()
    pages = {f"{VERSIONS}/{{version}}{path}": _of_version(page) for path, page in _PAGES.values()}
    return [Route(path, _endpoint(declarations, give)) for path, give in {VERSIONS: _list, **pages}.items()]


def _list(request: Request, published: Published) -> Representation:
    """Every version, with what became of it and where its pages are."""
    media_type = _acceptable(request, [JSON])
    told = [{**summary(one), "links": _links(version)} for version, one in published.items()]
    return Representation.of(media_type, encoded({"contracts": told}))


def _document(request: Request, declaration: Declaration, _published: Published) -> Representation:
    return declaration.representation(_acceptable(request, list(MEDIA_TYPES)))


def _card(request: Request, declaration: Declaration, _published: Published) -> Representation:
    return declaration.representation(_acceptable(request, [MARKDOWN]))


def _changelog(request: Request, declaration: Declaration, published: Published) -> Representation:
    _acceptable(request, [MARKDOWN])
    return changelog_until(declaration, published)


_PAGES: dict[str, tuple[str, Page]] = {
    "document": ("", _document),
    "card": ("/card", _card),
    "changelog": ("/changelog", _changelog),
}
"""By what the list calls it: where a page of a contract is, below the path of its version, and what gives it."""


def _links(version: str) -> dict[str, str]:
    return {name: f"{VERSIONS}/{version}{path}" for name, (path, _) in _PAGES.items()}


def _acceptable(request: Request, offers: list[str]) -> str:
    """The media type to answer with; Problem if the client accepts none of `offers`."""
    if media_type := rfc9110.preferred(request.scope, offers):
        return media_type
    raise Problem("not_acceptable", expected=", ".join(offers))


def _of_version(page: Page) -> Give:
    def give(request: Request, published: Published) -> Representation:
        declaration = published.get(request.path_params["version"])
        if declaration is None:  # a draft is not public: nothing tells it from what is not there
            raise Problem("contract_not_found")
        return page(request, declaration, published)

    return give


def _endpoint(declarations: Declarations, give: Give) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        """Answer one request; errors carry the same headers."""
        request.scope["state"]["headers"] = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
        database: Database = request.state.database
        try:
            published = await declarations.read(database)
        except Unavailable as error:
            raise Problem("contracts_unavailable", reason=str(error)) from None
        given = await declarations.made(partial(give, request, published))
        headers = {**HEADERS, "etag": f'"{given.etag}"'}
        if rfc9110.has(request.scope, given.etag):
            return Response(status_code=304, headers=headers)
        return Response(given.content, media_type=given.media_type, headers=headers)

    return endpoint
