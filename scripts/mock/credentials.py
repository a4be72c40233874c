"""What a client needs to report to a mock: a hub with a key and an OAuth client, a widget, and event types."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from db import event_types, hubs, oauth_clients, widgets
from handlers.contracts import lifecycle
from openapi.oauth.server_metadata import TOKEN
from scripts.service.demonstration import WIDGET

HUB = "mock"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the mock serves, and what it accepts. The client has every scope of the served contracts."""

    url: str
    token_url: str
    hub: str
    api_key: str
    client_id: str
    client_secret: str
    widget_id: str
    event_types: list[str]


def create(connection: Connection, url: str, names: Sequence[str]) -> Credentials:
    """Register all in the new database of a mock at `url`, with the event types `names` beside those of the release."""
    _, key = hubs.create(connection, HUB)
    client, secret = oauth_clients.issue(connection, HUB, lifecycle.scopes(connection))
    widget = widgets.register(connection, "Widget of the mock", WIDGET)
    for name in dict.fromkeys(names):
        if not event_types.is_registered(connection, name):
            event_types.register(connection, name)
    active = [entry.name for entry in event_types.list_all(connection) if entry.status == "active"]
    return Credentials(url, url + TOKEN, HUB, key, client.client_id, secret or "", str(widget.id), active)
