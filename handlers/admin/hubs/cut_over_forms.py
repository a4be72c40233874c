"""The cut-over of a hub from its API key to access tokens, and back."""

from sqlalchemy import Connection
from starlette.responses import Response

from db import hub_origins, hubs, oauth_clients, version_usage
from db.hubs import Hub
from handlers.admin.hubs import states
from handlers.admin.hubs.form_pages import WHY, FormPage, Input, checked, moment, show, tokens_of
from handlers.admin.hubs.key_forms import MOST_CLIENTS
from handlers.admin.hubs.paths import form_path, name_of, route
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.contracts import migration
from handlers.paths import hub_path
from handlers.sessions.fields import Fields
from handlers.sessions.forms import Form

CUT_OVER, UNDO = "cut-over", "undo-cut-over"
_FORCE = "force"


def pages() -> dict[tuple[str, str], Handle]:
    """The forms, and the page that asks."""
    return {(GET, route(CUT_OVER)): _ask, (POST, route(CUT_OVER)): _cut_over, (POST, route(UNDO)): _undo}


async def _ask(visit: Visit) -> Response:
    return await _page(visit, Fields())


async def _page(visit: Visit, fields: Fields) -> Response:
    page = await visit.read(_form_page, name_of(visit.request), fields)
    return show(visit, page)


def _form_page(connection: Connection, name: str, fields: Fields) -> FormPage:
    hub = hubs.get(connection, name)
    untried = migration.untried_versions(connection, hub)
    force = Input(_FORCE, "Although it was never seen there", boxes={"yes": "Cut it over anyway"})
    return FormPage(
        "Cut the hub over",
        name,
        "Refuse its API key, because it uses access tokens.",
        _consequences(connection, hub),
        [force] if untried else [],
        fields,
        states.of_hub(hub, hub_origins.of_hub(connection, name)),
        form_path(CUT_OVER, name),
        "Cut the hub over",
        "interaction-reporting migration cut-over HUB --why TEXT" + (" --force" if untried else ""),
        f"It was never seen on {untried}. It might no longer be able to report anything." if untried else "",
        is_dangerous=True,
    )


def _consequences(connection: Connection, hub: Hub) -> list[str]:
    """What will happen, in sentences."""
    tokens = tokens_of(oauth_clients.of_hub(connection, hub.name, MOST_CLIENTS))
    uses = version_usage.of_hub(connection, hub.id)
    return [
        *(f"Its last request to version {major} was at {moment(at)}." for major, at in uses.items()),
        "Its API keys are refused within a second. The answers say where to get an access token.",
        f"{tokens} are accepted as before."
        if tokens
        else "It has no enabled client, so that everything that it sends is refused until it has one.",
        "You can undo it.",
    ]


async def _cut_over(visit: Visit) -> Response:
    name, fields = name_of(visit.request), checked(visit)
    is_forced = fields.value(_FORCE) == "yes"
    untried = await visit.read(_untried, name)
    if untried and not is_forced:
        fields.refuse(_FORCE, "Tick it if the hub is to be cut over all the same.")
    if fields.faults:
        return await _page(visit, fields)
    await visit.change("cut over", _done, name, fields.value(WHY) or None, is_forced, visit.form)
    return await visit.go_on(hub_path(name), f"{name} is cut over: its API key is refused within a second.")


def _untried(connection: Connection, name: str) -> str:
    return migration.untried_versions(connection, hubs.get(connection, name))


def _done(connection: Connection, name: str, why: str | None, is_forced: bool, form: Form) -> Hub:
    states.require_same_hub(connection, name, form)
    return migration.cut_over(connection, name, why, is_forced)


async def _undo(visit: Visit) -> Response:
    name = name_of(visit.request)
    await visit.change("undo the cut-over", _undone, name, visit.form)
    return await visit.go_on(hub_path(name), f"The API key of {name} is accepted again.")


def _undone(connection: Connection, name: str, form: Form) -> Hub:
    states.require_same_hub(connection, name, form)
    return hubs.restore_key(connection, name)
