"""Any two contracts compared: those that are published on the portal, and drafts here."""

from functools import partial

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from db import contracts
from db.contracts import ContractRow
from handlers.admin.contracts.standing import PATH, unknown
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.contracts.serving_plan import read
from handlers.pages import parameters
from handlers.pages.page_problems import PageRefusal
from handlers.pages.templates import PRIVATE
from handlers.paths import CONTRACTS
from handlers.portal.comparison_pages import Comparison, comparison
from handlers.site.service_state import service_state
from openapi.contract import ContractError
from openapi.diff.reports.report import Report


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, f"{PATH}/compare"): _compare}


async def _compare(visit: Visit) -> Response:
    names = parameters.text(visit.request, "old"), parameters.text(visit.request, "new")
    old, new = await visit.read(_pair, *names)
    if "draft" not in (old.status, new.status):
        return RedirectResponse(f"{CONTRACTS}/{old.contract_version}/diff/{new.contract_version}", 303, PRIVATE)
    publications = service_state(visit.request).publications
    page = await publications.build(partial(_page, old, new))
    return await publications.build(partial(visit.page, "admin_comparison.html", page))


def _pair(connection: Connection, old: str, new: str) -> tuple[ContractRow, ContractRow]:
    rows = {row.contract_version: row for row in contracts.list_all(connection)}
    for name in (old, new):
        if name not in rows:
            raise unknown(name, list(rows))
    return rows[old], rows[new]


def _page(old: ContractRow, new: ContractRow) -> Comparison:
    try:
        report = Report.of(read(old), read(new), (old.contract_version, new.contract_version))
    except ContractError as error:
        raise PageRefusal(
            409, "contract_unreadable", "They cannot be compared", str(error)[:500], {PATH: "All contracts"}
        ) from None
    return comparison(report)
