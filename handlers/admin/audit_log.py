"""The audit log: who changed what, when and why."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from db import audit, event_type_entries, hubs, oauth_clients
from db.audit import Entry
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.pages import parameters
from handlers.paths import ADMIN, hub_path, manifests_path

PATH = f"{ADMIN}/audit"
ROWS = 50
KINDS = ("event type", "hub", "client", "contract", "widget", "admin", "rejected submissions")
_HIGHEST = 2**63 - 1
_HUB = "hub:"
_IS_HUB = re.compile(_HUB + "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""As an actor: a hub that has replayed what was rejected."""


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The page. `asked` is what the entries are limited to, `more` the path of older ones, None if there are none.

    `hubs` has their names by what the log calls them, `clients` the names of their hubs. `registrar` is the hub whose
    manifest registered the event type that is asked for, None if no hub did.
    """

    entries: Sequence[Entry]
    asked: Mapping[str, str]
    more: str | None
    hubs: Mapping[str, str]
    clients: Mapping[str, str]
    registrar: str | None = None
    kinds: tuple[str, ...] = KINDS
    title: str = "Audit"
    tab: str = PATH

    def hub_path(self, name: str) -> str:
        """The path of the page of a hub."""
        return hub_path(name)

    def manifests(self, name: str) -> str:
        """The path of the manifests of a hub."""
        return manifests_path(name)


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, PATH): _list}


async def _list(visit: Visit) -> Response:
    request = visit.request
    asked = {name: parameters.text(request, name) for name in ("actor", "subject")}
    asked["kind"] = parameters.choice(request, "kind", KINDS)
    before = parameters.number(request, "before", _HIGHEST)
    given = {name: value for name, value in asked.items() if value}
    entries = await visit.read(audit.entries, ROWS + 1, before, given)
    shown = entries[:ROWS]
    more = f"{PATH}?{urlencode({**given, 'before': shown[-1].id})}" if len(entries) > ROWS else None
    registrar = None
    if not entries and asked["kind"] == "event type" and asked["subject"]:
        entry = await visit.read(event_type_entries.get, asked["subject"])
        registrar = entry.hub if entry else None
    return visit.page("audit.html", AuditLog(shown, asked, more, *await visit.read(_names, shown), registrar))


def _names(connection: Connection, entries: Sequence[Entry]) -> tuple[dict[str, str], dict[str, str]]:
    """The names of the hubs in entries, by what the log calls them, and those of the hubs of clients."""
    texts = {text for entry in entries for text in (entry.actor, entry.subject)}
    ids = {UUID(text.removeprefix(_HUB)): text for text in texts if _IS_HUB.fullmatch(text)}
    names = hubs.names(connection, ids)
    clients = {entry.subject for entry in entries if entry.kind == "client"}
    return {ids[hub_id]: name for hub_id, name in names.items()}, oauth_clients.hubs_by_id(connection, clients)
