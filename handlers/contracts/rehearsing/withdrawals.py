"""Withdrawing a version that was rolled back: what was stored under it must stay readable."""

from collections.abc import Callable, Sequence

from db import contracts
from db.audit import Author
from db.contracts import ContractRow
from db.engine import Database
from db.errors import Refused
from handlers.contracts.lifecycle import current_state
from handlers.contracts.rehearsing.records import Unanswerable, stored_under
from openapi.contract import Contract


def withdraw(database: Database, version: str, author: Author, seconds: float) -> ContractRow:
    """Let `version` bind no later version; its row stays, and what was stored under it.

    Refused as in `require_withdrawable`. NotFound if absent.
    """
    require_withdrawable(database, version, seconds)
    with database.begin() as connection:
        return contracts.withdraw(connection, version, author)


def require_withdrawable(
    database: Database, version: str, seconds: float, pause: Callable[[], object] = lambda: None
) -> None:
    """Refused unless `version` is a draft, or was rolled back, and all that was stored under it stays readable.

    Refused while the contracts that are served could not answer with one of these rows, and if they cannot all be
    looked through in `seconds`. `pause` is called between two pages of them. NotFound if absent.
    """
    with database.begin() as connection:
        row = contracts.get(connection, version)
        contracts.require_withdrawable(connection, row)
        served = [major.served.contract for major in current_state(connection) if major.served]
    if row.activated_at is not None:
        _require_readable(row, served, stored_under(database, row, served, seconds, pause), seconds)


def _require_readable(row: ContractRow, served: Sequence[Contract], found: Unanswerable, seconds: float) -> None:
    name = f"contract {row.contract_version}"
    if found.count:
        versions = " or ".join(contract.version for contract in served)
        raise Refused(
            f"{name} cannot be withdrawn: {found.number} under it could not be answered with by contract {versions}, "
            f"such as {'; '.join(found.reasons)}; let a version govern that can answer with them, or withdraw it when "
            "they are erased or dropped"
        )
    if not found.is_complete:
        raise Refused(
            f"{name} cannot be withdrawn yet: {seconds:g} seconds are too few to look through all rows that were "
            "stored since it was published; allow more with --seconds, as in "
            f"'interaction-reporting contract withdraw {row.contract_version} --seconds 600'"
        )
