"""The page of the status: whether the service works, which versions it serves, and since when."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import Publications
from handlers.pages.templates import HEADERS, html
from handlers.paths import STATUS
from handlers.portal.known_contracts import known
from handlers.portal.served_versions import SERVED, ServedVersion
from handlers.site import health
from handlers.site.published_contracts import Published
from handlers.site.service_state import service_state
from openapi.contract import Contract
from openapi.problems import Problem
from openapi.rendering.representations import Give, Representation, endpoint

DISTRIBUTION = "interaction-reporting"
WORKS = (
    "The service works",
    "It stores what hubs send and answers what they ask.",
)
_STORED_LATER = "Events get 503 with Retry-After: send them again, as the outbox of a client does by itself."
FAULTS: Mapping[health.About, tuple[str, str]] = {
    "database": (
        "The database is away",
        f"{_STORED_LATER} What got 201 is stored. The service goes on when the database is back.",
    ),
    "registry": (
        "Hubs have to wait",
        "The registry of names is some seconds old. Requests get 503 with Retry-After: send them again.",
    ),
    "read_only": ("Nothing can be stored now", f"The database takes no writes. {_STORED_LATER}"),
    "replicas": ("Nothing can be stored now", f"The database takes no writes. {_STORED_LATER}"),
    "partitions": ("Nothing can be stored now", f"The database has no place for new rows. {_STORED_LATER}"),
    "writer": ("Not everything can be stored now", f"The database refuses new rows. {_STORED_LATER}"),
    "draining": (
        "This worker is about to stop",
        "It answers the requests that it has. Other workers take new ones, or the service after its next start.",
    ),
}
"""By what a worker lacks: a title, and what it means for hubs; the worst first."""
READS_NOTHING = frozenset({"database", "registry"})
STORES_NOTHING = frozenset(FAULTS) - {"draining"}


@dataclass(frozen=True, slots=True)
class Ability:
    """What hubs and people do here, whether they can do it now, and how that shows."""

    name: str
    works: bool
    words: str


@dataclass(frozen=True, slots=True)
class Status:
    """The page. `faults` are further sentences like `lede`."""

    title: str
    lede: str
    faults: list[str]
    is_stale: bool
    release: str
    started_at: datetime
    abilities: list[Ability]
    versions: list[ServedVersion]
    tab: str = STATUS


def routes(publications: Publications) -> list[Route]:
    """The page."""
    return [Route(STATUS, endpoint(_give(publications), HEADERS))]


def _give(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        """The page, also without a database."""
        state = service_state(request)
        about = _faults((await health.readiness(request)).reasons)
        published, is_stale = await _published(request, publications, about)
        (title, lede), *others = [words for fault, words in FAULTS.items() if fault in about] or [WORKS]
        versions = [_served(contract, published) for contract in state.serving.contracts]
        faults = [words for _, words in others if words != lede]
        page = Status(
            title,
            lede,
            faults,
            is_stale,
            version(DISTRIBUTION),
            state.started_at,
            _abilities(about),
            versions,
        )
        return html("status.html", page)

    return give


def _faults(reasons: Iterable[health.Reason]) -> set[health.About]:
    """The subjects of `reasons`. Without a database most others follow from that, and are left out."""
    about = {reason.about for reason in reasons}
    return about - (STORES_NOTHING - {"database"}) if "database" in about else about


async def _published(
    request: Request, publications: Publications, about: Collection[health.About]
) -> tuple[Published, bool]:
    """The rows, and whether they are from before the database was lost; it is not asked again if it is away."""
    if "database" in about:
        return publications.last, True
    try:
        contracts = await known(request, publications)
    except Problem:
        return publications.last, True
    return contracts.published, contracts.is_stale


def _served(contract: Contract, published: Published) -> ServedVersion:
    publication = published.get(contract.version)
    is_known = publication is not None and publication.row.status in SERVED
    return ServedVersion.of(contract, publication.row if publication and is_known else None)


def _abilities(about: Collection[health.About]) -> list[Ability]:
    """What can be done in spite of the faults in `about`, and what cannot."""
    stores, reads, has_database = (
        STORES_NOTHING.isdisjoint(about),
        READS_NOTHING.isdisjoint(about),
        "database" not in about,
    )
    refused = "Refused with 503 and Retry-After."
    return [
        Ability("Events, annotations, manifests", stores, "Stored before they are answered." if stores else refused),
        Ability("Lists, exports, usage", reads, "Answered with all that is stored." if reads else refused),
        Ability("Access tokens", reads, "Issued." if reads else refused),
        Ability(
            "Documents of contracts, clients",
            has_database,
            "As they are now." if has_database else "Refused with 503; pages show what was known before.",
        ),
        Ability("Problems, this page", True, "From memory, whatever happens to the database."),
    ]
