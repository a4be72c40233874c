"""`interaction-reporting event-type`: the registry of event types."""

import re
from typing import Annotated

import typer
from sqlalchemy import Connection

from db import event_types
from db.errors import Refused
from db.event_types import EventType
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import LONGEST_RETENTION, Settings

FOREVER = 0
"""As days: until IR_RETENTION ends."""

Name = Annotated[str, typer.Argument(help="The event type.", parser=name_of)]


def list_(as_json: AsJSON = False) -> None:
    """List every event type."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(event_types.list_all(connection), as_json)


def days_of(text: str | int) -> int:
    """The days in `text`, as `30d`, or FOREVER; BadParameter unless they are 1 to LONGEST_RETENTION."""
    matched = re.fullmatch(r"([0-9]{1,5})d", str(text))
    if text in ("forever", FOREVER):
        return FOREVER
    if not matched or not 1 <= int(matched[1]) <= LONGEST_RETENTION:
        raise typer.BadParameter(f"{text!r} is neither 'forever' nor a number of days from 1d to {LONGEST_RETENTION}d")
    return int(matched[1])


Keep = Annotated[
    int | None,
    typer.Option(
        help="Days that its events are kept, as 30d, or 'forever'; of a registered type only this is changed.",
        parser=days_of,
        metavar="DAYS",
    ),
]


def register(
    name: Name,
    description: Annotated[str | None, typer.Option(help="What it means.")] = None,
    keep: Keep = None,
    as_json: AsJSON = False,
) -> None:
    """Register an event type, or make a deprecated one active again, or change how long its events are kept."""
    settings = Settings.read()
    with database(settings) as opened, opened.begin() as connection:
        is_new = not event_types.is_registered(connection, name)
        if keep is None or description is not None or is_new:
            event_type = _registered(connection, name, description, keep)
        if keep is not None:
            event_type = event_types.keep(connection, name, keep or None)
    show(event_type, as_json)
    if is_new and keep is not None:
        note(f"{name!r} is a new event type.")
    if keep and settings.retention and keep > settings.retention:
        note(f"Its events are dropped sooner all the same: IR_RETENTION is {settings.retention} days.")


def _registered(connection: Connection, name: str, description: str | None, keep: int | None) -> EventType:
    try:
        return event_types.register(connection, name, description)
    except Refused as error:
        raise Refused(f"{error}: to change its days alone, leave --description out" if keep else str(error)) from None


def deprecate(name: Name, as_json: AsJSON = False) -> None:
    """Refuse new events of a type. Stored ones stay."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(event_types.deprecate(connection, name), as_json)


def approve(name: Name, as_json: AsJSON = False) -> None:
    """Approve a pending event type from a hub's manifest, or the new definition of an active one."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(event_types.approve(connection, name), as_json)
