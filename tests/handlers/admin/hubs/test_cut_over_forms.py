"""Owners cut hubs over to access tokens, and back."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from db import hubs, oauth_clients, version_usage
from db.hubs import Hub
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.page_forms import form_of, path_of, send


def make(owner: AdminBrowser, name: str, *versions: str) -> None:
    """A hub that has used these versions."""
    with owner.service.database.begin() as connection:
        hub, _ = hubs.create(connection, name)
        for version in versions:
            version_usage.add(connection, Counter({(hub.id.int, version): 1}), datetime.now(UTC))


def get(owner: AdminBrowser, name: str) -> Hub:
    """The hub as it is now."""
    with owner.service.database.begin() as connection:
        return hubs.get(connection, name)


def test_a_hub_that_has_moved_is_cut_over_and_back(owner: AdminBrowser) -> None:
    """The page says to whom what happens; the page of the hub says why it was."""
    make(owner, "moved", "1.1", "2.0")
    with owner.service.database.begin() as connection:
        oauth_clients.issue(connection, "moved", ["events:write"])
    form = form_of("cut-over", "moved")
    asked = text_of(owner.get(form))
    assert "Its last request to version 1 was at" in asked
    assert "The tokens of its client are accepted as before." in asked
    assert "anyway" not in asked
    assert send(owner, form, {"why": "it uses <version 2>"}).status_code == 303
    hub = get(owner, "moved")
    assert hub.cut_over_at is not None
    assert hub.cut_over_why == "it uses <version 2>"
    assert "Why it was cut over: it uses <version 2>" in text_of(owner.get(path_of("moved")))
    undo = form_of("undo-cut-over", "moved")
    assert send(owner, undo, page=path_of("moved")).status_code == 303
    assert get(owner, "moved").cut_over_at is None


@pytest.mark.parametrize("force", ["", "no"])
def test_a_hub_that_never_used_the_next_version_needs_a_tick(owner: AdminBrowser, force: str) -> None:
    """Without it nothing is changed, and the box is at fault."""
    name = f"untried {force}"
    make(owner, name, "1.1")
    form = form_of("cut-over", name)
    asked = text_of(owner.get(form))
    assert "It was never seen on version 2. It might no longer be able to report anything." in asked
    assert "It has no enabled client, so that everything that it sends is refused" in asked
    page = send(owner, form, {"force": force, "why": "kept <b>"})
    assert page.status_code == 422
    assert "Tick it if the hub is to be cut over all the same." in text_of(page)
    assert "kept &lt;b&gt;</textarea>" in page.text
    assert get(owner, name).cut_over_at is None
    assert send(owner, form, {"force": "yes"}).status_code == 303
    assert get(owner, name).cut_over_at is not None


def test_a_form_from_before_a_change_is_refused(owner: AdminBrowser) -> None:
    """It says who was faster."""
    make(owner, "contested cut-over", "2.0")
    form = form_of("cut-over", "contested cut-over")
    with owner.service.database.begin() as connection:
        before = owner.get(form)
        hubs.limit(connection, "contested cut-over", 5)
    seen = before.text.partition('name="seen" value="')[2].partition('"')[0]
    assert owner.post(form, {"seen": seen}).status_code == 409
    assert get(owner, "contested cut-over").cut_over_at is None


@pytest.mark.usefixtures("version_1_alone")
def test_without_a_next_version_no_hub_is_cut_over(start_service: Callable[..., Any]) -> None:
    """The page says so instead of asking."""
    with start_service() as service, signed_in(service, "an owner of version 1") as owner:
        make(owner, "stays", "1.1")
        page = owner.get(form_of("cut-over", "stays"))
    assert page.status_code == 409
    assert "Hubs have no version to move to" in text_of(page)
