"""`interaction-reporting widget`: the widgets that events are about."""

from typing import Annotated
from uuid import UUID

import typer

from db import widgets
from scripts.commands.arguments import AsJSON, name_of
from scripts.commands.changes import Why, changing
from scripts.commands.output import show
from scripts.service.databases import database
from scripts.service.settings import Settings


def register(
    name: Annotated[str, typer.Argument(help="The name of the widget.", parser=name_of)],
    widget_id: Annotated[UUID | None, typer.Option("--id", help="Its id, if it already has one.")] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Register a widget."""
    with changing("register", why) as connection:
        show(widgets.register(connection, name, widget_id), as_json)


def list_(as_json: AsJSON = False) -> None:
    """List every widget."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(widgets.list_all(connection), as_json)


def retire(
    widget_id: Annotated[UUID, typer.Argument(help="The widget's id.", metavar="ID")],
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Refuse new events about a widget. Stored ones stay."""
    with changing("retire", why) as connection:
        show(widgets.retire(connection, widget_id), as_json)
