"""The card of a contract: its document in Markdown for people."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from openapi.contract import Contract, ContractError
from openapi.rendering.card_operations import describe_answer, describe_operation, security_scheme, shared_answers
from openapi.rendering.markdown import code, line, paragraphs, table
from openapi.standards import date_times

MAX_CHARACTERS = 8 * 1024 * 1024
"""Limit on a card: texts repeated for each operation could grow with the square of the document."""

INSTANTS = {
    "published_at": "Published",
    "activated_at": "Activated",
    "deprecated_at": "Deprecated",
    "sunset_at": "Sunset",
    "retired_at": "Retired",
    "withdrawn_at": "Withdrawn",
}
"""The past and planned events of a contract, each with its word."""

_TRUTH = (
    "The authoritative runtime contract is the active row in the `interaction_reporting_contracts` table. This "
    "declaration is made from the row of version {version}, whose document has the SHA-256 digest `{digest}`. In case "
    "of conflict, the database row governs."
)
_POLICY = (
    "- Adding new optional request fields: minor version (v{major}.{next_minor}), no breaking change.",
    "- Changing required fields, response shape, or auth scheme: major version (v{next_major}.0).",
)
_MIGRATION = (
    "- Phase 9 will introduce `/api/v2/` with OAuth 2.0 replacing per-hub Bearer tokens. v1.0 will remain supported "
    "during the migration window."
)
"""The announcement to clients of version 1."""


def card(contract: Contract, status: str, instants: Mapping[str, datetime | None]) -> str:
    """The card of `contract`; its row has `status`, and `instants` by the names in `INSTANTS`.

    Raises ContractError if the card cannot read the document as OpenAPI 3.0, or would be too large.
    """
    parts: list[str] = []
    size = 0
    try:
        for part in _parts(contract, status, instants):
            parts.append(part)
            size += len(part)
            if size > MAX_CHARACTERS:
                raise ContractError(f"it has more than {MAX_CHARACTERS} characters")
    except Exception as error:  # a row may hold any text
        reason = str(error) if isinstance(error, ContractError) else f"{type(error).__name__}: {error}"
        raise ContractError(f"contract {contract.version} cannot be rendered as a card: {reason[:300]}") from None
    return "\n\n".join(parts) + "\n"


def _parts(contract: Contract, status: str, instants: Mapping[str, datetime | None]) -> Iterator[str]:
    info = contract.document["info"]
    purpose, *rest = paragraphs(info.get("description", "")) or [""]
    yield f"# {line(info['title'])}"
    yield " · ".join(_facts(contract, status, instants))
    yield from ("## Purpose", purpose) if purpose else ()
    yield from ("## Canonical source of truth", _TRUTH.format(version=contract.version, digest=contract.digest))
    yield from ("## Rules for every request", *rest) if rest else ()
    yield from _authentication(contract)
    yield from _operations(contract)
    yield from ("## Versioning policy", "\n".join(_policy(contract, status)))
    yield from ("## Status", "\n".join(_history(status, instants)))


def _facts(contract: Contract, status: str, instants: Mapping[str, datetime | None]) -> Iterator[str]:
    """Name, version, date and status."""
    yield f"**Name:** {line(contract.document['info']['title'])}"
    yield f"**Version:** {contract.version}"
    if since := instants.get("activated_at") or instants.get("published_at"):
        yield f"**Date:** {date_times.render(since)[:10]}"
    yield f"**Status:** {status.capitalize()}"


def _authentication(contract: Contract) -> Iterator[str]:
    schemes = contract.document.get("components", {}).get("securitySchemes", {})
    if schemes:
        yield "## Authentication"
    for name, scheme in schemes.items():
        yield f"{code(name)}: {security_scheme(contract.resolve(scheme))}"
        yield from paragraphs(contract.resolve(scheme).get("description", ""))


def _operations(contract: Contract) -> Iterator[str]:
    """A table of several operations, each operation, and at last the shared responses."""
    if len(contract.operations) > 1:
        rows = [
            (
                code(f"{operation.method.upper()} {operation.path}"),
                line(contract.at(operation.pointer).get("summary", "")),
            )
            for operation in contract.operations
        ]
        yield from ("## Operations", table(("operation", "summary"), rows))
    shared = shared_answers(contract)
    for operation in contract.operations:
        yield from describe_operation(contract, operation, shared)
    if shared:
        yield "## Shared responses"
    for status, reference in shared:
        yield from describe_answer(contract, status, contract.resolve({"$ref": reference}))


def _policy(contract: Contract, status: str) -> Iterator[str]:
    major, minor = contract.numbers
    yield f"- v{contract.version}: {'current version' if status == 'active' else status}."
    for sentence in _POLICY:
        yield sentence.format(major=major, next_minor=minor + 1, next_major=major + 1)
    if major == 1:
        yield _MIGRATION


def _history(status: str, instants: Mapping[str, datetime | None]) -> Iterator[str]:
    yield f"- Status: {status}"
    for name, word in INSTANTS.items():
        if instant := instants.get(name):
            yield f"- {word}: {date_times.render(instant)}"
