"""The published contracts for pages that go on while the database is away."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request

from handlers.contracts.publications import Publication, Publications
from handlers.pages.page_problems import PageProblem
from handlers.paths import CONTRACTS
from handlers.portal.served_versions import SERVED
from handlers.site.published_contracts import Published, read
from openapi.problems import Problem

PATIENCE_SECONDS = 1.0
"""How long a page waits for a database that may be silent, if it knows the contracts as they were before."""


@dataclass(frozen=True, slots=True)
class Known:
    """The contracts by version, and whether they are from before the database was lost."""

    published: Published
    is_stale: bool

    @property
    def ways(self) -> list[Publication]:
        """The version to take with each kind of credentials: the newest that is active, else the newest that is served.

        Active ones come first, then newer ones.
        """
        served = [
            each for each in reversed(list(self.published.values())) if each.row.status in SERVED and each.contract
        ]
        by_kind: dict[bool, Publication] = {}
        for each in sorted(served, key=lambda publication: publication.row.status != "active"):
            by_kind.setdefault(bool(each.contract and each.contract.scopes), each)
        return list(by_kind.values())


async def known(request: Request, publications: Publications) -> Known:
    """The contracts as they are now; if the database does not answer at once, as they were read last, if they were."""
    if not publications.last:
        return Known(await read(request, publications), is_stale=False)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return Known(await read(request, publications), is_stale=False)
    except (Problem, TimeoutError):
        return Known(publications.last, is_stale=True)


def named(published: Published, version: str) -> Publication:
    """The contract of `version`; a problem whose page leads to all others if absent."""
    if publication := published.get(version):
        return publication
    links = {f"{CONTRACTS}/{number}": f"Version {number}" for number in reversed(list(published))}
    raise PageProblem("contract_not_found", "There is no such version", "These versions are published.", links)
