"""The contract between document and row. The row governs; a document of this release is a proposal."""

from collections.abc import Set
from contextlib import suppress
from functools import cache, lru_cache

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
from openapi.diff.supported import objections
from openapi.endpoint import Surroundings
from openapi.lint import lint

LISTED = 20
"""Broken rules that a refusal names."""


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
    """Where rows, what was published, and the documents of this release say different things, and what can be done.

    A sentence each.
    """
    release = {contract.version: contract for contract in _release()}
    found = [_difference(row, release.pop(row.contract_version, None)) for row in contracts.all_of_them(connection)]
    found += [
        f"contract {version} is a document of this release and not in the database: publish it, or leave it"
        for version in release
    ]
    return [sentence for sentence in found if sentence]


@cache
def _release() -> list[Contract]:
    """The contracts of this release, whose files do not change while it runs."""
    return list(published())


@lru_cache(maxsize=100)
def _read(document: str) -> Contract | str:
    """The contract in the text of a row, or why there is none: whoever asks how we are asks it of all rows."""
    try:
        return Contract.read(document)
    except ContractError as error:
        return str(error)


def publish(connection: Connection, contract: Contract, author: Author, acknowledged: Set[str] = frozenset()) -> bool:
    """Keep `contract` as a draft; whether it is new. What was published is never replaced.

    Refused if its version was published with other content, if it breaks a rule of the house, or if it changes more of
    a version that is supported than its number says, but for what is `acknowledged` of what cannot be decided.
    ContractError if it cannot be served.
    """
    contracts.take_turns(connection)
    rows = contracts.all_of_them(connection)
    digests = {row.contract_version: row.digest for row in rows}
    if contract.version in digests:
        if digests[contract.version] != contract.digest:
            raise Refused(f"contract {contract.version} is published with other content: give this one another version")
        return False
    require_sound(contract)
    if found := objections(
        contract, [read(Text(row.contract_version, row.document)) for row in rows if _is_supported(row)], acknowledged
    ):
        raise Refused("\n".join(map(str, found)))
    contracts.publish(connection, contract.version, contract.text, contract.digest, author)
    return True


def require_sound(contract: Contract) -> None:
    """Refused if `contract` breaks a rule of the house, ContractError if it cannot be served."""
    if findings := lint(contract):
        raise Refused(
            "\n".join(f"{finding.pointer or '/'}: {finding.message} [{finding.rule}]" for finding in findings[:LISTED])
        )
    application(contract)


def _is_supported(row: contracts.Row) -> bool:
    """Whether clients rely on `row`: those made for a version that was superseded do."""
    return row.status not in ("draft", "retired")


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
    majors = [_major(row.contract_version) for row in contracts.serving(connection)]
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
        if _major(other.contract_version) != _major(row.contract_version):
            with suppress(ContractError):
                if Contract.read(other.document).server_path == contract.server_path:
                    raise Refused(f"contract {other.contract_version} is served at {contract.server_path} already")
    return contract


def governing_before(connection: Connection, contract: Contract) -> Contract:
    """The contract that serves the major version of `contract`, else that of the highest one before it.

    ContractError if there is none, or its row cannot be read.
    """
    rows = [row for row in contracts.serving(connection) if _major(row.contract_version) <= _major(contract.version)]
    if not rows:
        raise ContractError(f"no contract is active that {contract.version} could follow")
    return read(Text(rows[-1].contract_version, rows[-1].document))


def _major(version: str) -> int:
    return int(version.split(".", maxsplit=1)[0])


def _difference(row: contracts.Row, contract: Contract | None) -> str:
    """How `row` differs from what was published, and from `contract`, the document of this release, if it does."""
    name = f"contract {row.contract_version}"
    held = _read(row.document)
    if isinstance(held, str):
        return f"{name}: the row cannot be read, mend it: {held}"
    found = []
    if contract is None:
        found.append(f"{name} is in the database and not a document of this release: keep its document with the others")
    elif held.digest != contract.digest:
        found.append(
            f"{name}: the row ({held.digest[:12]}) and the document of this release ({contract.digest[:12]}) differ; "
            "the row governs: to have the document served, publish it as another version"
        )
    if held.digest != row.digest:
        found.append(f"{name} was edited since it was published as {row.digest[:12]}")
    return "; ".join(found)
