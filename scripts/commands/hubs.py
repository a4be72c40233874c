"""`interaction-reporting hub`: the systems that report events."""

import dataclasses
from datetime import timedelta
from typing import Annotated

import typer

from db import hubs
from scripts.commands.arguments import AsJSON, Overlap, name_of
from scripts.commands.output import note, note_ended, show
from scripts.service.databases import database
from scripts.service.settings import Settings

HIGHEST_RATE = 10**8

Name = Annotated[str, typer.Argument(help="The hub's name.", parser=name_of)]


def create(name: Name, as_json: AsJSON = False) -> None:
    """Create a hub and print its API key, which is shown only once."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        hub, key = hubs.create(connection, name)
    _show_key(hub, key, as_json)


def list_(as_json: AsJSON = False) -> None:
    """List every hub."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(hubs.list_all(connection), as_json)


def rotate_key(name: Name, overlap: Overlap = 0, as_json: AsJSON = False) -> None:
    """Give a hub a new API key, which is shown only once. The old key is refused at once, or after --overlap."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        before = hubs.get(connection, name)
        hub, key = hubs.rotate_key(connection, name, timedelta(hours=overlap))
    note_ended(before.previous_key_until, "key")
    _show_key(hub, key, as_json)


def disable(name: Name, as_json: AsJSON = False) -> None:
    """Refuse a hub's API keys and its clients' tokens from now on. Its events stay."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(hubs.disable(connection, name), as_json)


def enable(name: Name, as_json: AsJSON = False) -> None:
    """Accept the API key and the clients of a disabled hub again."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(hubs.enable(connection, name), as_json)


def limit(
    name: Name,
    rate: Annotated[int | None, typer.Option(help="Items per second.", min=1, max=HIGHEST_RATE)] = None,
    usual: Annotated[bool, typer.Option("--usual", help="Use the rate of IR_RATE_LIMIT.")] = False,
    as_json: AsJSON = False,
) -> None:
    """Set a hub's own rate limit in items per second, with a burst of ten times that, or restore the usual limit."""
    if (rate is None) != usual:
        raise typer.BadParameter("either --rate or --usual is needed")
    with database(Settings.read()) as opened, opened.begin() as connection:
        show(hubs.limit(connection, name, rate), as_json)


def _show_key(hub: hubs.Hub, key: str, as_json: bool) -> None:
    show({**dataclasses.asdict(hub), "api_key": key}, as_json)
    note("Save the key now: only its digest is stored, so it cannot be shown again.")
