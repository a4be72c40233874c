"""The first page: what the service is, which versions it serves until when, and how to report a first event."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import Publication, Publications
from handlers.pages.templates import HEADERS, html
from handlers.paths import HOME
from handlers.portal.first_event import FirstEvent, first_event
from handlers.portal.known_contracts import Known, known
from handlers.portal.served_versions import SERVED, ServedVersion
from handlers.site.published_contracts import origin
from openapi.rendering.problem_pages import described, heading
from openapi.rendering.representations import Give, Representation, endpoint

FIRST_REFUSALS = ("event_type_not_registered", "widget_not_registered", "invalid_body", "too_many_requests")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem that new hubs meet."""

    path: str
    title: str
    status: int
    error: str
    help: str


@dataclass(frozen=True, slots=True)
class Home:
    """The page. `is_stale` is True if it is from before the database was lost."""

    versions: list[ServedVersion]
    first_events: list[FirstEvent]
    refusals: list[Refusal]
    is_stale: bool
    title: str = "Report what happens at your widgets"
    tab: str = HOME


def routes(publications: Publications) -> list[Route]:
    """The page."""
    return [Route(HOME, endpoint(_give(publications), HEADERS))]


def _give(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        contracts = await known(request, publications)
        return await publications.build(partial(_page, request, contracts))

    return give


def _page(request: Request, contracts: Known) -> Representation:
    versions = [
        ServedVersion.of(each.contract, each.row)
        for each in reversed(list(contracts.published.values()))
        if each.row.status in SERVED and each.contract
    ]
    firsts = [first for each in contracts.ways if (first := _first_event(request, each))]
    codes = [*(first.refusal for first in firsts), *FIRST_REFUSALS]
    return html("home.html", Home(versions, firsts, list(map(_refusal, codes)), contracts.is_stale))


def _first_event(request: Request, publication: Publication) -> FirstEvent | None:
    if publication.contract is None:
        return None
    return first_event(publication.contract, publication.packages, origin(request, publication))


def _refusal(code: str) -> Refusal:
    told = described(code)
    return Refusal(told["type"], heading(code), told["status"], told["detail"], told["help"])
