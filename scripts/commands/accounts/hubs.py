"""`interaction-reporting hub`: the systems that report events."""

import dataclasses
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy import Connection

from db import hub_list, hub_origins, hubs
from db.hubs import HIGHEST_RATE
from openapi.cross_origin.origins import origin
from scripts.commands.arguments import AsJSON, Overlap, name_of
from scripts.commands.changes import Why, changing
from scripts.commands.output import note, note_ended, show
from scripts.service.databases import database
from scripts.service.settings import Settings

Name = Annotated[str, typer.Argument(help="The hub's name.", parser=name_of)]


class Action(StrEnum):
    """What to do with the origins of a hub."""

    LIST = "list"
    ADD = "add"
    REMOVE = "remove"


class Filter(StrEnum):
    """The state of the hubs to list."""

    ACTIVE = "active"
    DISABLED = "disabled"
    CUT_OVER = "cut over"
    NEVER_SEEN = "never seen"


def _origin_of(text: str) -> str:
    """The origin in `text`; BadParameter says what is wrong with it."""
    try:
        return origin(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def create(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Create a hub and print its API key, which is shown only once."""
    with changing("create", why) as connection:
        hub, key = hubs.create(connection, name)
    _show_key(hub, key, as_json)


def list_(
    part: Annotated[str, typer.Option(help="List the hubs with this part in their names.")] = "",
    state: Annotated[Filter | None, typer.Option(help="List the hubs in this state.")] = None,
    as_json: AsJSON = False,
) -> None:
    """List every hub, or those with a part in their names or in a state."""
    with database(Settings.read()) as opened, opened.begin() as connection:
        listed = hubs.list_all(connection)
        if part or state:
            names = _matching(connection, part, state)
            listed = [hub for hub in listed if hub.name in names]
        show(listed, as_json)


def _matching(connection: Connection, part: str, state: Filter | None) -> set[str]:
    """The names of the hubs that the page of hubs lists."""
    names: set[str] = set()
    after: str | None = None
    while True:
        page = hub_list.page(connection, state.value if state else None, part, after, hub_list.SEARCHED)
        names |= {hub.name for hub in page.hubs}
        after = page.next_after
        if after is None:
            return names


def rotate_key(name: Name, overlap: Overlap = 0, why: Why = None, as_json: AsJSON = False) -> None:
    """Give a hub a new API key, which is shown only once. The old key is refused at once, or after --overlap."""
    with changing("rotate key", why) as connection:
        before = hubs.get(connection, name)
        hub, key = hubs.rotate_key(connection, name, timedelta(hours=overlap))
    note_ended(before.previous_key_until, "key")
    _show_key(hub, key, as_json)


def disable(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Refuse a hub's API keys and its clients' tokens from now on. Its events stay."""
    with changing("disable", why) as connection:
        show(hubs.disable(connection, name), as_json)


def enable(name: Name, why: Why = None, as_json: AsJSON = False) -> None:
    """Accept the API key and the clients of a disabled hub again."""
    with changing("enable", why) as connection:
        show(hubs.enable(connection, name), as_json)


def limit(
    name: Name,
    rate: Annotated[int | None, typer.Option(help="Items per second.", min=1, max=HIGHEST_RATE)] = None,
    usual: Annotated[bool, typer.Option("--usual", help="Use the rate of IR_RATE_LIMIT.")] = False,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """Set a hub's own rate limit in items per second, with a burst of ten times that, or restore the usual limit."""
    if (rate is None) != usual:
        raise typer.BadParameter("either --rate or --usual is needed")
    with changing("limit", why) as connection:
        show(hubs.limit(connection, name, rate), as_json)


def origins(
    name: Name,
    action: Annotated[Action, typer.Argument(help="What to do.")],
    page: Annotated[
        str | None,
        typer.Argument(help="The origin of the page, as https://app.example.", metavar="ORIGIN", parser=_origin_of),
    ] = None,
    why: Why = None,
    as_json: AsJSON = False,
) -> None:
    """List, add or remove the origins whose pages may report for a hub from a browser, with access tokens."""
    if (page is None) != (action is Action.LIST):
        raise typer.BadParameter("add and remove need an ORIGIN, such as https://app.example, and list has none")
    with changing(f"{action} origin", why) as connection:
        show([{"origin": listed} for listed in _done(connection, name, action, page)], as_json)


def _done(connection: Connection, name: str, action: Action, page: str | None) -> list[str]:
    """Do `action`; returns the origins that the hub has then."""
    if page is None:
        return hub_origins.of_hub(connection, name)
    return (hub_origins.add if action is Action.ADD else hub_origins.remove)(connection, name, page)


def _show_key(hub: hubs.Hub, key: str, as_json: bool) -> None:
    show({**dataclasses.asdict(hub), "api_key": key}, as_json)
    note("Save the key now: only its digest is stored, so it cannot be shown again.")
