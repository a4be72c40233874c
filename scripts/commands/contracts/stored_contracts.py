"""The stored contracts that arguments name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from sqlalchemy import Connection

from db import contracts
from db.errors import NotFound
from handlers.contracts.lifecycle import governing_before
from handlers.contracts.serving_plan import read
from openapi.contract import Contract, ContractError, Document, published
from scripts.service.databases import database
from scripts.service.settings import Settings


@dataclass(frozen=True)
class StoredContracts:
    """The contracts that a transaction sees."""

    connection: Connection

    def version(self, version: str) -> Contract:
        """The contract `version`; BadParameter if absent or unreadable."""
        try:
            return read(contracts.get(self.connection, version))
        except (NotFound, ContractError) as error:
            raise typer.BadParameter(f"{version}: {error}") from None

    def require_new(self, version: str) -> None:
        """BadParameter if `version` is the version of a contract of the database, or of this release."""
        if version in {row.contract_version for row in contracts.list_all(self.connection)}:
            raise typer.BadParameter(f"contract {version} is published already: give the draft another version")
        if version in {contract.version for contract in published()}:
            raise typer.BadParameter(
                f"this release has contract {version}: `contract publish --of-release {version}` publishes it"
            )

    def governing(self, document: Document) -> Contract:
        """The served contract of the major version of `document`, else of the highest one before it."""
        return governing_before(self.connection, Contract.read(document.text))


@contextmanager
def open_contracts() -> Iterator[StoredContracts]:
    """The contracts of the configured database, in one transaction."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        yield StoredContracts(connection)
