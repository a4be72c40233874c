"""A hub signs in to its page, with its key or the secret of its client."""

import pytest

from db import oauth_clients
from handlers.security import failed_attempts
from tests.handlers.hub.browsers import new_hub, sign_in, token_in, visitor
from tests.page_admins import AUDIT, browsing, signed_in, text_of
from tests.service import Service


@pytest.mark.parametrize("is_client", [False, True])
def test_a_hub_signs_in_and_out(newest: Service, is_client: bool) -> None:
    """Its page has its name and nothing of others; the secret is on no page."""
    name = f"a hub <b> {is_client}"
    secret = new_hub(newest, name)
    if is_client:
        with newest.database.begin() as connection:
            secret = str(oauth_clients.issue(connection, name, ["events:write"], None, False)[1])
    with visitor(newest) as client:
        assert "Sign in" in client.get("/hub").text
        answer = sign_in(client, secret)
        assert (answer.status_code, answer.headers["location"]) == (303, "/hub")
        page = client.get("/hub")
        assert name.replace("<b>", "&lt;b&gt;") in page.text
        assert page.headers["cache-control"] == "no-store"
        assert secret not in page.text + str(dict(client.cookies))
        assert client.post("/hub/sign-out", data={"token": token_in(page)}).status_code == 303
        assert 'action="/hub/sign-in"' in client.get("/hub").text


def test_a_wrong_key_is_refused_and_not_shown(newest: Service) -> None:
    """It is no hub's; an empty one is told."""
    with visitor(newest) as client:
        page = sign_in(client, "irk_wrong")
        assert page.status_code == 422
        assert "This key or secret is not known, or it is disabled." in text_of(page)
        assert "Nothing was changed" not in page.text
        assert "irk_wrong" not in page.text
        assert sign_in(client, "").status_code == 422


def test_many_guesses_wait(start_service: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a right one waits, too."""
    monkeypatch.setattr(failed_attempts, "sender", lambda _scope: "of this test of hubs")
    with start_service() as service, visitor(service) as client:  # type: ignore[operator]
        statuses = [sign_in(client, f"irk_{number}").status_code for number in range(70)]
        assert statuses[0] == 422
        assert statuses[-1] == 429
        assert sign_in(client, service.key).status_code == 429


def test_a_hub_is_no_admin_and_an_admin_is_no_hub(newest: Service) -> None:
    """Neither cookie, nor the key of a hub, opens the pages of the other."""
    key = new_hub(newest, "curious")
    with signed_in(newest, "an admin at /hub") as admin, browsing(newest) as browser:
        assert 'action="/hub/sign-in"' in admin.get("/hub").text
        assert browser.get(AUDIT, headers={"authorization": f"Bearer {key}"}).status_code == 303
        browser.client.cookies.set("ir_hub", admin.client.cookies["ir_admin"])
        assert 'action="/hub/sign-in"' in browser.get("/hub").text
