"""The audit log: who changed what, when and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from db import audit
from db.audit import Entry
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.pages import parameters
from handlers.paths import ADMIN

PATH = f"{ADMIN}/audit"
ROWS = 50
KINDS = ("event type", "hub", "client", "contract", "widget", "admin", "rejected submissions")
_HIGHEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The page. `asked` is what the entries are limited to, `more` the path of older ones, None if there are none."""

    entries: Sequence[Entry]
    asked: Mapping[str, str]
    more: str | None
    kinds: tuple[str, ...] = KINDS
    title: str = "Audit"
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, PATH): _list}


async def _list(visit: Visit) -> Response:
    request = visit.request
    asked = {name: parameters.text(request, name) for name in ("actor", "subject")}
    asked["kind"] = parameters.choice(request, "kind", KINDS)
    before = parameters.number(request, "before", _HIGHEST)
    given = {name: value for name, value in asked.items() if value}
    entries = await visit.read(audit.entries, ROWS + 1, before, given)
    shown = entries[:ROWS]
    more = f"{PATH}?{urlencode({**given, 'before': shown[-1].id})}" if len(entries) > ROWS else None
    return visit.page("audit.html", AuditLog(shown, asked, more))
