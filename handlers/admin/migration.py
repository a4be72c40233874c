"""The migration to another major version: who would break at its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.contracts import migration
from handlers.contracts.migration import DEFAULT_DAYS, MOST_DAYS, HubUse, Migration, MigrationPage, Part
from handlers.pages import parameters
from handlers.pages.charts import Chart
from handlers.pages.templates import PRIVATE
from handlers.paths import ADMIN, MIGRATION
from handlers.site.migration_reports import version_sentence

PATH = f"{ADMIN}/migration"
ROWS = 50
EVERY = "all"
"""The value of the filter for every hub; without it, those that would break are listed."""


@dataclass(frozen=True, slots=True)
class Row:
    """A hub, and its requests by day: all, and those to versions that it should leave."""

    hub: HubUse
    chart: Chart
    requests: dict[int, int]


@dataclass(frozen=True, slots=True)
class MigrationOverview:
    """The page. `would_break` counts all hubs that would; `more` is the path of the next part, None at the end."""

    sentences: Sequence[str]
    is_migrating: bool
    would_break: int
    rows: Sequence[Row]
    days: int
    of: str
    more: str | None
    is_first: bool
    title: str = "Migration"
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, PATH): _show}


def redirect() -> Route:
    """The former address of the page, where programs find the report."""

    async def endpoint(_request: Request) -> Response:
        return RedirectResponse(PATH, 303, PRIVATE)

    return Route(MIGRATION, endpoint, methods=["GET"])


async def _show(visit: Visit) -> Response:
    request = visit.request
    days = parameters.number(request, "days", MOST_DAYS) or DEFAULT_DAYS
    of, after = parameters.choice(request, "of", (EVERY,)), parameters.text(request, "after")
    now = datetime.now(UTC)
    page = await visit.read(migration.page, days, now, Part(after, ROWS, not of))
    return visit.page("migration.html", _overview(page, days, of, after))


def _overview(page: MigrationPage, days: int, of: str, after: str) -> MigrationOverview:
    report = page.report
    query = {"days": str(days), "of": of, "after": page.next_after}
    more = urlencode({name: value for name, value in query.items() if value}, errors="replace")
    return MigrationOverview(
        [version_sentence(version) for version in report.versions],
        any(version.is_left for version in report.versions),
        page.would_break,
        [_row(hub, report) for hub in report.hubs],
        days,
        of,
        f"{PATH}?{more}" if page.next_after else None,
        not after,
    )


def _row(hub: HubUse, report: Migration) -> Row:
    left = [version.major for version in report.versions if version.is_left]
    rows = [
        (
            day.isoformat(),
            (
                sum(use.requests[index] for use in hub.uses.values()),
                sum(hub.uses[major].requests[index] for major in left),
            ),
        )
        for index, day in enumerate(report.days)
    ]
    totals = {major: sum(use.requests) for major, use in hub.uses.items()}
    return Row(hub, Chart("Requests by day", ("requests", "to a version that ends"), rows), totals)
