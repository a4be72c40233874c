"""The page of a hub: what it sends, and what was rejected."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from db import hub_capability_manifests, hub_totals, hubs, ids, oauth_clients, submission_usage, version_usage
from db.tables import rejected_submissions
from handlers.admin.hubs.facts import MOST_CLIENTS
from tests.page_admins import AdminBrowser, text_of
from tests.page_forms import HUBS, path_of


def test_it_says_how_a_hub_is(owner: AdminBrowser) -> None:
    """Its last requests, its items by outcome and period, its clients, manifests and rejections."""
    now = datetime.now(UTC)
    with owner.service.database.begin() as connection:
        hub, _ = hubs.create(connection, "full")
        hub_totals.see(connection, [hub.id], now)
        version_usage.add(connection, Counter({(hub.id.int, "1.1"): 7}), now)
        for ago, outcome, count in ((0, "created", 41), (3, "created", 1000), (0, "rejected", 2), (8, "throttled", 99)):
            key = (hub.id.int, "1.1", "event", outcome, "clicked")
            submission_usage.add(connection, Counter({key: count}), now - timedelta(days=ago))
        oauth_clients.issue(connection, "full", ["events:read"])
        manifest = {"event_types": [{"name": "a", "description": ""}], "widgets": []}
        hub_capability_manifests.keep(connection, hub.id, 1, manifest, "1.1")
        rejection: dict[str, Any] = {
            "kind": "event",
            "code": "event_type_not_registered",
            "error": "<i>not registered</i>",
        }
        rejection |= {"raw": b"{}", "contract_version": "1.1", "hub_id": hub.id, "id": ids.new_id()}
        connection.execute(insert(rejected_submissions).values(rejection))
    page = owner.get(path_of("full"))
    words = text_of(page)
    assert f'href="/admin/rejected/{rejection["id"]}"' in page.text
    assert "Its last request was at" in words
    assert "Last 24 hours 41 - 2 - Last 7 days 1,041 - 2 -" in words.replace("\N{EN DASH}", "-")
    assert "Its last request to version 1 was at" in words
    assert "Revision 1," in words
    assert "1 event type, 0 widgets" in words
    assert "event_type_not_registered <i>not registered</i>" in words
    assert "events:read" in words


def test_an_empty_hub_is_told_what_to_do(owner: AdminBrowser) -> None:
    """Each part says why it is empty."""
    owner.post(HUBS, {"name": "empty"})
    words = text_of(owner.get(path_of("empty")))
    for sentence in (
        "It has never sent a request.",
        "It has no client.",
        "It has sent no manifest.",
        "Nothing is rejected.",
        "no page may report for it from a browser",
    ):
        assert sentence in words


def test_many_clients_are_cut(owner: AdminBrowser) -> None:
    """The page names the command that lists all."""
    with owner.service.database.begin() as connection:
        hubs.create(connection, "of many clients")
        for _ in range(MOST_CLIENTS + 1):
            oauth_clients.issue(connection, "of many clients", ["events:read"])
    page = owner.get(path_of("of many clients"))
    assert page.text.count('href="/admin/hub/disable-client/') == MOST_CLIENTS
    assert "It has more clients than these." in text_of(page)
