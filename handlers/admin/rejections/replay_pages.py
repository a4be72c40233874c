"""Replays as pages: they are begun, watched and cancelled here. They go on when their page is closed."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from db import hubs, replays
from db.rejections import RejectionFilter
from db.replays import Replay
from handlers.admin.rejections import filters, rejection_list
from handlers.admin.rejections.filters import PATH as REJECTED
from handlers.admin.rejections.filters import Asked
from handlers.admin.rejections.rejection_page import uuid_in
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.pages.page_problems import PageRefusal
from handlers.paths import ADMIN
from handlers.sessions.fields import Fields

PATH = f"{ADMIN}/replays"
MOST_SELECTED = 90
"""A form has at most a hundred fields."""


@dataclass(frozen=True, slots=True)
class ReplayPage:
    """The page of one job: `of` says what it replays, `rest` is the path of what it has left rejected."""

    replay: Replay
    of: str
    rest: str
    title: str = "Replay"
    tab: str = REJECTED


def pages() -> dict[tuple[str, str], Handle]:
    """The page and its forms."""
    return {
        (POST, PATH): _start,
        (GET, f"{PATH}/{{id}}"): _show,
        (POST, f"{PATH}/{{id}}/cancel"): _cancel,
    }


async def start_replay(visit: Visit, asked: RejectionFilter) -> UUID:
    """Begin to replay what waits now and `asked` describes; returns the id of the job, which is at `path_of`.

    If the same is being replayed it is that job. Refused if nothing like that waits.
    """
    return await visit.change("replay", replays.start, visit.author, asked)


def path_of(identifier: UUID) -> str:
    """The page of a job."""
    return f"{PATH}/{identifier}"


async def _start(visit: Visit) -> Response:
    """Replay the selected rejections, or all of the filter of the list."""
    fields = Fields(visit.form)
    asked = filters.of_form(fields)
    fields.text("why")
    if fields.choice("scope", ("selected", "filter")) == "filter":
        chosen = await visit.read(asked.of)
    else:
        chosen = RejectionFilter(ids=_selected(visit, fields))
    if fields.faults:
        return await rejection_list.page(visit, asked, None, fields)
    identifier = await start_replay(visit, chosen)
    return await visit.go_on(path_of(identifier), "The replay goes on, also when you close this page.")


def _selected(visit: Visit, fields: Fields) -> tuple[UUID, ...]:
    """The ids of the boxes that were ticked, each once; notes a fault if there are none, or others than ids."""
    texts = dict.fromkeys(visit.form.every("id"))
    ids = [identifier for text in texts if (identifier := uuid_in(text)) is not None]
    if not texts:
        fields.refuse("id", "Tick the rejections that you want to replay.")
    elif len(ids) < len(texts) or len(ids) > MOST_SELECTED:
        fields.refuse("id", f"Tick at most {MOST_SELECTED} rejections of the list.")
    return tuple(sorted(ids))


async def _show(visit: Visit) -> Response:
    page = await visit.read(_read, _identifier(visit))
    if page is None:
        raise _unknown()
    return visit.page("replay.html", page)


async def _cancel(visit: Visit) -> Response:
    identifier = _identifier(visit)
    replay = await visit.change("cancel replay", replays.cancel, visit.author, identifier)
    return await visit.go_on(path_of(replay.id), "The replay is cancelled. What it has stored stays.")


def _read(connection: Connection, identifier: UUID) -> ReplayPage | None:
    if (replay := replays.find(connection, identifier)) is None:
        return None
    given = RejectionFilter.of(replay.filter)
    hub = hubs.name_of(connection, given.hub_id) if given.hub_id else None
    rest = Asked(hub=hub or "", event_type=given.event_type or "", kind=given.kind or "")  # the code may be another
    return ReplayPage(replay, filters.in_words(replay.filter, hub), rest.path())


def _identifier(visit: Visit) -> UUID:
    identifier = uuid_in(visit.request.path_params["id"])
    if identifier is None:
        raise _unknown()
    return identifier


def _unknown() -> PageRefusal:
    return PageRefusal(
        404,
        "not_found",
        "No replay has this id",
        f"Replays are forgotten {replays.KEPT_DAYS} days after their end. The audit log keeps what came of them.",
        {REJECTED: "What is rejected now", f"{ADMIN}/audit?kind=rejected+submissions": "Replays in the audit log"},
    )
