"""The published contracts, which anyone may read outside of any version of the API."""

from collections.abc import Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from db.errors import Unavailable
from handlers.contracts.publications import (
    MEDIA_TYPES,
    Declaration,
    Declarations,
    changelog_until,
    summary,
)
from handlers.paths import CONTRACTS
from handlers.site.service_state import service_state
from openapi.problems import Problem
from openapi.rendering.representations import Give, Representation, acceptable, endpoint
from openapi.serving.messages import encoded
from openapi.standards.media_types import JSON, MARKDOWN

Published = Mapping[str, Declaration]
Select = Callable[[Request, Published], Representation]
"""From a request to what is answered; Problem if there is nothing to answer."""
Page = Callable[[Request, Declaration, Published], Representation]
"""From a request and the contract that its path names to what is answered."""


def routes() -> list[Route]:
    """The list of the published contracts, and the pages of each."""
    declarations = Declarations()
    pages = {f"{CONTRACTS}/{{version}}{path}": _of_version(page) for path, page in _PAGES.values()}
    return [Route(path, endpoint(_read(declarations, select))) for path, select in {CONTRACTS: _list, **pages}.items()]


def _list(request: Request, published: Published) -> Representation:
    """Every version, with what became of it and where its pages are."""
    media_type = acceptable(request, [JSON])
    contracts = [{**summary(declaration), "links": _links(version)} for version, declaration in published.items()]
    return Representation.of(media_type, encoded({"contracts": contracts}))


def _document(request: Request, declaration: Declaration, _published: Published) -> Representation:
    return declaration.representation(acceptable(request, list(MEDIA_TYPES)))


def _card(request: Request, declaration: Declaration, _published: Published) -> Representation:
    return declaration.representation(acceptable(request, [MARKDOWN]))


def _changelog(request: Request, declaration: Declaration, published: Published) -> Representation:
    acceptable(request, [MARKDOWN])
    return changelog_until(declaration, published)


_PAGES: dict[str, tuple[str, Page]] = {
    "document": ("", _document),
    "card": ("/card", _card),
    "changelog": ("/changelog", _changelog),
}
"""By what the list calls it: where a page of a contract is, below the path of its version, and what gives it."""


def _links(version: str) -> dict[str, str]:
    return {name: f"{CONTRACTS}/{version}{path}" for name, (path, _) in _PAGES.items()}


def _of_version(page: Page) -> Select:
    def select(request: Request, published: Published) -> Representation:
        declaration = published.get(request.path_params["version"])
        if declaration is None:  # a draft is not public: nothing tells it from what is not there
            raise Problem("contract_not_found")
        return page(request, declaration, published)

    return select


def _read(declarations: Declarations, select: Select) -> Give:
    async def give(request: Request) -> Representation:
        try:
            published = await declarations.read(service_state(request).database)
        except Unavailable as error:
            raise Problem("contracts_unavailable", reason=str(error)) from None
        return await declarations.made(partial(select, request, published))

    return give
