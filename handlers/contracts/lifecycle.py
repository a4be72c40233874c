"""A contract as a document and as a row. The row governs; a document of this release is a proposal."""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection
from starlette.types import ASGIApp

from db import active_contracts, contracts
from db.audit import Author
from db.errors import Refused
from handlers.contracts.serving import Applications
from handlers.contracts.serving_plan import ServedMajor, plan, read, require_free_path, require_path, warnings
from handlers.operations import OPERATIONS
from handlers.security import authentication
from openapi.contract import Contract, ContractError, Document, published
from openapi.diff.versioning import Violation, violations
from openapi.lint.records import unsayable
from openapi.lint.rules import lint
from openapi.serving.app import build
from openapi.serving.endpoint import Dependencies
from openapi.standards import date_times
from openapi.standards.json_pointer import pointer

LISTED = 20
"""Limit on the broken rules that a refusal names."""


def application(contract: Contract) -> ASGIApp:
    """An application that only tests `contract`, and serves no hub; ContractError if it cannot be served."""
    return build(
        contract, Dependencies(OPERATIONS, authentication.authenticate, authorize=authentication.refuse_tokens)
    )


def seed(connection: Connection) -> list[str]:
    """Publish the documents of this release if the database has none, and activate the newest of each major version.

    Returns the governing versions, or an empty list if the database had a row.
    """
    if contracts.list_all(connection):
        return []
    author = Author("interaction-reporting", "the database was empty")
    for contract in published():
        contracts.publish(connection, contract.version, contract.text, contract.digest, author)
        contracts.activate(connection, contract.version, author)
    return [row.contract_version for row in contracts.serving(connection)]


def current_state(connection: Connection) -> list[ServedMajor]:
    """The major versions as a service that starts now serves them, with the faults of the rows that it cannot serve."""
    return plan(active_contracts.governing(connection), Applications(application).serve)


def require_served(connection: Connection) -> None:
    """ContractError unless a service that starts now can serve a contract, or answer that it is retired."""
    require_path(current_state(connection))


def scopes(connection: Connection) -> dict[str, str]:
    """The scopes of the served contracts, each with its description."""
    served = [major.served for major in current_state(connection) if major.served]
    return {name: description for service in served for name, description in service.contract.scopes.items()}


def differences(connection: Connection) -> list[str]:
    """The differences between rows, their published digests and the documents of this release.

    A sentence for each row that is not withdrawn, with the remedy.
    """
    release = {contract.version: contract for contract in published()}
    rows = [(row, release.pop(row.contract_version, None)) for row in contracts.list_all(connection)]
    sentences = [_difference(row, contract) for row, contract in rows if row.status != "withdrawn"]
    sentences += [
        f"this release has contract {version}, and the database does not: `contract publish --of-release {version}`"
        for version in release
    ]
    return [sentence for sentence in sentences if sentence]


@lru_cache(maxsize=1000)
def digest_of(document: str) -> tuple[str, str | None]:
    """The digest of the contract in the text of a row, or its fault. Cached: each readiness check reads all rows."""
    try:
        return Contract.read(document).digest, None
    except ContractError as error:
        return "", str(error)


def publish(connection: Connection, contract: Contract, author: Author, acknowledged: Set[str] = frozenset()) -> bool:
    """Store `contract` as a draft; False if it is already published. A published document is never replaced.

    Refused if its version was published with other content, if it breaks a lint rule, if it accepts what another
    served major version could not answer, or if it changes a supported version by more than its number allows;
    undecidable changes pass if `acknowledged` names them.
    ContractError if it cannot be served.
    """
    contracts.lock(connection)
    rows = contracts.list_all(connection)
    if is_published(rows, contract):
        return False
    require_sound(contract)
    require_readable(contract, rows)
    if broken := violations(contract, map(read, supported(rows, contract.major)), acknowledged):
        raise Refused("\n".join([*map(str, broken), *ways_back(broken, rows)]))
    contracts.publish(connection, contract.version, contract.text, contract.digest, author)
    return True


def publish_examined(
    connection: Connection, contract: Contract, rows: Sequence[contracts.ContractRow], author: Author
) -> None:
    """Store `contract` as a draft, after all that `publish` requires was found true of it next to `rows`.

    Refused if these are no longer the rows: the examination takes long, and locks nothing.
    """
    contracts.lock(connection)
    if contracts.list_all(connection) != list(rows):
        raise Refused("a contract has changed while this document was examined: check the document again")
    contracts.publish(connection, contract.version, contract.text, contract.digest, author)


def is_published(rows: Sequence[contracts.ContractRow], contract: Contract) -> bool:
    """True if one of `rows` holds `contract`; Refused if its version was published with other content."""
    for row in rows:
        if row.contract_version == contract.version:
            _require_same(row, contract)
            return True
    return False


def require_sound(contract: Contract) -> None:
    """Refused if `contract` breaks a lint rule that is no warning, ContractError if it cannot be served."""
    if findings := [finding for finding in lint(contract, OPERATIONS) if finding.severity == "error"]:
        raise Refused(
            "\n".join(f"{finding.pointer or '/'}: {finding.message} [{finding.rule}]" for finding in findings[:LISTED])
        )
    require_free_path(contract)
    application(contract)


def require_readable(contract: Contract, rows: Iterable[contracts.ContractRow]) -> None:
    """Refused if `contract` accepts what the records of another served major version cannot say: they share the data.

    `rows` that cannot be read are left out.
    """
    others = [row for row in rows if row.major != contract.major and row.status in contracts.SERVING]
    sentences = [sentence for row in others for sentence in _unreadable(contract, row)]
    if sentences:
        raise Refused("\n".join(sentences[:LISTED]))


def _unreadable(contract: Contract, row: contracts.ContractRow) -> list[str]:
    try:
        other = read(row)
    except ContractError:
        return []
    return [
        f"{pointer(*fault.accepted)}: contract {contract.version} accepts {fault.shown} as {fault.name}, and contract "
        f"{other.version} answers with the same records, but cannot say that: {pointer(*fault.forbidden)} forbids it; "
        f"leave it out until {other.version} is retired, or let a new major version say it first and accept it then"
        for fault in unsayable(contract, other, OPERATIONS)
    ]


def _require_same(row: contracts.ContractRow, contract: Contract) -> None:
    """Refused unless `row` was published with `contract`, and still holds it, and is not withdrawn."""
    if row.status == "withdrawn":
        raise Refused(f"contract {contract.version} is withdrawn: give this document another version")
    if row.digest != contract.digest:
        remedy = f", or 'interaction-reporting contract discard {contract.version}'" if row.status == "draft" else ""
        raise Refused(
            f"contract {contract.version} is published with other content: give this one another version{remedy}"
        )
    if digest_of(row.document)[0] != contract.digest:
        raise Refused(f"contract {contract.version} was published with this content, and its row was edited since")


def supported(rows: Sequence[contracts.ContractRow], major: int) -> list[contracts.ContractRow]:
    """The rows of `major` that are neither drafts, nor withdrawn, nor retired; empty if `major` is not served.

    Superseded rows count: clients were built for them.
    """
    found = [row for row in rows if row.major == major and row.status not in ("draft", "withdrawn", "retired")]
    return found if any(row.status in contracts.SERVING for row in found) else []


def ways_back(broken: Iterable[Violation], rows: Sequence[contracts.ContractRow]) -> list[str]:
    """The command for each version that stands in the way of another and was rolled back: a sentence each."""
    named = {version for violation in broken for version in (violation.old, violation.new)}
    governing = {row.major: row for row in rows if row.status in contracts.SERVING}
    return [
        f"contract {row.contract_version} was rolled back: if it was a mistake, "
        f"'interaction-reporting contract withdraw {row.contract_version}' lets it bind no later version"
        for row in rows
        if row.contract_version in named
        and row.status == "superseded"
        and row.major in governing
        and row.numbers > governing[row.major].numbers
    ]


def activate(
    connection: Connection, version: str, author: Author, rehearsed: contracts.ContractRow | None = None
) -> contracts.ContractRow:
    """Let contract `version` govern its major version; ContractError if it cannot be served, NotFound if absent.

    Refused if its document is no longer that of the `rehearsed` row.
    """
    contracts.lock(connection)
    if rehearsed and contracts.get(connection, version).document != rehearsed.document:
        raise Refused(f"contract {version} was changed while it was rehearsed: try again")
    with connection.begin_nested():
        return _served(connection, contracts.activate(connection, version, author))


def sunset(text: str) -> datetime:
    """The instant of `text`, a date (00:00 UTC) or an RFC 3339 date-time; ValueError if it is neither."""
    return date_times.parse(text if "T" in text.upper() else f"{text}T00:00:00Z")


class Restored(NamedTuple):
    """The row that a rollback lets govern again, and why it passed over later ones: an error for each."""

    row: contracts.ContractRow
    passed_over: Sequence[str]


def rollback(connection: Connection, major: int | None, author: Author) -> Restored:
    """Let the previous contract govern again, or the last before it that can be served; a second one undoes the first.

    Refused if there is no previous contract, or if several major versions are served and `major` is None.
    ContractError if none can be served.
    """
    contracts.lock(connection)
    majors = [row.major for row in contracts.serving(connection)]
    if major is None and len(majors) != 1:
        raise Refused(f"the major versions {', '.join(map(str, majors)) or 'none'} are served: choose one with --major")
    errors: list[str] = []
    for row in contracts.earlier(connection, majors[0] if major is None else major):
        try:
            with connection.begin_nested():
                return Restored(_served(connection, contracts.restore(connection, row, author)), errors)
        except ContractError as error:
            errors.append(str(error))
    raise ContractError("; ".join(errors))


def _served(connection: Connection, row: contracts.ContractRow) -> contracts.ContractRow:
    """`row`, which governs now; ContractError if a service cannot serve it."""
    for major in current_state(connection):
        if major.number == row.major and major.fault:
            raise ContractError(major.fault)
    return row


def is_replacing(served: Iterable[int], row: contracts.ContractRow) -> bool:
    """True if `row` would replace a contract of the `served` major versions: it should be rehearsed before."""
    return row.major in served and row.status not in {*contracts.SERVING, "withdrawn"}


def governing_before(connection: Connection, contract: Contract) -> Contract:
    """The served contract of the major version of `contract`, else of the highest major version before it.

    ContractError if neither is served.
    """
    planned = current_state(connection)
    if governing := followed([major.served.contract for major in planned if major.served], contract):
        return governing
    raise ContractError(" ".join(warnings(planned)) or f"there is no active contract for {contract.version} to follow")


def followed(served: Sequence[Contract], contract: Contract) -> Contract | None:
    """The one of the `served` contracts, lowest first, that `contract` follows; None if it is the first."""
    return next((each for each in reversed(served) if each.major <= contract.major), None)


def _difference(row: contracts.ContractRow, contract: Contract | None) -> str:
    """The differences of `row` from its published digest and from `contract`, of this release; empty if equal."""
    name = f"contract {row.contract_version}"
    digest, fault = digest_of(row.document)
    if fault:
        return f"{name}: the row cannot be read, correct it: {fault}"
    clauses = []
    if contract is None:
        clauses.append(f"{name} is in the database and not a document of this release: add its document to the release")
    elif digest != contract.digest and not _is_renamed(row.document, contract):
        clauses.append(
            f"{name}: the row ({digest[:12]}) and the document of this release ({contract.digest[:12]}) differ; "
            "the row governs: to have the document served, publish it as another version"
        )
    if digest != row.digest:
        clauses.append(f"{name} was edited since it was published as {row.digest[:12]}")
    return "; ".join(clauses)


def _is_renamed(text: str, contract: Contract) -> bool:
    """True if `text` is the document of `contract` with former operationIds: both are served alike."""
    document = OPERATIONS.rename(Contract.read(text).copy())
    return Document(text, document).digest == contract.digest
