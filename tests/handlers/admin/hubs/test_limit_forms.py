"""Owners limit hubs, and list the origins of their pages."""

import pytest

from db import hub_origins, hubs
from db.tables import MOST_ORIGINS
from tests.page_admins import AdminBrowser, text_of
from tests.page_forms import form_of, path_of, send


def make(owner: AdminBrowser, name: str) -> None:
    """A hub."""
    with owner.service.database.begin() as connection:
        hubs.create(connection, name)


def limit(owner: AdminBrowser, name: str) -> int | None:
    """The limit of a hub."""
    with owner.service.database.begin() as connection:
        return hubs.get(connection, name).rate_limit


def origins(owner: AdminBrowser, name: str) -> list[str]:
    """The origins of a hub."""
    with owner.service.database.begin() as connection:
        return hub_origins.of_hub(connection, name)


def test_a_limit_is_set_and_taken_back(owner: AdminBrowser) -> None:
    """An empty field is the usual limit."""
    make(owner, "limited")
    form = form_of("limit", "limited")
    assert send(owner, form, {"rate": "1500"}).status_code == 303
    assert limit(owner, "limited") == 1500
    assert "limited may send 1,500 items a second." in text_of(owner.get(path_of("limited")))
    assert 'value="1500"' in owner.get(form).text
    assert send(owner, form, {"rate": ""}).status_code == 303
    assert limit(owner, "limited") is None


@pytest.mark.parametrize("rate", ["0", "-1", "100000001", "5.0", "many"])
def test_a_limit_that_is_none(owner: AdminBrowser, rate: str) -> None:
    """It is a fault of the field."""
    name = f"unlimited {rate}"
    make(owner, name)
    page = send(owner, form_of("limit", name), {"rate": rate})
    assert page.status_code == 422
    assert "Enter a whole number from 1 to 100,000,000." in text_of(page)
    assert limit(owner, name) is None


def test_an_origin_is_added_and_removed(owner: AdminBrowser) -> None:
    """The page of the hub lists it."""
    make(owner, "of pages")
    origin = "https://app.example:8443"
    assert send(owner, form_of("add-origin", "of pages"), {"origin": origin}).status_code == 303
    assert origins(owner, "of pages") == [origin]
    assert origin in text_of(owner.get(path_of("of pages")))
    assert send(owner, form_of("remove-origin", "of pages"), page=path_of("of pages")).status_code == 303
    assert origins(owner, "of pages") == []


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("", "Enter an origin."),
        ("*", "would stand for any page"),
        ("https://app.example/path", "is not of the form"),
        ("http://app.example", "is only for localhost"),
        ("https://a.example\0", "NUL"),
        ("https://<b>.example", "Origin"),
    ],
)
def test_an_origin_that_is_none(owner: AdminBrowser, origin: str, words: str) -> None:
    """It is a fault of the field, which keeps it."""
    name = f"without {origin!a}"
    make(owner, name)
    page = send(owner, form_of("add-origin", name), {"origin": origin})
    assert page.status_code == 422
    assert words in text_of(page)
    assert "<b>" not in page.text
    assert origins(owner, name) == []


def test_there_is_a_limit_on_origins(owner: AdminBrowser) -> None:
    """The form says so."""
    make(owner, "of many pages")
    with owner.service.database.begin() as connection:
        for number in range(MOST_ORIGINS):
            hub_origins.add(connection, "of many pages", f"https://{number}a.example")
    page = send(owner, form_of("add-origin", "of many pages"), {"origin": "https://one-more.example"})
    assert page.status_code == 422
    assert "which is the limit: remove one first" in text_of(page)
