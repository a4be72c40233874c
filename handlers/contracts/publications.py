"""The published contracts, which are public: documents, cards and changelogs, made from the rows."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from db import contract_changes, contracts
from db.contracts import ContractRow
from db.engine import Database
from handlers.contracts.client_packages import ClientPackages
from handlers.contracts.comparisons import Comparisons
from handlers.contracts.predecessors import predecessors
from handlers.contracts.serving_plan import read
from handlers.contracts.shared_reading import SharedReading
from openapi.contract import Contract, ContractError
from openapi.diff.reports.changelog import changelog as changelog_of
from openapi.diff.reports.changelog import section
from openapi.diff.reports.report import Report
from openapi.problems import Problem
from openapi.rendering.card import INSTANTS
from openapi.rendering.card import card as card_of
from openapi.rendering.representations import Representation
from openapi.rendering.served_copy import served_copy
from openapi.serving.messages import encoded
from openapi.standards.date_times import render
from openapi.standards.media_types import JSON, MARKDOWN, OPENAPI_JSON, OPENAPI_YAML, YAML

T = TypeVar("T")


class Publication:
    """One row and its representations, each rendered once. `fault` says why the row holds no contract.

    With a `public_url` the document is sent with absolute URLs. `before` is the version that its changelog follows.
    """

    def __init__(self, row: ContractRow, public_url: str = "", before: str | None = None) -> None:
        self.public_url = public_url
        self.row = row
        self.before = before
        self.contract: Contract | None = None
        self.fault: str | None = None
        self._representations: dict[str, Representation | None] = {}
        self._section: tuple[str, str] | None = None
        self._packages: ClientPackages | None = None
        try:
            self.contract = read(row)
        except ContractError as error:
            self.fault = str(error)[:300]

    def representation(self, media_type: str) -> Representation:
        """The document, or the card, as `media_type`; Problem if the row holds no contract."""
        if media_type not in self._representations:
            self._representations[media_type] = self._representation(media_type)
        if (representation := self._representations[media_type]) is None:
            raise Problem("contract_unreadable", reason=self.fault)
        return representation

    @property
    def packages(self) -> ClientPackages:
        """Its clients; Problem if the row holds no contract, or one that is retired."""
        if self.contract is None:
            raise Problem("contract_unreadable", reason=self.fault)
        if self.row.status == "retired":
            raise Problem("version_retired", version=self.contract.version, successor="a later version")
        if self._packages is None:
            self._packages = ClientPackages(self.contract, self.public_url)
        return self._packages

    def section(self, old: Contract, new: Contract) -> str:
        """The changes from `old` to `new`, the contract of this row, as a section of the changelog."""
        if self._section is None or self._section[0] != old.digest:
            self._section = old.digest, section(old, new)
        return self._section[1]

    def _representation(self, media_type: str) -> Representation | None:
        if self.contract is None:
            return None
        try:
            content = MEDIA_TYPES[media_type](self.row, self.contract, self.public_url)
        except ContractError as error:
            self.fault = str(error)
            return None
        return Representation.of(media_type, content)


def _as_json(_row: ContractRow, contract: Contract, public_url: str) -> bytes:
    return encoded(served_copy(contract, public_url).document)


def _as_yaml(_row: ContractRow, contract: Contract, public_url: str) -> bytes:
    return served_copy(contract, public_url).as_yaml().encode()


def _as_card(row: ContractRow, contract: Contract, _public_url: str) -> bytes:
    return card_of(contract, row.status, instants(row)).encode()


MEDIA_TYPES: Mapping[str, Callable[[ContractRow, Contract, str], bytes]] = {
    JSON: _as_json,
    YAML: _as_yaml,
    MARKDOWN: _as_card,
    OPENAPI_JSON: _as_json,
    OPENAPI_YAML: _as_yaml,
}
"""The representations of a contract; a request without Accept gets the first."""


class Publications:
    """The published contracts by version, in version order. Concurrent requests share one reading of the database."""

    def __init__(self, public_url: str = "") -> None:
        self._public_url = public_url
        self._by_version: dict[str, Publication] = {}
        self._reading = SharedReading[dict[str, Publication]]()
        self._build_lock = asyncio.Lock()
        self._comparisons = Comparisons()

    async def build(self, function: Callable[[], T]) -> T:
        """Call `function` on a thread, because the first time it may take seconds; one call at a time."""
        async with self._build_lock:
            return await asyncio.to_thread(function)

    def report(self, old: Publication, new: Publication) -> Report:
        """The changes from `old` to `new`; Problem if a row holds no contract, or they cannot be compared."""
        if old.contract is None or new.contract is None:
            raise Problem("contract_unreadable", reason=old.fault or new.fault)
        try:
            return self._comparisons.report(old.contract, new.contract)
        except ContractError as error:
            raise Problem("contract_unreadable", reason=str(error)) from None

    @property
    def last(self) -> Mapping[str, Publication]:
        """All of them, as they were read last; empty before that."""
        return self._by_version

    async def read(self, database: Database) -> dict[str, Publication]:
        """All of them, as a shared reading has them; Unavailable if the database cannot be reached."""
        self._by_version = await self._reading.value(
            lambda: database.run(_published, self._by_version, self._public_url)
        )
        return self._by_version


def card(connection: Connection, version: str) -> str:
    """The card of `version`, also of a draft; NotFound if absent, ContractError if its row holds no contract."""
    row = contracts.get(connection, version)
    return card_of(read(row), row.status, instants(row))


def changelog(connection: Connection, version: str | None) -> str:
    """The changes of `version`, which may be a draft, and of those that it follows; of every public one if None.

    NotFound if absent, ContractError if its row holds no contract. Other rows that hold no contract are skipped.
    """
    last = None if version is None else contracts.get(connection, version)
    known = {row.contract_version: Publication(row, before=before) for row, before in _with_predecessors(connection)}
    if last is None:
        public = [each for each in known.values() if each.row.is_public and each.row.status != "withdrawn"]
        return _changelog(public, known)
    read(last)
    return _changelog(_line(known[last.contract_version], known), known)


def changelog_until(last: Publication, published: Mapping[str, Publication]) -> Representation:
    """The changelog of `last` and of the readable versions that it follows; Problem if `last` cannot be read."""
    if last.contract is None:
        raise Problem("contract_unreadable", reason=last.fault)
    return Representation.of(MARKDOWN, _changelog(_line(last, published), published).encode())


def followed(publication: Publication, published: Mapping[str, Publication]) -> Publication | None:
    """The version that the changelog of `publication` compares it with: the nearest that can be read."""
    before = published.get(publication.before or "")
    while before and not before.contract:
        before = published.get(before.before or "")
    return before


def _line(last: Publication, published: Mapping[str, Publication]) -> list[Publication]:
    """`last` after those that it follows, the first one first."""
    line = [last]
    while before := followed(line[0], published):
        line.insert(0, before)
    return line


def _changelog(listed: Iterable[Publication], published: Mapping[str, Publication]) -> str:
    """The sections of the `listed` versions, in ascending order, each with its changes from what it follows."""

    def before(version: str) -> Contract | None:
        publication = followed(published[version], published)
        return publication.contract if publication else None

    readable = [publication.contract for publication in listed if publication.contract]
    return changelog_of(readable, lambda old, new: published[new.version].section(old, new), before)


def instants(row: ContractRow) -> dict[str, datetime | None]:
    """The instants of a contract that a card shows, past and future, by column."""
    return {field.name: getattr(row, field.name) for field in fields(row) if field.name in INSTANTS}


def summary(publication: Publication) -> dict[str, Any]:
    """The entry of a contract in a list. The digest is that of the current document in the row."""
    entry = {
        "version": publication.row.contract_version,
        "status": publication.row.status,
        "digest": publication.contract and publication.contract.digest,
        **{name: instant and render(instant) for name, instant in instants(publication.row).items()},
    }
    return entry if publication.contract else {**entry, "fault": "the document of this contract cannot be read"}


def _published(connection: Connection, known: Mapping[str, Publication], public_url: str) -> dict[str, Publication]:
    """All contracts that are public; a row that has not changed keeps its `known` publication."""
    published = {}
    for row, before in _with_predecessors(connection):
        if row.is_public:
            old = known.get(row.contract_version)
            is_same = old is not None and (old.row, old.before) == (row, before)
            published[row.contract_version] = old if old and is_same else Publication(row, public_url, before)
    return published


def _with_predecessors(connection: Connection) -> list[tuple[ContractRow, str | None]]:
    rows = contracts.list_all(connection)
    before = predecessors(rows, contract_changes.history(connection))
    return [(row, before[row.contract_version]) for row in rows]
