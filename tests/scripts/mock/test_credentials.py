"""What a mock registers for its clients."""

from db import event_types, hubs, oauth_clients
from db.engine import Database
from scripts.mock import credentials
from tests.tokens import SCOPES


def test_all_that_is_printed_is_registered(database: Database) -> None:
    """The key is the hub's, and the client has every scope; a type that the release has is no error."""
    with database.begin() as connection:
        created = credentials.create(connection, "http://host", ["rated", "clicked", "rated"])
        hub = hubs.of_key(connection, created.api_key)
        client = oauth_clients.get(connection, created.client_id)
        active = {entry.name for entry in event_types.list_all(connection) if entry.status == "active"}
    assert hub is not None
    assert (hub.name, client.hub) == (created.hub, created.hub)
    assert set(client.scopes) == SCOPES
    assert created.token_url == "http://host/oauth/token"
    assert {"rated", "clicked"} <= set(created.event_types) == active
