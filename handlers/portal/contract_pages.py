"""The contracts for people: which there are, and what each of them promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from weakref import WeakKeyDictionary

from markupsafe import Markup
from starlette.requests import Request
from starlette.routing import Route

from handlers.contracts.publications import Publication, Publications, changelog_until, followed, instants
from handlers.pages.templates import HEADERS, html
from handlers.paths import CONTRACTS
from handlers.portal.known_contracts import known, named
from handlers.portal.served_versions import SERVED
from openapi.contract import ContractError
from openapi.problems import Problem
from openapi.rendering import marked_text
from openapi.rendering.card import INSTANTS
from openapi.rendering.reference import Reference, reference
from openapi.rendering.representations import Give, Representation, endpoint
from openapi.standards.media_types import MARKDOWN


@dataclass(frozen=True, slots=True)
class Version:
    """A published version: its instants, past and planned, by their words; `fault` says why it cannot be read.

    `previous` is the version that its changelog follows.
    """

    number: str
    status: str
    instants: dict[str, datetime]
    fault: str | None
    previous: str | None

    @property
    def is_served(self) -> bool:
        """True if requests to its address are its own."""
        return self.status in SERVED and self.fault is None

    @classmethod
    def of(cls, publication: Publication, published: Mapping[str, Publication]) -> "Version":
        """The version of `publication`, next to all that are `published`."""
        at = {INSTANTS[name]: instant for name, instant in instants(publication.row).items() if instant}
        row, before = publication.row, followed(publication, published) if publication.contract else None
        previous = before.row.contract_version if before else None
        return cls(row.contract_version, row.status, at, publication.fault, previous)


@dataclass(frozen=True, slots=True)
class Versions:
    """The page of all versions, newest first, apart from those that are `withdrawn`."""

    versions: list[Version]
    withdrawn: list[Version]
    is_stale: bool
    title: str = "Contracts"
    tab: str = CONTRACTS


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """The page of one version."""

    version: Version
    reference: Reference
    title: str
    tab: str = CONTRACTS


@dataclass(frozen=True, slots=True)
class TextPage:
    """A page that is one text. `compared` is the version before, for a link to the changes by operation."""

    version: Version
    text: Markup
    title: str
    compared: str | None = None
    tab: str = CONTRACTS


Make = Callable[[Publication, Mapping[str, Publication]], Representation]
"""From a version, and all others by number, to its page."""
Rows = tuple[tuple[str, str, str], ...]
"""The version, the status and the digest of each row."""


class _Made:
    """One page of each version, made once for the rows that it is made of."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Publication, tuple[Rows, Representation]] = WeakKeyDictionary()

    def kept(self, publication: Publication, published: Mapping[str, Publication]) -> Representation | None:
        """The page, if it is made."""
        rows, page = self._made.get(publication, (None, None))
        return page if rows == _rows(published) else None

    def page(self, publication: Publication, published: Mapping[str, Publication]) -> Representation:
        """The page; Problem if the row holds no contract."""
        if (page := self.kept(publication, published)) is None:
            page = self._make(publication, published)
            self._made[publication] = _rows(published), page
        return page


def _rows(published: Mapping[str, Publication]) -> Rows:
    return tuple((version, each.row.status, each.row.digest) for version, each in published.items())


def routes(publications: Publications) -> list[Route]:
    """The list, and the pages of each version."""
    pages: dict[str, Make] = {"": _reference, "/card": _card, "/changelog": _changelog}
    return [
        Route(CONTRACTS, endpoint(_list(publications), HEADERS)),
        *(
            Route(f"{CONTRACTS}/{{version}}{path}", endpoint(_of_version(publications, _Made(make)), HEADERS))
            for path, make in pages.items()
        ),
    ]


def _list(publications: Publications) -> Give:
    async def give(request: Request) -> Representation:
        contracts = await known(request, publications)
        versions = [Version.of(each, contracts.published) for each in reversed(list(contracts.published.values()))]
        kept = [each for each in versions if each.status != "withdrawn"]
        withdrawn = [each for each in versions if each.status == "withdrawn"]
        return html("contracts.html", Versions(kept, withdrawn, contracts.is_stale))

    return give


def _of_version(publications: Publications, pages: _Made) -> Give:
    async def give(request: Request) -> Representation:
        """The page; one that is made does not wait for those that are being made."""
        published = (await known(request, publications)).published
        publication = named(published, request.path_params["version"])
        if kept := pages.kept(publication, published):
            return kept
        return await publications.build(partial(pages.page, publication, published))

    return give


def _reference(publication: Publication, published: Mapping[str, Publication]) -> Representation:
    version = Version.of(publication, published)
    try:
        if publication.contract is None:
            raise ContractError(publication.fault)
        text = reference(publication.contract)
    except ContractError as error:
        raise Problem("contract_unreadable", reason=str(error)) from None
    return html("reference.html", ReferencePage(version, text, f"{text.name} {version.number}"))


def _card(publication: Publication, published: Mapping[str, Publication]) -> Representation:
    text = publication.representation(MARKDOWN).content.decode()
    version = Version.of(publication, published)
    return html("text.html", TextPage(version, marked_text.whole(text), f"Declaration of version {version.number}"))


def _changelog(publication: Publication, published: Mapping[str, Publication]) -> Representation:
    text = changelog_until(publication, published).content.decode()
    version = Version.of(publication, published)
    page = TextPage(version, marked_text.whole(text), f"Changes up to version {version.number}", version.previous)
    return html("text.html", page)
