"""One contract: its status, its digests, how it differs from others, its rehearsals, and what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection
from starlette.responses import Response

from db import contract_changes, contract_rehearsals, contracts
from db.contract_changes import Change
from db.contract_rehearsals import ContractRehearsal
from handlers.admin.contracts.listing import HISTORY, SHOWN, document_words, since
from handlers.admin.contracts.standing import PATH, Standing, standing
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.contracts.publications import instants
from handlers.sessions.fields import Fields
from openapi.contract import published
from openapi.rendering.card import INSTANTS

LAST = "100000"
"""How many submissions of each kind a rehearsal tries, unless another number is typed."""
ACTIONS = {
    "activate": "Activate",
    "deprecate": "Deprecate",
    "withdraw-deprecation": "Take back the deprecation of",
    "retire": "Retire",
    "rollback": "Roll back",
    "withdraw-version": "Withdraw version",
    "discard": "Discard",
}


@dataclass(frozen=True, slots=True)
class VersionPage:
    """The page. `others` are the other versions, and `actions` the words of what this admin may do, by path."""

    standing: Standing
    since: datetime
    document: str
    is_alike: bool
    of_release: str | None
    instants: dict[str, datetime]
    others: Sequence[str]
    rehearsals: Sequence[ContractRehearsal]
    history: Sequence[Change]
    actions: dict[str, str]
    may_edit: bool
    fields: Fields
    title: str
    tab: str = PATH

    @property
    def compared(self) -> str | None:
        """The version that it is compared with unless another one is chosen: what governs, or governed before."""
        row = self.standing.previous if self.standing.is_serving else self.standing.governing
        return row.contract_version if row else None


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, f"{PATH}/{{version}}"): show}


async def show(visit: Visit, fields: Fields | None = None, status: int = 200) -> Response:
    """The page of the version in the path; `fields` are those of its form for a rehearsal."""
    at, others, history, rehearsals = await visit.read(_read, visit.request.path_params["version"])
    of_release = {contract.version: contract.digest for contract in published()}.get(at.version)
    document, is_alike = document_words(at.row, of_release)
    known = {INSTANTS[name]: instant for name, instant in instants(at.row).items() if instant}
    page = VersionPage(
        at,
        since(at.row, history),
        document,
        is_alike,
        of_release,
        known,
        others,
        rehearsals,
        [change for change in history if change.contract_version == at.version][:SHOWN],
        {
            f"{PATH}/{at.version}/{action}": f"{ACTIONS[action]} {at.version}"
            for action in at.actions
            if visit.frame.may(GET, f"{PATH}/{{version}}/{action}")
        },
        visit.frame.may(POST, f"{PATH}/{{version}}/rehearse"),
        fields or Fields(last=LAST),
        f"Contract {at.version}",
    )
    return visit.page("admin_contract.html", page, status)


def _read(connection: Connection, version: str) -> tuple[Standing, list[str], list[Change], list[ContractRehearsal]]:
    at = standing(connection, version)
    others = [row.contract_version for row in contracts.list_all(connection) if row.contract_version != version]
    history = contract_changes.newest(connection, HISTORY)
    return at, others, history, contract_rehearsals.of_version(connection, version)
