"""Where a contract stands: what a page shows before a change, and what must still be so when the change is made."""

from dataclasses import dataclass

from sqlalchemy import Connection

from db import contract_changes, contracts
from db.contracts import SERVING, ContractRow
from db.errors import NotFound, Refused
from handlers.admin import stale
from handlers.contracts.lifecycle import digest_of
from handlers.pages.page_problems import PageRefusal
from handlers.paths import ADMIN
from handlers.similar_names import SimilarNames

PATH = f"{ADMIN}/contracts"
KIND = "contract"
"""What the audit log calls a contract."""
_SIMILAR = 3
_LOOKED_BACK = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """The row of a version, the digest of its document as it is now, and its major version.

    `governing` is the row that governs that, `previous` the one that governed before; None without one. `fault` says
    why the row holds no contract.
    """

    row: ContractRow
    digest: str
    fault: str | None
    governing: ContractRow | None
    governing_digest: str
    previous: ContractRow | None
    previous_digest: str

    @property
    def version(self) -> str:
        """Its number."""
        return self.row.contract_version

    @property
    def is_serving(self) -> bool:
        """True if it governs its major version."""
        return self.row.status in SERVING

    @property
    def actions(self) -> list[str]:
        """What an owner may do with it now."""
        if not self.is_serving:
            return [
                *(["activate"] if self.row.status != "withdrawn" else []),
                *(["withdraw-version"] if self.row.is_withdrawable(self.governing) else []),
                *(["discard"] if self.row.is_discardable else []),
            ]
        later = ["withdraw-deprecation", "retire"] if self.row.status == "deprecated" else []
        return ["deprecate", *later, *(["rollback"] if self.previous else [])]


def standing(connection: Connection, version: str) -> Standing:
    """Where `version` stands; a PageRefusal that leads to the others if absent."""
    try:
        row = contracts.get(connection, version.replace("\0", ""))
        if row.contract_version != version:
            raise NotFound
    except NotFound:
        raise unknown(version, [each.contract_version for each in contracts.list_all(connection)]) from None
    governing = next((each for each in contracts.serving(connection) if each.major == row.major), None)
    previous = _previous(connection, row.major)
    digest, fault = digest_of(row.document)
    others = (digest_of(each.document)[0] if each else "" for each in (governing, previous))
    governing_digest, previous_digest = others
    return Standing(row, digest, fault, governing, governing_digest, previous, previous_digest)


def require_unchanged(connection: Connection, version: str, seen: str) -> Standing:
    """Where `version` stands, locked against changes; PageRefusal 409 if that is not what a page showed as `seen`."""
    contracts.lock(connection)
    now = standing(connection, version)
    changes = contract_changes.newest(connection, _LOOKED_BACK)
    of_major = (each.contract_version for each in changes if each.contract_version.split(".")[0] == str(now.row.major))
    shown = stale.Shown(KIND, next(of_major, version), seen, f"{PATH}/{version}")
    stale.require_unchanged(connection, now, shown)
    return now


def unknown(version: str, known: list[str]) -> PageRefusal:
    """The page for a version that does not exist."""
    nearest = SimilarNames(tuple(known)).several(version, _SIMILAR)
    links = {f"{PATH}/{each}": f"Contract {each}" for each in dict.fromkeys([*nearest, *reversed(known)])}
    return PageRefusal(404, "contract_not_found", "There is no such contract", "These versions are there.", links)


def _previous(connection: Connection, major: int) -> ContractRow | None:
    try:
        return contracts.before(connection, major)
    except Refused:
        return None
