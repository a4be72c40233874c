"""The contract between document and row. The row governs; a document of this release is a proposal."""

from collections.abc import Sequence, Set
from functools import lru_cache

from sqlalchemy import Connection
from starlette.types import ASGIApp

from db import active_contracts, contracts
from db.contract_changes import Author
from db.errors import Refused
from handlers.contracts.serving import Applications
from handlers.contracts.serving_plan import ServedMajor, plan, read, require_free_path, require_path, warnings
from handlers.operations import OPERATIONS
from handlers.security import authentication
from openapi.contract import Contract, ContractError, published
from openapi.diff.versioning import violations
from openapi.lint.rules import lint
from openapi.serving.app import build
from openapi.serving.endpoint import Dependencies

LISTED = 20
"""Broken rules that a refusal names."""


def application(contract: Contract) -> ASGIApp:
    """What would serve `contract`, of which nothing is asked but that it can be made; else ContractError."""
    return build(
        contract, Dependencies(OPERATIONS, authentication.authenticate, authorize=authentication.authorize_nobody)
    )


def seed(connection: Connection) -> list[str]:
    """Publish the documents of this release if the database has none, and activate the newest of each major version.

    The versions that govern; none if there was a row already.
    """
    if contracts.list_all(connection):
        return []
    author = Author("interaction-reporting", "the database was empty")
    for contract in published():
        contracts.publish(connection, contract.version, contract.text, contract.digest, author)
        contracts.activate(connection, contract.version, author)
    return [row.contract_version for row in contracts.serving(connection)]


def current_state(connection: Connection) -> list[ServedMajor]:
    """What a service that starts now serves, and why it does not serve what the rows say where it does not."""
    return plan(active_contracts.governing(connection), Applications(application).serve)


def require_served(connection: Connection) -> None:
    """ContractError unless a service that starts now has something to answer with."""
    require_path(current_state(connection))


def scopes(connection: Connection) -> dict[str, str]:
    """What access tokens may be for, by the contracts that are served, each with its description."""
    served = [major.served for major in current_state(connection) if major.served]
    return {name: description for service in served for name, description in service.contract.scopes.items()}


def differences(connection: Connection) -> list[str]:
    """Where rows, what was published, and the documents of this release say different things, and what can be done.

    A sentence each.
    """
    release = {contract.version: contract for contract in published()}
    sentences = [_difference(row, release.pop(row.contract_version, None)) for row in contracts.list_all(connection)]
    sentences += [
        f"contract {version} is a document of this release and not in the database: publish it, or leave it"
        for version in release
    ]
    return [sentence for sentence in sentences if sentence]


@lru_cache(maxsize=1000)
def _digest(document: str) -> tuple[str, str | None]:
    """The digest of the contract in the text of a row, or why there is none; each readiness check asks it of all."""
    try:
        return Contract.read(document).digest, None
    except ContractError as error:
        return "", str(error)


def publish(connection: Connection, contract: Contract, author: Author, acknowledged: Set[str] = frozenset()) -> bool:
    """Keep `contract` as a draft; whether it is new. What was published is never replaced.

    Refused if its version was published with other content, if it breaks a rule of the house, or if it changes more of
    a version that is supported than its number says, but for what is `acknowledged` of what cannot be decided.
    ContractError if it cannot be served.
    """
    contracts.lock(connection)
    rows = contracts.list_all(connection)
    for row in rows:
        if row.contract_version == contract.version:
            _require_same(row, contract)
            return False
    require_sound(contract)
    if broken := violations(contract, map(read, _supported(rows, contract.major)), acknowledged):
        raise Refused("\n".join(map(str, broken)))
    contracts.publish(connection, contract.version, contract.text, contract.digest, author)
    return True


def require_sound(contract: Contract) -> None:
    """Refused if `contract` breaks a rule of the house, ContractError if it cannot be served."""
    if findings := lint(contract, OPERATIONS):
        raise Refused(
            "\n".join(f"{finding.pointer or '/'}: {finding.message} [{finding.rule}]" for finding in findings[:LISTED])
        )
    require_free_path(contract)
    application(contract)


def _require_same(row: contracts.ContractRow, contract: Contract) -> None:
    """Refused unless `row` holds `contract`, as it was published."""
    if row.digest != contract.digest:
        raise Refused(f"contract {contract.version} is published with other content: give this one another version")
    if _digest(row.document)[0] != contract.digest:
        raise Refused(f"contract {contract.version} was published with this content, and its row was edited since")


def _supported(rows: Sequence[contracts.ContractRow], major: int) -> list[contracts.ContractRow]:
    """Those of `major` that clients rely on, if it is served: those made for what was superseded do."""
    supported = [row for row in rows if row.major == major and row.status not in ("draft", "retired")]
    return supported if any(row.status in contracts.SERVING for row in supported) else []


def activate(
    connection: Connection, version: str, author: Author, rehearsed: contracts.ContractRow | None = None
) -> contracts.ContractRow:
    """Let contract `version` govern its major version; ContractError if it cannot be served, NotFound without it.

    Refused if its document is not that of the row which was `rehearsed`.
    """
    contracts.lock(connection)
    if rehearsed and contracts.get(connection, version).document != rehearsed.document:
        raise Refused(f"contract {version} was changed while it was rehearsed: try again")
    with connection.begin_nested():
        return _served(connection, contracts.activate(connection, version, author))


def rollback(connection: Connection, major: int | None, author: Author) -> contracts.ContractRow:
    """Let the contract govern again that did so before; once more takes it back.

    Refused if there is none, or if several major versions are served and `major` names none of them. ContractError if
    it cannot be served.
    """
    contracts.lock(connection)
    majors = [row.major for row in contracts.serving(connection)]
    if major is None and len(majors) != 1:
        raise Refused(f"the major versions {', '.join(map(str, majors)) or 'none'} are served: say which one")
    with connection.begin_nested():
        return _served(connection, contracts.rollback(connection, majors[0] if major is None else major, author))


def _served(connection: Connection, row: contracts.ContractRow) -> contracts.ContractRow:
    """`row`, which governs now; ContractError if it is not what a service serves then."""
    for major in current_state(connection):
        if major.number == row.major and major.fault:
            raise ContractError(major.fault)
    return row


def governing_before(connection: Connection, contract: Contract) -> Contract:
    """The contract that is served of the major version of `contract`, else of the highest one before it.

    ContractError if there is none.
    """
    planned = current_state(connection)
    served = [major.served for major in planned if major.served and major.number <= contract.major]
    if not served:
        raise ContractError(
            " ".join(warnings(planned)) or f"no contract is active that {contract.version} could follow"
        )
    return served[-1].contract


def _difference(row: contracts.ContractRow, contract: Contract | None) -> str:
    """How `row` differs from what was published, and from `contract`, the document of this release, if it does."""
    name = f"contract {row.contract_version}"
    digest, fault = _digest(row.document)
    if fault:
        return f"{name}: the row cannot be read, mend it: {fault}"
    clauses = []
    if contract is None:
        clauses.append(
            f"{name} is in the database and not a document of this release: keep its document with the others"
        )
    elif digest != contract.digest:
        clauses.append(
            f"{name}: the row ({digest[:12]}) and the document of this release ({contract.digest[:12]}) differ; "
            "the row governs: to have the document served, publish it as another version"
        )
    if digest != row.digest:
        clauses.append(f"{name} was edited since it was published as {row.digest[:12]}")
    return "; ".join(clauses)
