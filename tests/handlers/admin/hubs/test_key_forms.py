"""Owners rotate the key of a hub, and disable and enable it."""

import time
from collections.abc import Callable

import httpx
import pytest

from db import audit, hubs
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.page_forms import HUBS, form_of, hidden, path_of, secret_of, send
from tests.service import Service


def status(service: Service, key: str) -> int:
    """The status that a hub gets with `key`."""
    return httpx.get(
        f"{service.url}{service.contract.server_path}/hub-capability-manifest",
        headers={"Authorization": f"Bearer {key}"},
    ).status_code


def until(expected: int, call: Callable[[], int]) -> bool:
    """True once `call` returns what is expected; workers learn of a change within a second."""
    for _ in range(100):
        if call() == expected:
            return True
        time.sleep(0.05)
    return False


def create(owner: AdminBrowser, name: str) -> str:
    """The key of a new hub."""
    return secret_of(owner.post(HUBS, {"name": name}))


@pytest.fixture
def accepted(owner: AdminBrowser) -> int:
    """The status that a right key gets."""
    return status(owner.service, owner.service.key)


def test_a_rotation_with_an_overlap_leaves_two_keys(owner: AdminBrowser, accepted: int) -> None:
    """And one without leaves one; the page of the hub says until when, and the log says who."""
    first, form = create(owner, "rotated"), form_of("rotate-key", "rotated")
    page = send(owner, form, {"overlap": "24", "why": "it leaked"})
    second = secret_of(page)
    assert page.status_code == 200
    assert "The former key is accepted until" in text_of(page)
    assert [status(owner.service, key) for key in (first, second)] == [accepted, accepted]
    assert "The former one is accepted until" in text_of(owner.get(path_of("rotated")))
    assert "is refused at once" in text_of(owner.get(form))
    third = secret_of(send(owner, form, {"overlap": "0"}))
    assert until(401, lambda: status(owner.service, first))
    assert until(401, lambda: status(owner.service, second))
    assert status(owner.service, third) == accepted
    with owner.service.database.begin() as connection:
        entries = audit.entries(connection, 5, None, {"kind": "hub", "subject": "rotated"})
    assert [(entry.action, entry.why) for entry in entries] == [
        ("rotate key", None),
        ("rotate key", "it leaked"),
        ("create", None),
    ]


@pytest.mark.parametrize("overlap", ["-1", "2161", "1.5", "a", "٣"])
def test_an_overlap_that_is_no_number_of_hours(owner: AdminBrowser, overlap: str) -> None:
    """It is a fault of the field, which keeps it; the key stays."""
    name = f"kept {overlap}"
    create(owner, name)
    with owner.service.database.begin() as connection:
        before = hubs.get(connection, name)
    page = send(owner, form_of("rotate-key", name), {"overlap": overlap, "why": "w" * 2001})
    assert page.status_code == 422
    assert "Enter a whole number from 0 to 2,160." in text_of(page)
    assert "It has 2001 characters." in text_of(page)
    assert f'value="{overlap}"' in page.text
    with owner.service.database.begin() as connection:
        assert hubs.get(connection, name) == before


def test_of_two_owners_who_rotate_at_once_one_is_refused(owner: AdminBrowser) -> None:
    """The other learns who was faster; so does an owner who sends the form again."""
    create(owner, "contested")
    form = form_of("rotate-key", "contested")
    with signed_in(owner.service, "the other owner") as other:
        fields = hidden(other.get(form), form)
        assert send(owner, form, {"overlap": "1"}).status_code == 200
        with owner.service.database.begin() as connection:
            after = hubs.get(connection, "contested")
        page = other.post(form, {**fields, "overlap": "1"})
    assert page.status_code == 409
    assert "The last change: rotate key, by admin:an owner in" in text_of(page)
    assert "irk_" not in page.text
    with owner.service.database.begin() as connection:
        assert hubs.get(connection, "contested") == after


@pytest.mark.parametrize("action", ["rotate-key", "disable", "limit", "add-origin"])
def test_a_form_sent_twice_does_nothing_twice(owner: AdminBrowser, action: str) -> None:
    """As by a reload of the page that answered it."""
    name = f"twice {action}"
    create(owner, name)
    form = form_of(action, name)
    fields = {**hidden(owner.get(form), form), "overlap": "1", "rate": "5", "origin": "https://a.example"}
    assert owner.post(form, fields).status_code in (200, 303)
    assert owner.post(form, fields).status_code == 409


def test_a_hub_is_disabled_after_a_page_that_says_to_whom(owner: AdminBrowser, accepted: int) -> None:
    """And enabled again, with the same key."""
    key, form = create(owner, "paused"), form_of("disable", "paused")
    asked = text_of(owner.get(form))
    assert "It has never sent a request. Its API keys are refused with 401" in asked
    assert "It has no enabled client." in asked
    assert status(owner.service, key) == accepted
    page = send(owner, form, {"why": "a rest"})
    assert (page.status_code, page.headers["location"]) == (303, path_of("paused"))
    assert until(401, lambda: status(owner.service, key))
    shown = text_of(owner.get(path_of("paused")))
    assert "paused is disabled: whatever it sends is refused." in shown
    assert "Disabled since" in shown
    assert send(owner, form_of("enable", "paused"), page=path_of("paused")).status_code == 303
    assert until(accepted, lambda: status(owner.service, key))
