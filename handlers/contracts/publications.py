"""The published contracts as they are declared to everybody: their documents and cards, made from the rows."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from db import contracts
from db.contracts import ContractRow
from db.engine import Database
from handlers.contracts.serving_plan import read
from openapi.contract import Contract, ContractError
from openapi.diff.changelog import changelog as changelog_of
from openapi.diff.changelog import section
from openapi.problems import Problem
from openapi.rendering.card import INSTANTS
from openapi.rendering.card import card as card_of
from openapi.rendering.representations import Representation
from openapi.serving.messages import encoded
from openapi.standards.date_times import render
from openapi.standards.media_types import JSON, MARKDOWN, OPENAPI_JSON, OPENAPI_YAML, YAML

MAX_AGE_SECONDS = 1
"""What is told of rows is read from the database at most so often, however many ask."""
T = TypeVar("T")


class Declaration:
    """One row, and what is told of it; each representation is made once."""

    def __init__(self, row: ContractRow) -> None:
        self.row = row
        self.contract: Contract | None = None
        self.fault: str | None = None
        self._made: dict[str, Representation | None] = {}
        self._section: tuple[str, str] | None = None
        try:
            self.contract = read(row)
        except ContractError as error:
            self.fault = str(error)[:300]

    def representation(self, media_type: str) -> Representation:
        """The document, or the card, as `media_type`; Problem if the row does not hold one."""
        if media_type not in self._made:
            self._made[media_type] = self._representation(media_type)
        if (made := self._made[media_type]) is None:
            raise Problem("contract_unreadable", reason=self.fault)
        return made

    def section(self, before: Contract, contract: Contract) -> str:
        """What its contract changed of `before`."""
        if self._section is None or self._section[0] != before.digest:
            self._section = before.digest, section(before, contract)
        return self._section[1]

    def _representation(self, media_type: str) -> Representation | None:
        try:
            content = MEDIA_TYPES[media_type](self.row, self.contract) if self.contract else None
        except ContractError as error:
            self.fault, content = str(error), None
        return None if content is None else Representation.of(media_type, content)


def _as_json(_row: ContractRow, contract: Contract) -> bytes:
    return encoded(contract.document)


def _as_yaml(_row: ContractRow, contract: Contract) -> bytes:
    return contract.as_yaml().encode()


def _as_card(row: ContractRow, contract: Contract) -> bytes:
    return card_of(contract, row.status, instants(row)).encode()


MEDIA_TYPES: Mapping[str, Callable[[ContractRow, Contract], bytes]] = {
    JSON: _as_json,
    YAML: _as_yaml,
    MARKDOWN: _as_card,
    OPENAPI_JSON: _as_json,
    OPENAPI_YAML: _as_yaml,
}
"""What a contract can be had as; the first is what is given to those who do not say."""


class Declarations:
    """The published contracts by version, in the order of versions. Those who ask at one time share what is read."""

    def __init__(self) -> None:
        self._found: dict[str, Declaration] = {}
        self._reading: asyncio.Task[dict[str, Declaration]] | None = None
        self._began = 0.0
        self._making = asyncio.Lock()

    async def made(self, make: Callable[[], T]) -> T:
        """What `make` gives, on a thread: it may take seconds the first time. Nothing is made twice at once."""
        async with self._making:
            return await asyncio.to_thread(make)

    async def read(self, database: Database) -> dict[str, Declaration]:
        """All of them, as a reading found them that goes on or began a second ago at most.

        Errors of `db` when the database is away.
        """
        is_old = time.monotonic() - self._began > MAX_AGE_SECONDS
        if self._reading is None or (self._reading.done() and is_old):
            self._began = time.monotonic()
            self._reading = asyncio.create_task(database.run(_published, known=self._found))
        self._found = await asyncio.shield(self._reading)  # who hangs up takes nothing from the others
        return self._found


def card(connection: Connection, version: str) -> str:
    """The card of `version`, a draft too; NotFound if there is no such row, ContractError if it holds no contract."""
    row = contracts.get(connection, version)
    return card_of(read(row), row.status, instants(row))


def changelog(connection: Connection, version: str | None) -> str:
    """What each version changed of the one before, up to `version`, which may be a draft, or to the highest.

    NotFound if there is no such row, ContractError if it holds no contract; others that hold none are left out.
    """
    last = None if version is None else contracts.get(connection, version)
    found: list[Contract] = []
    for row in contracts.list_all(connection):
        if row == last:
            return changelog_of([*found, read(row)])
        if row.status != "draft":
            with suppress(ContractError):
                found.append(read(row))
    return changelog_of(found)


def changelog_until(last: Declaration, published: Mapping[str, Declaration]) -> Representation:
    """The changelog of those of `published` that can be read, up to `last`; Problem if that cannot be."""
    if last.contract is None:
        raise Problem("contract_unreadable", reason=last.fault)
    readable = [
        one.contract for one in published.values() if one.contract and one.contract.numbers <= last.contract.numbers
    ]
    told = changelog_of(readable, lambda before, contract: published[contract.version].section(before, contract))
    return Representation.of(MARKDOWN, told.encode())


def instants(row: ContractRow) -> dict[str, datetime | None]:
    """What happened to a contract, and will, and when: each column that a card has a word for."""
    return {field.name: getattr(row, field.name) for field in fields(row) if field.name in INSTANTS}


def summary(declaration: Declaration) -> dict[str, Any]:
    """What a list tells of a contract. Its digest is that of the document that the row holds now."""
    told = {
        "version": declaration.row.contract_version,
        "status": declaration.row.status,
        "digest": declaration.contract and declaration.contract.digest,
        **{name: instant and render(instant) for name, instant in instants(declaration.row).items()},
    }
    return told if declaration.contract else {**told, "fault": "the document of this contract cannot be read"}


def _published(connection: Connection, known: Mapping[str, Declaration]) -> dict[str, Declaration]:
    """What there is but drafts; of a row that has not changed, what is `known` of it."""
    found = {}
    for row in contracts.list_all(connection):
        if row.status != "draft":
            before = known.get(row.contract_version)
            found[row.contract_version] = before if before and before.row == row else Declaration(row)
    return found
