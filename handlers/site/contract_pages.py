"""The public pages of the published contracts, outside any version of the API."""

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import (
    MEDIA_TYPES,
    Publication,
    Publications,
    changelog_until,
    summary,
)
from handlers.paths import CONTRACTS
from handlers.site import client_pages
from handlers.site.changelog_feed import feed
from handlers.site.published_contracts import Published, named, origin, pair, read
from openapi.diff.reports.markdown_report import markdown_report
from openapi.rendering.representations import Give, Representation, acceptable, endpoint
from openapi.serving.messages import encoded
from openapi.standards.media_types import JSON, MARKDOWN, YAML

FEED = f"{CONTRACTS}/changelog.atom"
Select = Callable[[Request, Published], Representation]
"""From a request to its representation; Problem if absent."""
Page = Callable[[Request, Publication, Published], Representation]
"""From a request, and the contract that its path names, to its representation."""


def routes(publications: Publications) -> list[Route]:
    """The list of the published contracts, and the pages of each and of each pair."""
    pages = {f"{CONTRACTS}/{{version}}{path}": _of_version(page) for path, page in [*_PAGES.values(), *_FILES]}
    pages |= {f"{CONTRACTS}/{{old}}/diff/{{new}}": partial(_comparison, publications)}
    every = {CONTRACTS: _list, **pages}
    own = [Route(path, endpoint(_read(publications, select))) for path, select in every.items()]
    return [feed_route(publications), *own, *client_pages.routes(publications)]


def feed_route(publications: Publications) -> Route:
    """The feed of new versions: browsers get it, too."""
    return Route(FEED, endpoint(_read(publications, _feed)))


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


def _collection(request: Request, publication: Publication, _published: Published) -> Representation:
    return publication.packages.collection("collection", origin(request, publication))


def _http_file(request: Request, publication: Publication, _published: Published) -> Representation:
    return publication.packages.collection("http", origin(request, publication))


def _comparison(publications: Publications, request: Request, published: Published) -> Representation:
    report = publications.report(*pair(request, published))
    media_type = acceptable(request, [JSON, MARKDOWN])
    return Representation.of(
        media_type, (report.as_json_text() if media_type == JSON else markdown_report(report)).encode()
    )


def _feed(request: Request, published: Published) -> Representation:
    first = next(iter(published.values()), None)
    return feed(published, origin(request, first))


def _json(_request: Request, publication: Publication, _published: Published) -> Representation:
    return publication.representation(JSON)


def _yaml(_request: Request, publication: Publication, _published: Published) -> Representation:
    return publication.representation(YAML)


_PAGES: dict[str, tuple[str, Page]] = {
    "document": ("", _document),
    "card": ("/card", _card),
    "changelog": ("/changelog", _changelog),
    "collection": ("/collection", _collection),
    "http": ("/http", _http_file),
}
"""By the name of a page in the list: its path below that of its version, and the function that renders it."""


_FILES: tuple[tuple[str, Page], ...] = (("/openapi.json", _json), ("/openapi.yaml", _yaml))
"""The document by a path of its own, for links: they cannot say what they accept."""


def _links(version: str) -> dict[str, str]:
    paths = {**{name: path for name, (path, _) in _PAGES.items()}, "clients": client_pages.PATH}
    return {name: f"{CONTRACTS}/{version}{path}" for name, path in paths.items()}


def _of_version(page: Page) -> Select:
    def select(request: Request, published: Published) -> Representation:
        return page(request, named(request, published), published)

    return select


def _read(publications: Publications, select: Select) -> Give:
    async def give(request: Request) -> Representation:
        published = await read(request, publications)
        return await publications.build(partial(select, request, published))

    return give
