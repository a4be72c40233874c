"""The admins: who may do what. Owners create accounts, change roles, and disable and enable accounts."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection
from starlette.responses import Response

from db import admins
from db.admins import ROLES, Admin, Role
from db.errors import Refused
from handlers.admin.roles import GET, POST
from handlers.admin.stale import SEEN, Shown, require_unchanged, state_of
from handlers.admin.visits import Handle, Visit
from handlers.paths import ADMIN
from handlers.security import passwords
from handlers.sessions.fields import Fields
from handlers.sessions.reading import sentence

PATH = f"{ADMIN}/admins"
_LABELS = {"name": "Name", "role": "Role", "password": "Password"}


@dataclass(frozen=True, slots=True)
class Accounts:
    """The page: every account, with its state for the forms that change it, and the form for another one."""

    admins: Sequence[tuple[Admin, str]]
    fields: Fields
    own_name: str
    roles: dict[Role, str] = field(
        default_factory=lambda: {
            "viewer": "viewer: sees everything",
            "editor": "editor: also registers types and replays",
            "owner": "owner: also changes hubs, contracts and admins",
        }
    )
    labels: dict[str, str] = field(default_factory=lambda: _LABELS)
    title: str = "Admins"
    tab: str = PATH


def pages() -> dict[tuple[str, str], Handle]:
    """The page and its forms."""
    one = f"{PATH}/{{name:path}}"
    return {
        (GET, PATH): _list,
        (POST, PATH): _create,
        (POST, f"{one}/role"): _set_role,
        (POST, f"{one}/disable"): _disable,
        (POST, f"{one}/enable"): _enable,
    }


async def _list(visit: Visit) -> Response:
    return await _page(visit, Fields(role="viewer"))


async def _create(visit: Visit) -> Response:
    fields = Fields(visit.form)
    name, role = fields.name("name", "a name"), fields.choice("role", ROLES)
    if fault := passwords.fault(visit.form.secret("password")):
        fields.refuse("password", fault)
    if fields.faults:
        return await _page(visit, fields, 422)
    hashed = await asyncio.to_thread(passwords.hash_of, visit.form.secret("password"))
    try:
        await visit.change("create", admins.create, name, role, hashed)
    except Refused as error:
        fields.refuse("name", sentence(error))
        return await _page(visit, fields, 422)
    return await visit.go_on(PATH, f"{name} may sign in now, as {role}. Tell them the password.")


async def _set_role(visit: Visit) -> Response:
    name, fields = visit.request.path_params["name"], Fields(visit.form)
    role = fields.choice("role", ROLES)
    if fields.faults:
        return await _page(visit, fields, 422)
    await visit.change("set role", _changed, name, visit.form.text(SEEN), partial(admins.set_role, role=role))
    return await visit.go_on(PATH, f"{name} is {role} from now on.")


async def _disable(visit: Visit) -> Response:
    name = visit.request.path_params["name"]
    await visit.change("disable", _changed, name, visit.form.text(SEEN), admins.disable)
    return await visit.go_on(PATH, f"{name} is signed out, and cannot sign in any more.")


async def _enable(visit: Visit) -> Response:
    name = visit.request.path_params["name"]
    await visit.change("enable", _changed, name, visit.form.text(SEEN), admins.enable)
    return await visit.go_on(PATH, f"{name} may sign in again.")


def _changed(connection: Connection, name: str, seen: str, change: Callable[[Connection, str], Admin]) -> None:
    """Change an account if it is as the form has `seen` it."""
    require_unchanged(connection, admins.get(connection, name), Shown("admin", name, seen, PATH))
    change(connection, name)


async def _page(visit: Visit, fields: Fields, status: int = 200) -> Response:
    listed = await visit.read(admins.list_all)
    return visit.page(
        "accounts.html", Accounts([(admin, state_of(admin)) for admin in listed], fields, visit.session.name), status
    )
