"""The audit log as a page: hubs by their names, wherever the log has their ids."""

from html import escape
from urllib.parse import quote

from db import audit, hubs, oauth_clients
from db.audit import Author
from handlers.paths import hub_path
from tests.page_admins import AUDIT, signed_in, text_of
from tests.service import Service

NAME = "of the log <b> / it"
GONE = "hub:00000000-0000-0000-0000-000000000000"


def test_hubs_are_named(newest: Service) -> None:
    """As the author, as the subject, and as the hub of a client; one that is not known keeps its id."""
    with newest.database.begin() as connection:
        hub, _ = hubs.create(connection, NAME)
        audit.attribute(connection, "issue client", Author("cli:eve"))
        client, _ = oauth_clients.issue(connection, NAME, ["events:write"])
        for actor in (f"hub:{hub.id}", GONE):
            audit.note(connection, Author(actor), "replay", "rejected submissions", "x")
    path = hub_path(NAME)
    link = f'<a href="{escape(path)}"><bdi>{escape(NAME)}</bdi></a>'
    with signed_in(newest, "reads the log", "viewer") as viewer:
        assert viewer.get(path).status_code == 200
        page = viewer.get(f"{AUDIT}?actor=hub:{hub.id}")
        assert f"hub {link}" in page.text
        assert GONE in text_of(viewer.get(f"{AUDIT}?actor={GONE}"))
        page = viewer.get(f"{AUDIT}?kind=client&subject={client.client_id}")
        assert f"<bdi>{client.client_id}</bdi></code> of {link}" in page.text
        page = viewer.get(f"{AUDIT}?kind=hub&subject={quote(NAME, safe='')}")
        assert f"hub {link}" in page.text
