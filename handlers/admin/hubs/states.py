"""The state of a hub in one or two words, and the state of its row that forms compare."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from db import hub_origins, hubs, oauth_clients
from db.hubs import Hub
from db.oauth_clients import OAuthClient
from handlers.admin import stale
from handlers.admin.stale import SEEN, Shown
from handlers.paths import hub_path
from handlers.sessions.forms import Form

QUIET = timedelta(days=1)
"""A hub that sent no request for so long is quiet."""


def word(disabled_at: datetime | None, cut_over_at: datetime | None, seen_at: datetime | None, now: datetime) -> str:
    """The state of a hub that was last seen at `seen_at`."""
    if disabled_at:
        return "disabled"
    if cut_over_at:
        return "cut over"
    if seen_at is None:
        return "never seen"
    return "quiet" if now - seen_at > QUIET else "active"


def of_hub(hub: Hub, origins: Sequence[str]) -> str:
    """The state of a hub for its forms: it stays the same when an overlap ends."""
    return stale.state_of((replace(hub, previous_key_until=None), tuple(origins)))


def of_client(client: OAuthClient) -> str:
    """Likewise, of a client."""
    return stale.state_of(replace(client, previous_secret_until=None))


def require_same_hub(connection: Connection, name: str, form: Form) -> Hub:
    """The hub named `name`; NotFound if absent, PageRefusal 409 if it has changed since the page of `form`."""
    hub = hubs.get(connection, name)
    row = (replace(hub, previous_key_until=None), tuple(hub_origins.of_hub(connection, name)))
    stale.require_unchanged(connection, row, Shown("hub", name, form.text(SEEN), hub_path(name)))
    return hub


def require_same_client(connection: Connection, client_id: str, issuer: str, form: Form) -> OAuthClient:
    """Likewise, a client."""
    client = oauth_clients.get(connection, client_id, issuer)
    row = replace(client, previous_secret_until=None)
    stale.require_unchanged(connection, row, Shown("client", client_id, form.text(SEEN), hub_path(client.hub)))
    return client
