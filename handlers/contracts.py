"""The contract between document and row. The row governs; a document of this release is a proposal."""

from contextlib import suppress

from sqlalchemy import Connection
from starlette.types import ASGIApp

from db import contracts, governing
from db.contract_changes import Author
from db.errors import Refused
from db.governing import Text
from handlers import security
from handlers.governing import Major, plan, read, require_path
from handlers.serving import Applications
from openapi.app import build
from openapi.contract import Contract, ContractError, published
from openapi.endpoint import Surroundings


def application(contract: Contract) -> ASGIApp:
    """What serves `contract` to nobody; ContractError if nothing can."""
    return build(contract, Surroundings(security.authenticate))


def seed(connection: Connection) -> list[str]:
    """Publish the documents of this release if the database has none, and activate the newest of each major version.

    The versions that govern; none if there was a row already.
    """
    if contracts.all_of_them(connection):
        return []
    author = Author("interaction-reporting", "the database was empty")
    for contract in published():
        contracts.publish(connection, contract.version, contract.text, contract.digest, author)
        contracts.activate(connection, contract.version, author)
    return [row.contract_version for row in contracts.serving(connection)]


def standing(connection: Connection) -> list[Major]:
    """What a service that starts now serves, and why it does not serve what the rows say where it does not."""
    return plan(governing.governing(connection), Applications(application).serve)


def require_served(connection: Connection) -> None:
    """ContractError unless a service that starts now has something to answer with."""
    require_path(standing(connection))


def differences(connection: Connection) -> list[str]:
    """Where rows, what was published, and the documents of this release say different things, a sentence each."""
    release = {contract.version: contract for contract in published()}
    found = [_difference(row, release.pop(row.contract_version, None)) for row in contracts.all_of_them(connection)]
    found += [f"contract {version} is a document of this release and not in the database" for version in release]
    return [sentence for sentence in found if sentence]


def publish(connection: Connection, contract: Contract, author: Author) -> bool:
    """Keep `contract` as a draft; whether it is new. Refused if its version was published with other content.

    What was published is never replaced: the version is bound to its digest.
    """
    contracts.take_turns(connection)
    digests = {row.contract_version: row.digest for row in contracts.all_of_them(connection)}
    if contract.version not in digests:
        contracts.publish(connection, contract.version, contract.text, contract.digest, author)
        return True
    if digests[contract.version] != contract.digest:
        raise Refused(f"contract {contract.version} is published with other content: give this one another version")
    return False


def activate(connection: Connection, version: str, author: Author) -> contracts.Row:
    """Let contract `version` govern its major version; ContractError if it cannot be served, NotFound without it."""
    contracts.take_turns(connection)
    require_servable(connection, contracts.get(connection, version))
    return contracts.activate(connection, version, author)


def rollback(connection: Connection, major: int | None, author: Author) -> contracts.Row:
    """Let the contract govern again that did so before; ContractError if it cannot be served.

    Refused if there is none, or if several major versions are served and `major` names none of them.
    """
    contracts.take_turns(connection)
    majors = [int(row.contract_version.split(".")[0]) for row in contracts.serving(connection)]
    if major is None and len(majors) != 1:
        raise Refused(f"the major versions {', '.join(map(str, majors)) or 'none'} are served: say which one")
    chosen = majors[0] if major is None else major
    require_servable(connection, contracts.before(connection, chosen))
    return contracts.rollback(connection, chosen, author)


def require_servable(connection: Connection, row: contracts.Row) -> Contract:
    """The contract in `row`; ContractError if it cannot be served, Refused if another major version has its path."""
    contract = read(Text(row.contract_version, row.document))
    application(contract)
    for other in contracts.serving(connection):
        if other.contract_version.split(".")[0] != row.contract_version.split(".")[0]:
            with suppress(ContractError):
                if Contract.read(other.document).server_path == contract.server_path:
                    raise Refused(f"contract {other.contract_version} is served at {contract.server_path} already")
    return contract


def _difference(row: contracts.Row, contract: Contract | None) -> str | None:
    """How `row` differs from what was published, and from `contract`, the document of this release."""
    name = f"contract {row.contract_version}"
    try:
        digest = Contract.read(row.document).digest
    except ContractError as error:
        return f"{name}: the row cannot be read: {error}"
    edited = "" if digest == row.digest else f"it was edited since it was published ({row.digest[:12]})"
    found = ""
    if contract is None:
        found = f"{name} is in the database and not a document of this release"
    elif digest != contract.digest:
        found = f"{name}: the row ({digest[:12]}) and the document of this release ({contract.digest[:12]}) differ; "
        found += "the row governs"
    return "; ".join(filter(None, (found, edited))) if found else edited.replace("it", name, 1)
