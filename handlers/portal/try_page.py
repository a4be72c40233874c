"""A page that sends requests to a version, by Swagger UI: what is sent is a dry run, unless the reader ends that."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import Publication, Publications
from handlers.pages import assets, swagger_ui
from handlers.pages.templates import HEADERS, POLICY, html
from handlers.paths import CONTRACTS
from handlers.portal.contract_pages import Version
from handlers.portal.known_contracts import known, named
from openapi.contract import Contract
from openapi.cross_origin.origins import origin_of_url
from openapi.problems import Problem
from openapi.rendering.representations import Give, Representation, endpoint

PATH = f"{CONTRACTS}/{{version}}/try"
_HEADERS = {**HEADERS, "content-security-policy": POLICY.replace("img-src 'self'", "img-src 'self' data:")}
"""Those of every page; the style of Swagger UI has its pictures in itself."""
_DRY_RUN = "prefer"
"""The name of the header that asks for a dry run, in lower case."""


@dataclass(frozen=True, slots=True)
class TryPage:
    """The page of a version: `missing` is a package, `others` are the versions that can be tried, at `origin` alone."""

    version: Version
    others: list[str]
    server_path: str
    by_client: bool
    has_dry_run: bool
    missing: str
    origin: str
    title: str
    extra: str = swagger_ui.EXTRA
    tab: str = CONTRACTS


def routes(publications: Publications, public_url: str) -> list[Route]:
    """The page of each version; the service takes requests from its pages at `public_url` alone."""
    return [Route(PATH, endpoint(_give(publications, origin_of_url(public_url) or ""), _HEADERS))]


def _give(publications: Publications, origin: str) -> Give:
    async def give(request: Request) -> Representation:
        published = (await known(request, publications)).published
        return html("try.html", _page(named(published, request.path_params["version"]), published, origin))

    return give


def _page(publication: Publication, published: Mapping[str, Publication], origin: str) -> TryPage:
    """The page; Problem if the row holds no contract."""
    if (contract := publication.contract) is None:
        raise Problem("contract_unreadable", reason=publication.fault)
    versions = [Version.of(each, published) for each in reversed(list(published.values()))]
    return TryPage(
        version=Version.of(publication, published),
        others=[each.number for each in versions if each.is_served],
        server_path=contract.server_path,
        by_client=bool(contract.scopes),
        has_dry_run=_has_dry_run(contract),
        missing="" if assets.has(swagger_ui.BUNDLE) else swagger_ui.PACKAGE,
        origin=origin,
        title=f"Try version {contract.version}",
    )


def _has_dry_run(contract: Contract) -> bool:
    """True if an operation takes the preference for a dry run."""
    return any(
        parameter["in"] == "header" and parameter["name"].lower() == _DRY_RUN
        for operation in contract.operations
        for parameter in contract.parameters(operation.pointer)
    )
