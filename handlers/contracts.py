"""The contract between document and row. The row governs; a document of this release is a proposal."""

from sqlalchemy import Connection

from db import contracts
from openapi.contract import Contract, ContractError, published


def seed(connection: Connection) -> list[str]:
    """Publish the documents of this release if the database has none, and activate the newest of each major version.

    The versions that govern; none if there was a row already.
    """
    if contracts.all_of_them(connection):
        return []
    for contract in published():
        contracts.publish(connection, contract.version, contract.text, contract.digest)
        contracts.activate(connection, contract.version)
    return [row.contract_version for row in contracts.serving(connection)]


def governing(connection: Connection) -> Contract:
    """The contract that is served, from its row; ContractError if there is none or it cannot be read."""
    rows = contracts.serving(connection)
    if not rows:
        raise ContractError("no contract is active; see 'interaction-reporting contract list'")
    row = rows[0]
    try:
        contract = Contract.read(row.document)
    except ContractError as error:
        raise ContractError(f"the row of contract {row.contract_version} cannot be read: {error}") from None
    if contract.version != row.contract_version:
        raise ContractError(
            f"the row of contract {row.contract_version} holds a document of version {contract.version}"
        )
    return contract


def differences(connection: Connection) -> list[str]:
    """Where rows and the documents of this release say different things, a sentence each."""
    rows = {row.contract_version: row for row in contracts.all_of_them(connection)}
    found = []
    for contract in published():
        row = rows.pop(contract.version, None)
        if row is None:
            found.append(f"contract {contract.version} is a document of this release and not in the database")
        elif difference := _difference(row.document, contract):
            found.append(f"contract {contract.version}: {difference}")
    found += [f"contract {version} is in the database and not a document of this release" for version in rows]
    return found


def warnings(connection: Connection, served: str) -> list[str]:
    """What an operator should look at while contract `served` is served, a sentence each."""
    if served in [row.contract_version for row in contracts.serving(connection)]:
        return differences(connection)
    return [f"contract {served} is served, but its row is no longer active", *differences(connection)]


def _difference(document: str, contract: Contract) -> str | None:
    """How the document of a row differs from `contract`, which has the same version."""
    try:
        row = Contract.read(document)
    except ContractError as error:
        return f"the row cannot be read: {error}"
    if row.digest == contract.digest:
        return None
    return (
        f"the row ({row.digest[:12]}) and the document of this release ({contract.digest[:12]}) differ; the row governs"
    )
