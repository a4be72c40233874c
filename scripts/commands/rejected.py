"""`interaction-reporting rejected`: what is refused, and how it is submitted again."""

import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import Connection

from db import hubs, rejections, replays
from db.audit import Author
from db.engine import Database
from db.errors import NotFound, Refused
from db.rejections import KINDS, Rejection, RejectionFilter
from db.replays import Replay
from scripts.commands.arguments import AsJSON, name_of, uuid_of
from scripts.commands.changes import Why, login
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import Settings

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 10.0
"""A replay that no worker has taken for so long probably has no service."""
MOST_ROWS = 1000


def _kind_of(text: str) -> str:
    if text not in KINDS:
        raise typer.BadParameter(f"it is not one of {', '.join(KINDS)}")
    return text


Code = Annotated[str | None, typer.Option(help="Only with this code.", parser=name_of)]
Hub = Annotated[str | None, typer.Option(help="Only of the hub with this name.", parser=name_of)]
EventType = Annotated[str | None, typer.Option(help="Only with this event type, as it was sent.", parser=name_of)]
Kind = Annotated[str | None, typer.Option(help=f"Only of this kind: {', '.join(KINDS)}.", parser=_kind_of)]


def list_(  # noqa: PLR0913, PLR0917 (the options of a command)
    code: Code = None,
    hub: Hub = None,
    event_type: EventType = None,
    kind: Kind = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Those that a replay has stored.")] = False,
    limit: Annotated[int, typer.Option(help="The most that are listed.", min=1, max=MOST_ROWS)] = 50,
    as_json: AsJSON = False,
) -> None:
    """List rejections, the newest first."""
    with _connection() as connection:
        chosen = _filter(connection, code, hub, event_type, kind)
        rows = rejections.page(connection, chosen, "replayed" if replayed else "waiting", None, limit)
    show([asdict(row) if as_json else _short(row) for row in rows], as_json)


def codes(as_json: AsJSON = False) -> None:
    """Count the rejections that wait for a replay, by code: the newest 10,000 of each."""
    with _connection() as connection:
        show(rejections.by_code(connection), as_json)


def show_(
    identifier: Annotated[UUID, typer.Argument(metavar="ID", help="The id of a rejection.", parser=uuid_of)],
    as_json: AsJSON = False,
) -> None:
    """Show one rejection with its content; bytes that are not UTF-8 are escaped."""
    with _connection() as connection:
        found = rejections.find(connection, identifier)
    if found is None:
        raise NotFound(f"there is no rejection {identifier}: it may have been forgotten, as IR_REJECTIONS_* say")
    rejection, raw = found
    content = {"content": raw.decode(errors="backslashreplace")}
    if as_json:
        content |= {"content_base64": base64.b64encode(raw).decode()}
    show(asdict(rejection) | content, as_json)


def replay(  # noqa: PLR0913, PLR0917 (the options of a command)
    code: Code = None,
    hub: Hub = None,
    event_type: EventType = None,
    kind: Kind = None,
    ids: Annotated[
        list[UUID] | None, typer.Option("--id", help="Only this one; may be repeated.", parser=uuid_of)
    ] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Submit rejections again by a running service, and wait for the end.

    The service goes on without this command.
    """
    with database(Settings.read()) as opened:
        with opened.begin() as connection:
            chosen = _filter(connection, code, hub, event_type, kind, ids)
            identifier = replays.start(connection, Author(f"cli:{login()}", why), chosen)
        ended = _waited_for(opened, identifier)
    show(_counts(ended), as_json)
    if ended.state != "finished":
        raise Refused(f"the replay is {ended.state}" + (f": {ended.fault}" if ended.fault else ""))


def _waited_for(opened: Database, identifier: UUID) -> Replay:
    """The job when it has ended; a note says so if no service works on it."""
    began, is_noted = time.monotonic(), False
    while True:
        with opened.begin() as connection:
            job = replays.find(connection, identifier)
        if job is None:
            raise NotFound(f"the replay {identifier} is gone")
        if job.finished_at:
            return job
        if job.state == "waiting" and not is_noted and time.monotonic() > began + PATIENCE_SECONDS:
            note("No service works on the replay yet: start one with 'interaction-reporting serve'. Ctrl-C leaves it.")
            is_noted = True
        time.sleep(LOOK_SECONDS)


def _counts(job: Replay) -> dict[str, Any]:
    names = ("id", "state", "total", "stored", "rejected", "skipped", "left")
    return {name: str(value) if isinstance(value := getattr(job, name), UUID) else value for name in names}


def _short(row: Rejection) -> dict[str, Any]:
    names = ("id", "hub", "kind", "event_type", "code", "error", "received_at")
    return {name: getattr(row, name) for name in names}


def _filter(  # noqa: PLR0913, PLR0917 (the options of a command)
    connection: Connection,
    code: str | None,
    hub: str | None,
    event_type: str | None,
    kind: str | None,
    ids: list[UUID] | None = None,
) -> RejectionFilter:
    hub_id = hubs.get(connection, hub).id if hub else None
    return RejectionFilter(code, hub_id, event_type, kind, tuple(sorted(ids)) if ids else None)


@contextmanager
def _connection() -> Iterator[Connection]:
    with database(Settings.read()) as opened, opened.begin() as connection:
        yield connection
