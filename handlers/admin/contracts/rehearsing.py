"""Rehearsals of contracts: one is begun here, goes on by itself, and its page shows how far it is and what it found."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from db import audit, contract_rehearsals
from db.contract_rehearsals import ContractRehearsal
from db.errors import NotFound
from handlers.admin.contracts import version_page
from handlers.admin.contracts.standing import KIND, PATH, Standing, standing
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.pages.page_problems import PageRefusal
from handlers.sessions.fields import Fields
from handlers.site.service_state import service_state

MOST = 1_000_000
"""Limit on the submissions of each kind that a rehearsal tries."""


@dataclass(frozen=True, slots=True)
class RehearsalPage:
    """The page of one rehearsal; `result` is None before it ends. It is of other documents if not `is_current`."""

    rehearsal: ContractRehearsal
    result: dict[str, Any] | None
    standing: Standing
    is_current: bool
    title: str
    tab: str = PATH

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return min(100, 100 * self.rehearsal.done // max(1, self.rehearsal.total or 1))


def pages() -> dict[tuple[str, str], Handle]:
    """The page, and the form that begins one."""
    one = f"{PATH}/{{version}}"
    return {(POST, f"{one}/rehearse"): _begin, (GET, f"{one}/rehearsals/{{id}}"): _show}


def is_current(rehearsal: ContractRehearsal, at: Standing) -> bool:
    """True if a rehearsal is of the documents that are in the rows now, so that its result still counts."""
    governs = at.governing is None or rehearsal.governing is None or rehearsal.governing_document == at.governing_digest
    return rehearsal.document == at.digest and (governs or at.is_serving)


def counts(rehearsal: ContractRehearsal, at: Standing) -> bool:
    """True if an activation may rely on a rehearsal: it is done, of these documents, and looked at stored rows too."""
    return rehearsal.status == "done" and rehearsal.newly_unanswerable is not None and is_current(rehearsal, at)


async def _begin(visit: Visit) -> Response:
    version = visit.request.path_params["version"]
    fields = Fields(visit.form)
    last = fields.number("last", 1, MOST)
    if last is None and not fields.faults:
        fields.refuse("last", f"Enter a whole number from 1 to {MOST:,}.")
    if last is None or fields.faults:
        return await version_page.show(visit, fields, 422)
    identifier = await visit.change("rehearse", _add, visit, version, last)
    service_state(visit.request).rehearsal_runs.begun()
    return await visit.go_on(
        f"{PATH}/{version}/rehearsals/{identifier}", "The rehearsal is begun. It goes on if you close this page."
    )


def _add(connection: Connection, visit: Visit, version: str, last: int) -> UUID:
    at = standing(connection, version)
    if at.fault:
        raise PageRefusal(409, "contract_unreadable", "The row holds no contract", at.fault[:500], {PATH: "Contracts"})
    identifier = contract_rehearsals.begin(connection, version, at.digest, last, visit.author.name)
    audit.note(connection, visit.author, "rehearse", KIND, version, rehearsal=str(identifier), last=last)
    return identifier


async def _show(visit: Visit) -> Response:
    version, identifier = (visit.request.path_params[name] for name in ("version", "id"))
    rehearsal, result, at = await visit.read(_read, version, identifier)
    page = RehearsalPage(
        rehearsal, result, at, is_current(rehearsal, at), f"Rehearsal of contract {rehearsal.contract_version}"
    )
    return visit.page("admin_rehearsal.html", page)


def _read(
    connection: Connection, version: str, identifier: str
) -> tuple[ContractRehearsal, dict[str, Any] | None, Standing]:
    at = standing(connection, version)
    with suppress(ValueError, NotFound):
        rehearsal, result = contract_rehearsals.get(connection, UUID(identifier))
        if rehearsal.contract_version == version:
            return rehearsal, result, at
    raise PageRefusal(
        404,
        "rehearsal_not_found",
        "There is no such rehearsal",
        f"The last {contract_rehearsals.KEPT} of each version are kept.",
        {f"{PATH}/{version}": f"Contract {version}"},
    )
