"""The pages of the clients: what each version offers to install, and how to send with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import Publication, Publications
from handlers.pages.templates import HEADERS, html
from handlers.paths import CLIENTS, CONTRACTS
from handlers.portal.known_contracts import known, named
from handlers.portal.reliable_sender import ReliableSender, reliable_sender
from handlers.portal.served_versions import SERVED
from handlers.site.client_pages import PATH, listed
from handlers.site.published_contracts import origin
from openapi.problems import Problem
from openapi.rendering.representations import Give, Representation, endpoint

NAMES = {
    "python": "Python",
    "typescript": "TypeScript",
    "csharp": "C#",
    "php": "PHP",
    "swift6": "Swift 6",
}
"""The names of languages that are more than their word with a capital."""


@dataclass(frozen=True, slots=True)
class Client:
    """A client of one version. `reason` says why it cannot be had; without `install` there is nothing to download."""

    language: str
    status: str
    reason: str = ""
    help: str = ""
    install: str = ""
    path: str = ""
    file_name: str = ""
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class VersionClients:
    """The clients of a version; without any, `fault` says why. `path` is the version's own page."""

    number: str
    status: str
    path: str
    clients: list[Client] = field(default_factory=list[Client])
    sender: ReliableSender | None = None
    fault: str = ""
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class ClientOverview:
    """The page of all versions that are served, or of one version."""

    versions: list[VersionClients]
    is_stale: bool
    title: str = "Clients for your language"
    path: str = CLIENTS
    tab: str = CLIENTS


def routes(publications: Publications) -> list[Route]:
    """The page of all versions, and that of each."""
    return [
        Route(CLIENTS, endpoint(_all(publications), HEADERS)),
        Route(f"{CONTRACTS}/{{version}}{PATH}", endpoint(_one(publications), HEADERS)),
    ]


def _all(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        contracts = await known(request, publications)
        served = [each for each in contracts.published.values() if each.row.status in SERVED and each.contract]
        versions = [await _version(request, publications, each) for each in reversed(served)]
        return html("client_overview.html", ClientOverview(versions, contracts.is_stale))

    return give


def _one(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        """Problem if the version is not there, or has no clients because it is retired."""
        contracts = await known(request, publications)
        publication = named(contracts.published, request.path_params["version"])
        version = await _version(request, publications, publication)
        title = f"Clients of version {version.number}"
        return html("client_overview.html", ClientOverview([version], contracts.is_stale, title, version.path))

    return give


async def _version(request: Request, publications: Publications, publication: Publication) -> VersionClients:
    """What a version offers; Problem if it is retired, or cannot be read."""
    packages, number, status = publication.packages, publication.row.contract_version, publication.row.status
    url = origin(request, publication)
    path = f"{CONTRACTS}/{number}{PATH}"
    sender, is_complete = reliable_sender(packages.contract, url), True
    try:
        entries = await listed(request, publications, publication)
    except Problem as problem:
        if problem.code != "contracts_unavailable":
            return VersionClients(number, status, path, fault=f"{problem.error}. {problem.help}")
        is_complete = False
        entries = await publications.build(lambda: packages.listed(url + path))
    return VersionClients(number, status, path, [_client(each, path) for each in entries], sender, "", is_complete)


def _client(entry: Mapping[str, Any], path: str) -> Client:
    """The client of an entry in the list of a version, whose files are below `path`."""
    language, status = entry["language"], entry["status"].replace("_", " ")
    return Client(
        NAMES.get(language, language.capitalize()),
        status,
        entry.get("reason", ""),
        entry.get("help", ""),
        entry.get("install", ""),
        f"{path}/{entry['file_name']}" if status == "ready" else "",
        entry.get("file_name", ""),
        entry.get("bytes", 0),
        entry.get("sha256", ""),
    )
