"""The pages of a hub that is signed in, in a real browser."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Browser

from db import hubs, oauth_clients, rejected_submissions, replays
from db.audit import Author
from db.ids import new_id
from db.rejections import RejectionFilter
from tests.handlers.admin.rejections.rejecting import reject
from tests.handlers.hub.browsers import sign_in, visitor
from tests.page_browser import Look, chromium, look
from tests.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("looks")]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as each:
        yield each


def test_the_pages_of_a_hub_are_without_fault(newest: Service, chrome: Browser) -> None:
    """Empty, full, a rejection, and one that is not there."""
    with newest.database.begin() as connection:
        hub, key = hubs.create(connection, "looked at by itself <b>")
    with visitor(newest) as client:
        assert sign_in(client, key).status_code == 303
        cookies = dict(client.cookies)
        assert look(chrome, f"{newest.url}/hub", "empty-", cookies) == Look(200, [])
        raw = b'{"event_type": "<b>", "x": "\xff' + b"x" * 200 + b'"}'
        (identifier,) = reject(newest, hub.id, raw, pointer="/event_type", event_type="<b>" + "y" * 190)
        assert look(chrome, f"{newest.url}/hub", "full-", cookies) == Look(200, [])
        with newest.database.begin() as connection:
            replays.start(connection, Author(f"hub:{hub.id}"), RejectionFilter(hub_id=hub.id))
            (stored,) = reject(newest, hub.id, raw, event_type="<b>" + "y" * 190)
            rejected_submissions.settle(connection, {UUID(stored): new_id()}, {})
        assert look(chrome, f"{newest.url}/hub", "replayed-", cookies) == Look(200, [])
        assert look(chrome, f"{newest.url}/hub/rejected/{identifier}", "", cookies) == Look(200, [])
        with chrome.new_context() as context:
            context.add_cookies([{"name": name, "value": value, "url": newest.url} for name, value in cookies.items()])
            page = context.new_page()
            page.goto(f"{newest.url}/hub/rejected/{identifier}")
            assert page.locator("mark").first.evaluate("mark => getComputedStyle(mark).display") == "inline"
            assert '"event_type": "<b>",\n' in page.locator("pre").inner_text()
        assert look(chrome, f"{newest.url}/hub/rejected/nothing", "", cookies) == Look(404, [])


def test_the_pages_of_a_client_without_scopes_are_without_fault(newest: Service, chrome: Browser) -> None:
    """Parts are left out, and a rejection is refused."""
    with newest.database.begin() as connection:
        hubs.create(connection, "looked at by its client")
        _, secret = oauth_clients.issue(connection, "looked at by its client", ["events:write"])
    with visitor(newest) as client:
        assert sign_in(client, str(secret)).status_code == 303
        cookies = dict(client.cookies)
        assert look(chrome, f"{newest.url}/hub", "lacking-", cookies) == Look(200, [])
        assert look(chrome, f"{newest.url}/hub/rejected/nothing", "lacking-", cookies) == Look(403, [])
