"""The contracts of the service: what governs, and whether documents, rows and published digests agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from db import contract_changes, contracts, version_usage
from db.contract_changes import Change
from db.contracts import SERVING, ContractRow
from handlers.admin.contracts.standing import PATH
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.contracts.lifecycle import differences, digest_of
from handlers.site.service_state import service_state
from openapi.contract import published

DAYS = 7
"""The days whose requests are counted."""
HISTORY = 200
"""Limit on the changes that are looked at; those of SHOWN are on the page."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Version:
    """A row of the table: `requests` and `hubs` are those of its major version lately, if it governs that."""

    number: str
    status: str
    since: datetime
    sunset: datetime | None
    digest: str
    document: str
    is_alike: bool
    requests: int | None
    hubs: int


@dataclass(frozen=True, slots=True)
class Governing:
    """A contract that this worker serves."""

    major: int
    version: str
    path: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The page. `differences` and `warnings` are sentences with the remedy."""

    governing: Sequence[Governing]
    warnings: Sequence[str]
    differences: Sequence[str]
    versions: Sequence[Version]
    history: Sequence[Change]
    may_publish: bool
    days: int = DAYS
    title: str = "Contracts"
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, PATH): _list}


def since(row: ContractRow, history: Sequence[Change]) -> datetime:
    """Since when a row has its status."""
    instants = {
        "active": row.activated_at,
        "deprecated": row.deprecated_at,
        "retired": row.retired_at,
        "withdrawn": row.withdrawn_at,
    }
    known = (
        change.changed_at
        for change in history
        if change.contract_version == row.contract_version and change.status_after == row.status != change.status_before
    )
    return instants.get(row.status) or next(known, row.published_at)


async def _list(visit: Visit) -> Response:
    serving = service_state(visit.request).serving
    governing = [Governing(each.major, each.version, each.server_path or "/") for each in serving.contracts]
    versions, history, drift = await visit.read(_read)
    page = Listing(governing, serving.warnings, drift, versions, history, visit.frame.may(GET, f"{PATH}/publish"))
    return visit.page("admin_contracts.html", page)


def _read(connection: Connection) -> tuple[list[Version], list[Change], list[str]]:
    history = contract_changes.newest(connection, HISTORY)
    used = version_usage.totals(connection, (datetime.now(UTC) - timedelta(days=DAYS - 1)).date())
    release = {contract.version: contract.digest for contract in published()}
    rows = reversed(contracts.list_all(connection))
    versions = [_version(row, history, release, used.get(row.major, (0, 0))) for row in rows]
    return versions, history[:SHOWN], differences(connection)


def _version(row: ContractRow, history: list[Change], release: dict[str, str], used: tuple[int, int]) -> Version:
    document, is_alike = document_words(row, release.get(row.contract_version))
    is_serving = row.status in SERVING
    return Version(
        row.contract_version,
        row.status,
        since(row, history),
        row.sunset_at,
        row.digest,
        document,
        is_alike,
        used[0] if is_serving else None,
        used[1],
    )


def document_words(row: ContractRow, of_release: str | None) -> tuple[str, bool]:
    """How the document in a row, its published digest and the document `of_release` agree; and whether they do."""
    digest, fault = digest_of(row.document)
    if fault:
        return "cannot be read", False
    if digest != row.digest:
        return "edited since it was published", False
    if of_release is None:
        return "as published; not in this release", True
    return (
        ("as published and as in this release", True) if digest == of_release else ("other than this release's", False)
    )
