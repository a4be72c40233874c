"""`interaction-reporting event-type`: the registry of event types."""

import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Connection

from db import event_type_entries, event_types
from db.errors import NotFound, Refused
from db.event_type_entries import Entry
from db.event_types import EventType
from openapi.metadata import texts
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.changes import Why, changing
from scripts.commands.output import note, show
from scripts.service.databases import database
from scripts.service.settings import LONGEST_RETENTION, Settings

FOREVER = 0
"""As days: until IR_RETENTION ends."""

HIGHEST_VERSION = 2**31 - 1

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
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Register an event type, or make a deprecated one active again, or change how long its events are kept."""
    settings = Settings.read()
    with changing("register", why, settings) as connection:
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


def deprecate(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Refuse new events of a type. Stored ones stay."""
    with changing("deprecate", why) as connection:
        show(event_types.deprecate(connection, name), as_json)


def approve(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Approve a pending event type from a hub's manifest, or the new definition of an active one."""
    with changing("approve", why) as connection:
        show(event_types.approve(connection, name), as_json)


def refuse(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Discard a pending event type from a hub's manifest, or the new definition of an active one."""
    with changing("refuse", why) as connection:
        show(event_types.refuse(connection, name), as_json)


def define(  # noqa: PLR0913, PLR0917 (a definition, and how it is put)
    name: Name,
    schema: Annotated[
        Path | None,
        typer.Option(help="A file with the JSON Schema of the metadata; an empty one accepts any.", dir_okay=False),
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it means.")] = None,
    version: Annotated[
        int | None,
        typer.Option(help="Higher than before if the schema may refuse what was accepted.", min=1, max=HIGHEST_VERSION),
    ] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Propose another definition for an event type of the framework; what is left out stays as it is."""
    with changing("propose", why) as connection:
        entry = event_type_entries.get(connection, name)
        if entry is None:
            raise NotFound(f"the event type {name!r} is not registered")
        version = version or entry.version
        new = entry.metadata_schema if schema is None else _schema(schema)
        if version == entry.version:
            _require_not_narrower(entry, new)
        text = entry.description if description is None else description
        event_type = event_types.propose(connection, name, text, version, new)
    show(event_type, as_json)
    note(f"It waits for approval: interaction-reporting event-type approve {shlex.quote(name)}")


def _schema(path: Path) -> dict[str, Any] | None:
    try:
        return texts.read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # an UnacceptedSchema is a ValueError
        raise typer.BadParameter(f"{path}: {error}") from None


def _require_not_narrower(entry: Entry, schema: dict[str, Any] | None) -> None:
    try:
        texts.require_not_narrower(entry.metadata_schema, schema)
    except texts.UnacceptedSchema as error:
        raise Refused(f"{error}: such a schema needs a version above {entry.version}") from None
