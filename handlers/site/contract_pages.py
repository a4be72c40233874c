"""The public pages of the published contracts, outside any version of the API."""

from collections.abc import Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from db.errors import Unavailable
from handlers.contracts.publications import (
    MEDIA_TYPES,
    Publication,
    Publications,
    changelog_until,
    summary,
)
from handlers.paths import CONTRACTS
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.rendering.representations import Give, Representation, acceptable, endpoint
from openapi.serving.messages import encoded
from openapi.standards.media_types import JSON, MARKDOWN

Published = Mapping[str, Publication]
Select = Callable[[Request, Published], Representation]
"""From a request to its representation; Problem if absent."""
Page = Callable[[Request, Publication, Published], Representation]
"""From a request, and the contract that its path names, to its representation."""


def routes(public_url: str = "") -> list[Route]:
    """The list of the published contracts, and the pages of each; with `public_url`, documents have absolute URLs."""
    publications = Publications(public_url)
    pages = {f"{CONTRACTS}/{{version}}{path}": _of_version(page) for path, page in _PAGES.values()}
    return [Route(path, endpoint(_read(publications, select))) for path, select in {CONTRACTS: _list, **pages}.items()]


def _list(request: Request, published: Published) -> Representation:
    """Every version, with its status, instants and links to its pages."""
    media_type = acceptable(request, [JSON])
    contracts = [{**summary(publication), "links": _links(version)} for version, publication in published.items()]
    return Representation.of(media_type, encoded({"contracts": contracts}))


def _document(request: Request, publication: Publication, _published: Published) -> Representation:
    return publication.representation(acceptable(request, list(MEDIA_TYPES)))


def _card(request: Request, publication: Publication, _published: Published) -> Representation:
    return publication.representation(acceptable(request, [MARKDOWN]))


def _changelog(request: Request, publication: Publication, published: Published) -> Representation:
    acceptable(request, [MARKDOWN])
    return changelog_until(publication, published)


_PAGES: dict[str, tuple[str, Page]] = {
    "document": ("", _document),
    "card": ("/card", _card),
    "changelog": ("/changelog", _changelog),
}
"""By the name of a page in the list: its path below that of its version, and the function that renders it."""


def _links(version: str) -> dict[str, str]:
    return {name: f"{CONTRACTS}/{version}{path}" for name, (path, _) in _PAGES.items()}


def _of_version(page: Page) -> Select:
    def select(request: Request, published: Published) -> Representation:
        publication = published.get(request.path_params["version"])
        if publication is None:  # a draft is not public: it looks absent
            raise Problem("contract_not_found")
        return page(request, publication, published)

    return select


def _read(publications: Publications, select: Select) -> Give:
    async def give(request: Request) -> Representation:
        try:
            published = await publications.read(service_state(request).database)
        except Unavailable as error:
            raise Problem("contracts_unavailable", reason=str(error)) from None
        return await publications.build(partial(select, request, published))

    return give
