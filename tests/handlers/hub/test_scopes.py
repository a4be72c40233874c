"""A client sees and does at /hub what the API lets it see and do: its scopes decide."""

from collections.abc import Collection

import httpx
import pytest

from db import oauth_clients
from tests.handlers.admin.rejections.rejecting import reject_events
from tests.handlers.conftest import Hub
from tests.handlers.hub.browsers import sign_in, token_in, visitor
from tests.page_admins import text_of

REPLAY = {"annotations:write", "events:write", "rejections:read"}


def client_of(hub: Hub, scopes: Collection[str]) -> tuple[str, str]:
    """The id and the secret of a new client."""
    with hub.service.database.begin() as connection:
        client, secret = oauth_clients.issue(connection, hub.name, scopes)
    return client.client_id, str(secret)


def change_scopes(hub: Hub, client_id: str, scopes: Collection[str]) -> None:
    """Give a client other scopes."""
    with hub.service.database.begin() as connection:
        oauth_clients.change(connection, client_id, oauth_clients.OURS, scopes, None)


def replay(client: httpx.Client, identifier: str) -> httpx.Response:
    """The response to the form that replays, which a page may have left out."""
    token = token_in(client.get("/hub"))
    return client.post("/hub/replay", data={"token": token, "id": identifier})


def test_a_client_that_only_reports_sees_and_replays_nothing(hub: Hub, prefix: str) -> None:
    """Each part is left out with the scope that it needs; the replay and a rejection are 403."""
    (identifier,) = reject_events(hub, prefix, 1)
    with visitor(hub.service) as client:
        assert sign_in(client, client_of(hub, ["events:write"])[1]).status_code == 303
        page = client.get("/hub")
        assert page.status_code == 200
        assert "The counts are left out: your client lacks the scope usage:read." in text_of(page)
        assert "The rejections are left out: your client lacks the scope rejections:read." in text_of(page)
        assert "The last seven days" not in page.text
        assert prefix not in page.text
        assert 'action="/hub/replay"' not in page.text
        assert client.get(f"/hub/rejected/{identifier}").status_code == 403
        answer = replay(client, identifier)
        assert answer.status_code == 403
        assert "Your client lacks the scopes annotations:write and rejections:read" in text_of(answer)


@pytest.mark.parametrize(
    "scopes", [{"usage:read"}, {"rejections:read"}, REPLAY], ids=lambda each: "+".join(sorted(each))
)
def test_each_scope_opens_its_part(hub: Hub, prefix: str, scopes: set[str]) -> None:
    """Counts, rejections, and the replay, which writes."""
    (identifier,) = reject_events(hub, prefix, 1)
    with visitor(hub.service) as client:
        sign_in(client, client_of(hub, scopes)[1])
        page = client.get("/hub")
        assert ("The last seven days" in page.text) == ("usage:read" in scopes)
        assert (prefix in page.text) == ("rejections:read" in scopes)
        one = client.get(f"/hub/rejected/{identifier}")
        assert one.status_code == (200 if "rejections:read" in scopes else 403)
        assert ('action="/hub/replay"' in page.text + one.text) == (scopes == REPLAY)
        assert replay(client, identifier).status_code == (303 if scopes == REPLAY else 403)
        if scopes == {"rejections:read"}:
            lack = "left out: your client lacks the scopes annotations:write and events:write."
            assert lack in text_of(page)
            assert lack in text_of(one)


def test_a_session_follows_the_scopes_of_its_client(hub: Hub, prefix: str) -> None:
    """With the next request, and it ends when the client is disabled."""
    reject_events(hub, prefix, 1)
    client_id, secret = client_of(hub, ["usage:read"])
    with visitor(hub.service) as client:
        sign_in(client, secret)
        assert prefix not in client.get("/hub").text
        change_scopes(hub, client_id, ["rejections:read"])
        page = client.get("/hub")
        assert prefix in page.text
        assert "The last seven days" not in page.text
        with hub.service.database.begin() as connection:
            oauth_clients.disable(connection, client_id)
        assert 'action="/hub/sign-in"' in client.get("/hub").text
