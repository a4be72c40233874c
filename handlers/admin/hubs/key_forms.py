"""Forms about the keys of a hub: another one with an overlap, and none at all for a while."""

from datetime import timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from db import hub_origins, hub_totals, hubs, oauth_clients
from db.hubs import Hub
from db.keys import LONGEST_OVERLAP_HOURS
from handlers.admin.hubs import states
from handlers.admin.hubs.form_pages import FormPage, Input, SecretPage, checked, moment, show, show_once, tokens_of
from handlers.admin.hubs.paths import form_path, name_of, route
from handlers.admin.roles import GET, POST
from handlers.admin.visits import Handle, Visit
from handlers.paths import hub_path
from handlers.sessions.fields import Fields
from handlers.sessions.forms import Form

MOST_CLIENTS = 1000
OVERLAP = "overlap"
ROTATE, DISABLE, ENABLE = "rotate-key", "disable", "enable"


def pages() -> dict[tuple[str, str], Handle]:
    """The forms, each with the page that asks."""
    return {
        (GET, route(ROTATE)): _ask_to_rotate,
        (POST, route(ROTATE)): _rotate,
        (GET, route(DISABLE)): _ask_to_disable,
        (POST, route(DISABLE)): _disable,
        (POST, route(ENABLE)): _enable,
    }


def hours(fields: Fields) -> timedelta:
    """The overlap in a form; none if the field is empty."""
    return timedelta(hours=fields.number(OVERLAP, 0, LONGEST_OVERLAP_HOURS) or 0)


def overlap_input(what: str) -> Input:
    """The field for the hours of an overlap."""
    hint = f"A whole number, at most {LONGEST_OVERLAP_HOURS:,}. With 0 the present {what} is refused within a second."
    return Input(OVERLAP, f"Hours for which the present {what} is accepted, too", hint)


async def _ask_to_rotate(visit: Visit) -> Response:
    return await _rotate_page(visit, Fields(overlap="24"))


async def _rotate_page(visit: Visit, fields: Fields) -> Response:
    name = name_of(visit.request)
    hub, origins = await visit.read(_with_origins, name)
    consequences = ["The next page shows the new key, once. Give it to the people of the hub."]
    if hub.previous_key_until:
        until = moment(hub.previous_key_until)
        consequences.append(f"The key before the present one, which is accepted until {until}, is refused at once.")
    if hub.disabled_at or hub.cut_over_at:
        consequences.append("No key of this hub is accepted now, and the new one is not either until that is undone.")
    page = FormPage(
        "Rotate the key",
        name,
        "Give the hub a new API key.",
        consequences,
        [overlap_input("key")],
        fields,
        states.of_hub(hub, origins),
        form_path(ROTATE, name),
        "Rotate the key",
        "interaction-reporting hub rotate-key HUB --overlap 24h",
    )
    return show(visit, page)


async def _rotate(visit: Visit) -> Response:
    name, fields = name_of(visit.request), checked(visit)
    overlap = hours(fields)
    if fields.faults:
        return await _rotate_page(visit, fields)
    before, hub, key = await visit.change("rotate key", _rotated, name, overlap, visit.form)
    if hub.previous_key_until:
        notes = [f"The former key is accepted until {moment(hub.previous_key_until)}."]
    else:
        notes = ["The former key is refused within a second."]
    if before.previous_key_until:
        notes.append("The key before it has ended.")
    return show_once(visit, SecretPage("The new key", name, {"API key": key}, notes))


def _rotated(connection: Connection, name: str, overlap: timedelta, form: Form) -> tuple[Hub, Hub, str]:
    """The hub before and after, and its new key."""
    before = states.require_same_hub(connection, name, form)
    return before, *hubs.rotate_key(connection, name, overlap)


async def _ask_to_disable(visit: Visit) -> Response:
    return await _disable_page(visit, Fields())


async def _disable_page(visit: Visit, fields: Fields) -> Response:
    name = name_of(visit.request)
    hub, origins = await visit.read(_with_origins, name)
    page = FormPage(
        "Disable the hub",
        name,
        "Refuse everything that the hub sends.",
        await visit.read(_of_disabling, hub),
        [],
        fields,
        states.of_hub(hub, origins),
        form_path(DISABLE, name),
        "Disable the hub",
        "interaction-reporting hub disable HUB",
        is_dangerous=True,
    )
    return show(visit, page)


def _of_disabling(connection: Connection, hub: Hub) -> list[str]:
    """What will happen, in sentences."""
    seen_at = hub_totals.last_seen(connection, [hub.id]).get(hub.id)
    tokens = tokens_of(oauth_clients.of_hub(connection, hub.name, MOST_CLIENTS))
    return [
        f"Its last request was at {moment(seen_at)}." if seen_at else "It has never sent a request.",
        "Its API keys are refused with 401 within a second, also during an overlap.",
        f"{tokens} are refused, too." if tokens else "It has no enabled client.",
        "Its events, event types and widgets stay. You can enable it again.",
    ]


async def _disable(visit: Visit) -> Response:
    name, fields = name_of(visit.request), checked(visit)
    if fields.faults:
        return await _disable_page(visit, fields)
    await visit.change("disable", _disabled, name, visit.form)
    return await visit.go_on(hub_path(name), f"{name} is disabled: whatever it sends is refused.")


def _disabled(connection: Connection, name: str, form: Form) -> Hub:
    states.require_same_hub(connection, name, form)
    return hubs.disable(connection, name)


async def _enable(visit: Visit) -> Response:
    name = name_of(visit.request)
    await visit.change("enable", _enabled, name, visit.form)
    return await visit.go_on(hub_path(name), f"{name} is enabled: its key and its clients are accepted again.")


def _enabled(connection: Connection, name: str, form: Form) -> Hub:
    states.require_same_hub(connection, name, form)
    return hubs.enable(connection, name)


def _with_origins(connection: Connection, name: str) -> tuple[Hub, list[str]]:
    return hubs.get(connection, name), hub_origins.of_hub(connection, name)
