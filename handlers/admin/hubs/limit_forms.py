"""Forms about what a hub may send: its rate limit, and the origins of pages that may report for it."""

from sqlalchemy import Connection
from starlette.responses import Response

from db import hub_origins, hubs
from db.errors import Refused
from db.hubs import HIGHEST_RATE, Hub
from handlers.admin.hubs import states
from handlers.admin.hubs.form_pages import FormPage, Input, checked, show
from handlers.admin.hubs.paths import form_path, name_of, route
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.paths import hub_path
from handlers.sessions.fields import Fields
from handlers.sessions.forms import Form
from handlers.sessions.reading import sentence
from openapi.cross_origin.origins import origin

LIMIT, ADD, REMOVE = "limit", "add-origin", "remove-origin"
_RATE, _ORIGIN = "rate", "origin"


def pages() -> dict[tuple[str, str], Handle]:
    """The forms, each with the page that asks."""
    return {
        (GET, route(LIMIT)): _ask_for_limit,
        (POST, route(LIMIT)): _limit,
        (GET, route(ADD)): _ask_for_origin,
        (POST, route(ADD)): _add,
        (POST, route(REMOVE)): _remove,
    }


async def _ask_for_limit(visit: Visit) -> Response:
    hub = await visit.read(hubs.get, name_of(visit.request))
    return await _limit_page(visit, Fields(rate=str(hub.rate_limit or "")))


async def _limit_page(visit: Visit, fields: Fields) -> Response:
    hint = f"A whole number from 1 to {HIGHEST_RATE:,}. Leave it empty for the usual limit, IR_RATE_LIMIT."
    page = await _page(
        visit,
        fields,
        ("Limit the hub", LIMIT, "Set the limit"),
        "Say how many items it may send.",
        ["A burst may have ten times as many. What is beyond is refused with 429, and the hub sends it later."],
        Input(_RATE, "Items a second", hint),
        "interaction-reporting hub limit HUB --rate 500, or --usual",
    )
    return show(visit, page)


async def _limit(visit: Visit) -> Response:
    name, fields = name_of(visit.request), checked(visit)
    rate = fields.number(_RATE, 1, HIGHEST_RATE)
    if fields.faults:
        return await _limit_page(visit, fields)
    await visit.change("limit", _limited, name, rate, visit.form)
    words = f"{name} may send {rate:,} items a second." if rate else f"{name} has the usual limit."
    return await visit.go_on(hub_path(name), words)


def _limited(connection: Connection, name: str, rate: int | None, form: Form) -> Hub:
    states.require_same_hub(connection, name, form)
    return hubs.limit(connection, name, rate)


async def _ask_for_origin(visit: Visit) -> Response:
    return await _origin_page(visit, Fields())


async def _origin_page(visit: Visit, fields: Fields) -> Response:
    page = await _page(
        visit,
        fields,
        ("Add an origin", ADD, "Add the origin"),
        "Let the pages of an origin report for the hub from a browser, with access tokens.",
        ["Every visitor of these pages can read the token that they report with, until it expires."],
        Input(_ORIGIN, "Origin", "As a browser sends it, such as https://app.example", is_required=True),
        "interaction-reporting hub origins HUB add ORIGIN",
    )
    return show(visit, page)


async def _add(visit: Visit) -> Response:
    name, fields = name_of(visit.request), checked(visit)
    given = fields.text(_ORIGIN, "an origin")
    if not fields.faults:
        _check(fields, given)
    if not fields.faults:
        try:
            await visit.change("add origin", _added, name, given, visit.form)
        except Refused as error:
            fields.refuse(_ORIGIN, sentence(error))
    if fields.faults:
        return await _origin_page(visit, fields)
    return await visit.go_on(hub_path(name), f"Pages of {given} may report for {name}.")


def _check(fields: Fields, given: str) -> None:
    try:
        origin(given)
    except ValueError as error:
        fields.refuse(_ORIGIN, sentence(error))


def _added(connection: Connection, name: str, given: str, form: Form) -> list[str]:
    states.require_same_hub(connection, name, form)
    return hub_origins.add(connection, name, given)


async def _remove(visit: Visit) -> Response:
    name, given = name_of(visit.request), checked(visit).text(_ORIGIN)
    await visit.change("remove origin", _removed, name, given.replace("\0", ""), visit.form)
    return await visit.go_on(hub_path(name), f"Pages of {given} may no longer report for {name}.")


def _removed(connection: Connection, name: str, given: str, form: Form) -> list[str]:
    states.require_same_hub(connection, name, form)
    return hub_origins.remove(connection, name, given)


async def _page(  # noqa: PLR0913, PLR0917 (what a page consists of)
    visit: Visit,
    fields: Fields,
    words: tuple[str, str, str],
    lede: str,
    consequences: list[str],
    input_: Input,
    command: str,
) -> FormPage:
    """A page with one field; `words` are its title, its action and its button."""
    name, (title, action, button) = name_of(visit.request), words
    hub, origins = await visit.read(hubs.get, name), await visit.read(hub_origins.of_hub, name)
    seen = states.of_hub(hub, origins)
    return FormPage(title, name, lede, consequences, [input_], fields, seen, form_path(action, name), button, command)
