"""What was rejected of a hub: the list on its first page, one rejection, and the replay."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response
from starlette.routing import Route

from db import rejections, replays
from db.audit import Author
from db.errors import Refused
from db.rejections import Rejection, RejectionFilter
from db.replays import Replay
from handlers.hub import permissions
from handlers.hub.sessions import HubVisit, route
from handlers.pages import parameters, payloads
from handlers.pages.page_problems import PageRefusal
from handlers.pages.payloads import Payload
from handlers.paths import HUB
from handlers.sessions.reading import sentence
from openapi import problems
from openapi.serving.error_styles import PROBLEMS

PATH, REPLAY = f"{HUB}/rejected", f"{HUB}/replay"
ROWS = 50
JOBS, STORED = 5, 20
"""The replays, and the rejections they have stored, that the first page shows: the newest."""
PAUSE = timedelta(minutes=1)
"""Between the beginnings of two replays of a hub."""
_HIGHEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Rejected:
    """A part of the list: rejections, and the path of older ones, None if there are none."""

    rows: Sequence[Rejection]
    more: str | None
    is_first: bool


@dataclass(frozen=True, slots=True)
class Replays:
    """The newest replays of what the hub sent, and what the newest have stored, whoever began them.

    `own` has the ids of those that the hub has begun; before `next_at` it may begin no other, None if it may now.
    """

    jobs: Sequence[Replay]
    own: frozenset[UUID]
    stored: Sequence[Rejection]
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class HubRejection:
    """The page of one rejection; `meaning` is the path of the page of its problem, None if there is none.

    `no_replay` says what the session lacks for a replay; empty if nothing.
    """

    rejection: Rejection
    payload: Payload
    meaning: str | None
    no_replay: str
    title: str = "A rejected submission"
    tab: str = HUB


def routes() -> list[Route]:
    """The page of a rejection, and the form that replays."""
    return [
        route(f"{PATH}/{{id}}", "GET", _show, operation_id=permissions.REJECTION),
        route(REPLAY, "POST", _replay, operation_id=permissions.REPLAY),
    ]


async def part(visit: HubVisit) -> Rejected:
    """The part of the list that a request asks for."""
    before = parameters.number(visit.request, "before", _HIGHEST)
    asked = RejectionFilter(hub_id=visit.session.hub_id)
    rows = await visit.read(rejections.page, asked, "waiting", before, ROWS + 1)
    more = f"{HUB}?before={rows[ROWS - 1].position}" if len(rows) > ROWS else None
    return Rejected(rows[:ROWS], more, before is None)


async def replays_of(visit: HubVisit) -> Replays:
    """What replays have done lately."""
    name, hub_id = _author(visit).name, visit.session.hub_id
    jobs = await visit.read(replays.of_hub, name, hub_id, JOBS)
    own = [job for job in jobs if job.created_by == name]
    stored = await visit.read(rejections.replayed_last, hub_id, STORED)
    next_at = max((job.created_at + PAUSE for job in own), default=None)
    may_begin = next_at is None or next_at <= datetime.now(UTC)
    return Replays(jobs, frozenset(job.id for job in own), stored, None if may_begin else next_at)


async def _show(visit: HubVisit) -> Response:
    identifier = _uuid(visit.request.path_params["id"])
    found = await visit.read(rejections.find, identifier) if identifier else None
    if found is None or found[0].hub_id != visit.session.hub_id:
        raise PageRefusal(
            404,
            "rejection_not_found",
            "Your hub has no rejection with this id",
            "The oldest are forgotten, as the operator has set.",
            {HUB: "What is rejected now"},
        )
    rejection, raw = found
    payload = await asyncio.to_thread(payloads.payload, raw, rejection.pointer)
    meaning = f"{PROBLEMS}/{rejection.code}" if rejection.code in problems.TABLE else None
    return visit.page("hub_rejection.html", HubRejection(rejection, payload, meaning, visit.lack(permissions.REPLAY)))


async def _replay(visit: HubVisit) -> Response:
    ids = tuple(sorted({identifier for text in visit.form.every("id") if (identifier := _uuid(text))}))
    asked = RejectionFilter(hub_id=visit.session.hub_id, ids=ids[:ROWS] if ids else None)
    if not ids and not visit.form.text("all"):
        return await visit.go_on(HUB, "Tick what you want to replay.", "asks")
    try:
        await visit.read(_start, _author(visit), asked)
    except Refused as error:
        return await visit.go_on(HUB, sentence(error), "asks")
    return await visit.go_on(HUB, "The replay has begun. It goes on, also when you close this page.")


def _start(connection: Connection, author: Author, asked: RejectionFilter) -> None:
    """Begin a replay; Refused if the hub has just begun another one."""
    last = replays.begun_by(connection, author.name, 1)
    if last and last[0].created_at > datetime.now(UTC) - PAUSE:
        raise Refused("your hub has begun a replay less than a minute ago: wait, and look at what came of it")
    replays.start(connection, author, asked)


def _author(visit: HubVisit) -> Author:
    return Author(f"hub:{visit.session.hub_id}", None, visit.request.client.host if visit.request.client else None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
