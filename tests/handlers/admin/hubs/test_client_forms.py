"""Owners issue OAuth clients, rotate their secrets, and disable and enable them."""

import httpx
import pytest

from db import audit, hubs, oauth_clients
from db.oauth_clients import OAuthClient
from openapi.oauth import client_assertions
from tests.page_admins import AdminBrowser, text_of
from tests.page_forms import form_of, hidden, path_of, secret_of, send


def make(owner: AdminBrowser, name: str) -> None:
    """A hub."""
    with owner.service.database.begin() as connection:
        hubs.create(connection, name)


def clients(owner: AdminBrowser, hub: str) -> list[OAuthClient]:
    """The clients of a hub."""
    with owner.service.database.begin() as connection:
        return oauth_clients.of_hub(connection, hub, 10)


def token_status(owner: AdminBrowser, client_id: str, secret: str) -> int:
    """The status that a client gets when it asks for a token."""
    form = {"grant_type": "client_credentials"}
    return httpx.post(f"{owner.service.url}/oauth/token", data=form, auth=(client_id, secret)).status_code


def test_a_client_is_issued_with_the_scopes_that_were_ticked(owner: AdminBrowser) -> None:
    """A reload issues no other one, and shows no secret. It gets a token at once."""
    make(owner, "of clients")
    form = form_of("issue-client", "of clients")
    asked = owner.get(form)
    assert 'type="checkbox" name="scopes" value="events:read"' in asked.text
    fields = {**hidden(asked, form), "scopes": ["events:read", "events:write"], "why": "version 2"}
    page = owner.post(form, fields)
    (client,) = clients(owner, "of clients")
    assert client.client_id in page.text
    assert client.scopes == ["events:read", "events:write"]
    assert token_status(owner, client.client_id, secret_of(page)) == 200
    again = owner.post(form, fields)
    assert again.status_code == 409
    assert "The last change: issue, by admin:" in text_of(again)
    assert "irs_" not in again.text
    assert len(clients(owner, "of clients")) == 1


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        ([], "Tick what the client may do."),
        (["events:write", "<b>"], "There is no scope '<b>'"),
        (["event:write"], "did you mean events:write?"),
    ],
)
def test_scopes_that_no_contract_defines(owner: AdminBrowser, scopes: list[str], words: str) -> None:
    """They are a fault of the boxes; what was ticked stays ticked."""
    name = f"of {len(scopes)} {words}"
    make(owner, name)
    page = send(owner, form_of("issue-client", name), {"scopes": scopes})
    assert page.status_code == 422
    assert words in text_of(page)
    assert page.text.count(" checked") == len({*scopes} & {"events:write"})
    assert clients(owner, name) == []


def test_a_secret_is_rotated_with_an_overlap(owner: AdminBrowser) -> None:
    """Both get tokens, then one."""
    make(owner, "of secrets")
    issued = send(owner, form_of("issue-client", "of secrets"), {"scopes": "events:read"})
    (client,) = clients(owner, "of secrets")
    form = form_of("rotate-client", client.client_id)
    assert f'href="{form}"' in owner.get(path_of("of secrets")).text
    fields = {**hidden(owner.get(form), form), "overlap": "2"}
    page = owner.post(form, fields)
    secrets = [secret_of(issued), secret_of(page)]
    assert "The former secret is accepted until" in text_of(page)
    assert [token_status(owner, client.client_id, secret) for secret in secrets] == [200, 200]
    assert "the former one is accepted until" in text_of(owner.get(path_of("of secrets")))
    assert owner.post(form, fields).status_code == 409
    last = secret_of(send(owner, form, {"overlap": "0"}))
    assert token_status(owner, client.client_id, last) == 200
    assert token_status(owner, client.client_id, secrets[0]) == 401
    assert send(owner, form, {"overlap": "x"}).status_code == 422


def test_a_client_is_disabled_and_enabled(owner: AdminBrowser) -> None:
    """The log says who did it."""
    make(owner, "of one")
    secret = secret_of(send(owner, form_of("issue-client", "of one"), {"scopes": "events:read"}))
    (client,) = clients(owner, "of one")
    form = form_of("disable-client", client.client_id)
    assert send(owner, form, {"why": "it leaked"}).status_code == 303
    assert token_status(owner, client.client_id, secret) == 401
    page = owner.get(path_of("of one"))
    assert f"The client {client.client_id} and its tokens are refused." in text_of(page)
    assert send(owner, form_of("enable-client", client.client_id), page=path_of("of one")).status_code == 303
    assert token_status(owner, client.client_id, secret) == 200
    with owner.service.database.begin() as connection:
        entries = audit.entries(connection, 3, None, {"kind": "client", "subject": client.client_id})
    assert [entry.action for entry in entries] == ["enable", "disable", "issue"]
    assert entries[1].why == "it leaked"


def test_clients_without_a_secret_have_none_to_rotate(owner: AdminBrowser) -> None:
    """One with keys, and one of another issuer, whose id may be anything; it is disabled by its issuer, too."""
    make(owner, "of others")
    jwk = {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}
    jwk["y"] = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
    issuer, foreign = "https://id.example/?a=b", "a/b ?#%<b>"
    with owner.service.database.begin() as connection:
        keys = client_assertions.public_keys({"keys": [{**jwk, "kid": "1", "use": "sig", "alg": "ES256"}]})
        with_keys, _ = oauth_clients.issue(connection, "of others", ["events:read"], keys)
        oauth_clients.accept(connection, "of others", issuer, foreign, ["events:read"])
    assert owner.get(form_of("rotate-client", with_keys.client_id)).status_code == 409
    assert owner.get(form_of("rotate-client", foreign)).status_code == 404
    page = owner.get(path_of("of others"))
    form = f"{form_of('disable-client', foreign)}?issuer=https%3A%2F%2Fid.example%2F%3Fa%3Db"
    assert f'href="{form}"' in page.text
    assert "rotate-client" not in page.text
    assert send(owner, form).status_code == 303
    assert [client.disabled_at is None for client in clients(owner, "of others")] == [False, True]
