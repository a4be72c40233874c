"""The first page of a hub: what became of what it sent."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.responses import Response
from starlette.routing import Route

from db import submission_usage
from handlers.hub import permissions, rejected, sign_in
from handlers.hub.rejected import Rejected, Replays
from handlers.hub.sessions import HubVisit, route
from handlers.paths import HUB
from handlers.sessions.fields import Fields

OUTCOMES = ("created", "duplicate", "rejected", "throttled")
PERIODS = {"The last day": timedelta(days=1), "The last seven days": timedelta(days=7)}
PARTS = {"counts": permissions.COUNTS, "rejections": permissions.REJECTIONS, "replay": permissions.REPLAY}
"""The parts of the page, each with the operation of the API that does the same."""


@dataclass(frozen=True, slots=True)
class HubOverview:
    """The page: the numbers of submissions by outcome, for each period, what was rejected, and the last replays.

    `lacks` says, by part, what the session lacks for it, as `permissions.lack` does; then the part is left out.
    """

    hub: str
    totals: dict[str, dict[str, int]]
    rejected: Rejected | None
    replays: Replays | None
    lacks: dict[str, str]
    outcomes: tuple[str, ...] = OUTCOMES
    title: str = "Your hub"
    tab: str = HUB


def routes() -> list[Route]:
    """The page; who is not signed in sees the page where a hub signs in."""
    return [route(HUB, "GET", _show, lambda request: sign_in.page(request, Fields()))]


async def _show(visit: HubVisit) -> Response:
    lacks = {part: visit.lack(operation_id) for part, operation_id in PARTS.items()}
    shown = HubOverview(
        visit.session.hub_name,
        {} if lacks["counts"] else await _totals(visit),
        None if lacks["rejections"] else await rejected.part(visit),
        None if lacks["rejections"] else await rejected.replays_of(visit),
        lacks,
    )
    return visit.page("hub_overview.html", shown)


async def _totals(visit: HubVisit) -> dict[str, dict[str, int]]:
    hub_id, now = visit.session.hub_id, datetime.now(UTC)
    totals = {}
    for words, length in PERIODS.items():
        counts = (await visit.read(submission_usage.outcomes, [hub_id], now - length))[hub_id]
        totals[words] = {outcome: counts[outcome] for outcome in OUTCOMES}
    return totals
