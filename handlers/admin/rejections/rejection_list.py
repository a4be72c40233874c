"""The list of rejections: what is refused, why, and whether it can be mended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from starlette.responses import Response

from db import hubs, rejections, replays
from db.rejections import KINDS, CodeCount, Rejection, RejectionFilter
from db.replays import Replay
from handlers.admin.rejections import filters
from handlers.admin.rejections.filters import PATH, Asked
from handlers.admin.roles import GET, TABLE
from handlers.admin.visits import Handle, Visit
from handlers.pages import parameters
from handlers.paths import ADMIN, REGISTRY, WIDGETS
from handlers.sessions.fields import Fields
from openapi import problems
from openapi.serving.error_styles import PROBLEMS, title

ROWS = 50
REPLAYS = 3
"""The replays that the page shows, besides those that have not ended."""
MOST_UNFINISHED = 20
_HIGHEST = 2**63 - 1
WIDGET_NOT_REGISTERED = "widget_not_registered"
_AFTER_A_CHANGE = "Only after a change of its contract or schema, or the hub sends it again, corrected."
MENDING: Mapping[str, str] = {
    "event_type_not_registered": "Register the event type, then replay.",
    WIDGET_NOT_REGISTERED: "Register the widget, then replay.",
    "event_not_found": "Replay the event first, then this.",
    "invalid_body": _AFTER_A_CHANGE,
    "unstorable_value": "The hub must send it again, corrected.",
    "malformed_json": "The hub must send it again, corrected.",
    "content_too_large": "The hub must send it again, in parts.",
    "too_many_items": "The hub must send it again, in parts.",
    "idempotency_conflict": "The hub has used the key twice: it must send it again, under another one.",
    "internal_error": "The log of the service says why. Replay it when that is mended.",
}
"""Whether a replay can mend a rejection, by code."""
REGISTERED_AT: Mapping[str, str] = {"event_type_not_registered": REGISTRY, WIDGET_NOT_REGISTERED: WIDGETS}
"""Where what is missing is registered, by code."""


@dataclass(frozen=True, slots=True)
class RejectionList:
    """The page: rejections of a filter, of which `count` would be replayed, and all by code if there is no filter.

    `names` has the hubs of the filters of replays; `more` is the path of older rejections, None if there are none.
    """

    asked: Asked
    codes: Sequence[CodeCount]
    rejections: Sequence[Rejection]
    count: int
    more: str | None
    replays: Sequence[tuple[Replay, str]]
    fields: Fields
    has_hub_pages: bool = field(default_factory=lambda: (GET, f"{ADMIN}/hubs/{{name:path}}") in TABLE)
    kinds: tuple[str, ...] = KINDS
    states: tuple[str, ...] = filters.STATES
    labels: Mapping[str, str] = field(default_factory=lambda: {"id": "Rejections", "why": "Why"})
    title: str = "Rejected"
    tab: str = PATH

    def path(self, **given: str) -> str:
        """The path of the list with another filter."""
        return Asked(**given).path()  # type: ignore[arg-type] # names of Asked

    def heading(self, code: str) -> str:
        """A code in words."""
        row = problems.TABLE.get(code)
        return (row and row.heading) or title(code)

    def meaning(self, code: str) -> str | None:
        """The path of the page that says what a code means; None if it has none."""
        return f"{PROBLEMS}/{code}" if code in problems.TABLE else None

    def mending(self, code: str) -> str:
        """Whether a replay can mend it."""
        return MENDING.get(code, "")

    def registered_at(self, code: str) -> str:
        """The path where what is missing is registered; empty if nothing is."""
        return REGISTERED_AT.get(code, "")


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, PATH): _list}


async def _list(visit: Visit) -> Response:
    before = parameters.number(visit.request, "before", _HIGHEST)
    return await page(visit, filters.of_query(visit.request), before, Fields())


async def page(visit: Visit, asked: Asked, before: int | None, fields: Fields) -> Response:
    """The list of a filter, below the position `before`; 422 if the `fields` of its form have faults."""
    shown = await visit.read(_read, asked, before, fields)
    return visit.page("rejected.html", shown, 422 if fields.faults else 200)


def _read(connection: Connection, asked: Asked, before: int | None, fields: Fields) -> RejectionList:
    chosen = asked.of(connection)
    rows = rejections.page(connection, chosen, asked.state, before, ROWS + 1)
    more = asked.path(before=rows[ROWS - 1].position) if len(rows) > ROWS else None
    is_first = not asked.given and asked.state == "waiting" and before is None
    return RejectionList(
        asked,
        rejections.by_code(connection) if is_first else [],
        rows[:ROWS],
        rejections.count_waiting(connection, chosen) if asked.state == "waiting" else 0,
        more,
        jobs(connection) if is_first else [],
        fields,
    )


def jobs(connection: Connection) -> list[tuple[Replay, str]]:
    """The replays that have not ended and the last ones that have, each with what it is of."""
    ended = [replay for replay in replays.newest(connection, REPLAYS) if replay.finished_at]
    return [
        (replay, in_words(connection, replay)) for replay in [*replays.unfinished(connection, MOST_UNFINISHED), *ended]
    ]


def in_words(connection: Connection, replay: Replay) -> str:
    """What a replay is of."""
    hub_id = RejectionFilter.of(replay.filter).hub_id
    return filters.in_words(replay.filter, hubs.name_of(connection, hub_id) if hub_id else None)
