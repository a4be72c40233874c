"""`interaction-reporting event-type`: the registry of event types."""

from typing import Annotated

import typer

from db import event_types
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.output import show
from scripts.service.databases import database
from scripts.service.settings import Settings

Name = Annotated[str, typer.Argument(help="The event type.", parser=name_of)]


def list_(as_json: AsJSON = False) -> None:
    """List every event type."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(event_types.list_all(connection), as_json)


def register(
    name: Name, description: Annotated[str | None, typer.Option(help="What it means.")] = None, as_json: AsJSON = False
) -> None:
    """Register an event type, or make a deprecated one active again."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(event_types.register(connection, name, description), as_json)


def deprecate(name: Name, as_json: AsJSON = False) -> None:
    """Refuse new events of a type. Stored ones stay."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(event_types.deprecate(connection, name), as_json)


def approve(name: Name, as_json: AsJSON = False) -> None:
    """Approve a pending event type from a hub's manifest, or the new definition of an active one."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(event_types.approve(connection, name), as_json)
