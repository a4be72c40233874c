"""The manifests of a hub, and what one changes against another."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from db import hub_capability_manifests, hubs
from db.hub_capability_manifests import Revision
from handlers.admin.hubs.manifest_changes import Comparison, compare
from handlers.admin.hubs.paths import HUBS, form_path, name_of, route
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.pages import parameters
from handlers.paths import hub_path

MANIFESTS = "manifests"
ROWS = 50
_HIGHEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Manifests:
    """The page: the newest revisions, and a comparison, None if the hub has fewer than two and none was asked for."""

    hub: str
    revisions: Sequence[Revision]
    comparison: Comparison | None
    title: str = "Manifests"
    tab: str = HUBS

    @property
    def back(self) -> str:
        """The path of the page of the hub."""
        return hub_path(self.hub)

    @property
    def here(self) -> str:
        """The path of this page, without a query."""
        return form_path(MANIFESTS, self.hub).partition("?")[0]

    @property
    def is_query(self) -> bool:
        """True if the name is in the query of the path, not in the path."""
        return "?" in form_path(MANIFESTS, self.hub)

    def against_former(self, number: int) -> str:
        """The path of the comparison of a revision with the one before it."""
        path = form_path(MANIFESTS, self.hub)
        return f"{path}{'&' if '?' in path else '?'}{urlencode({'from': number - 1, 'to': number})}"


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, route(MANIFESTS)): _show}


async def _show(visit: Visit) -> Response:
    request, name = visit.request, name_of(visit.request)
    first, last = parameters.number(request, "from", _HIGHEST), parameters.number(request, "to", _HIGHEST)
    revisions, comparison = await visit.read(_read, name, first, last)
    return visit.page("hub_manifests.html", Manifests(name, revisions, comparison))


def _read(
    connection: Connection, name: str, first: int | None, last: int | None
) -> tuple[list[Revision], Comparison | None]:
    hub = hubs.get(connection, name)
    revisions = hub_capability_manifests.history(connection, hub.id, ROWS)
    newest = revisions[0].number if revisions else 0
    after = newest if last is None else last
    before = after - 1 if first is None else first
    if first is None and last is None and newest <= 1:
        return revisions, None
    return revisions, compare(connection, name, before, after)
