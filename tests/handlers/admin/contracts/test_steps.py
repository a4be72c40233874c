"""Forms of the steps that are wrong, stale or sent twice: nothing is changed."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from db import contracts
from db.audit import Author
from tests.handlers.admin.contracts.conftest import (
    CONTRACTS_PAGE,
    document,
    field,
    publish,
    rehearsed,
    row,
    status,
    step,
    wider,
)
from tests.page_admins import AdminBrowser, signed_in, text_of
from tests.service import Service

DEPRECATE = f"{CONTRACTS_PAGE}/1.1/deprecate"


@pytest.fixture(scope="module")
def calm(newest: Service) -> Iterator[AdminBrowser]:
    """An owner of the shared service, who changes nothing."""
    with signed_in(newest, "an owner who changes nothing") as browser:
        yield browser


@pytest.mark.parametrize("typed", ["", "1.0", "1.1.", "11", "\uff11.1", "1.1\u202e", "<script>", "x" * 3000])
def test_another_number_changes_nothing(calm: AdminBrowser, typed: str) -> None:
    """422 at the field, and the rest of what was typed is kept."""
    page = step(calm, "1.1", "deprecate", typed=typed, sunset="2125-01-01", why="kept reason")
    assert page.status_code == 422
    assert "Type 1.1, to say that you mean this contract." in text_of(page)
    assert 'href="#typed"' in page.text
    assert 'value="kept reason"' in page.text
    assert "<script>" not in page.text.replace("<script src", "")
    assert status(calm.service, "1.1") == "active"


@pytest.mark.parametrize(
    ("sunset", "words"),
    [
        ("", "Enter a date like 2027-03-31"),
        ("tomorrow", "Enter a date like 2027-03-31"),
        ("2125-02-30", "Enter a date like 2027-03-31"),
        ("2125-01-01T00:00:00", "Enter a date like 2027-03-31"),
        ("2001-01-01", "The sunset is not in the future."),
        ("9999-12-31", "The sunset is after 9999-12-30, the latest date allowed."),
        ("\u0662125-01-01", "Enter a date like 2027-03-31"),
    ],
)
def test_a_sunset_that_cannot_be_is_a_fault(calm: AdminBrowser, sunset: str, words: str) -> None:
    """At its field."""
    page = step(calm, "1.1", "deprecate", sunset=sunset)
    assert page.status_code == 422
    assert words in text_of(page)
    assert 'href="#sunset"' in page.text
    assert status(calm.service, "1.1") == "active"


def test_a_form_from_before_a_change_says_who_was_faster(own: Service, owner: AdminBrowser) -> None:
    """Also after a command, and if only the document in the row was edited."""
    seen = field(owner.get(DEPRECATE), "seen")
    later = row(own, "1.1").published_at.replace(year=2126)
    with own.database.begin() as connection:
        contracts.deprecate(connection, "1.1", later, Author("cli:carl"))
    page = owner.post(DEPRECATE, {"seen": seen, "typed": "1.1", "sunset": "2125-01-01"})
    assert page.status_code == 409
    assert "The contract has changed since you opened the page" in text_of(page)
    assert "The last change: deprecate, by cli:carl" in text_of(page)
    sunset = row(own, "1.1").sunset_at
    assert sunset is not None
    assert sunset.year == 2126
    for wrong in ("", "0" * 32, "é"):
        assert owner.post(DEPRECATE, {"seen": wrong, "typed": "1.1", "sunset": "2125-01-01"}).status_code == 409


def test_a_form_that_is_sent_twice_changes_once(own: Service, owner: AdminBrowser) -> None:
    """The second answer is 409, for each step."""
    assert publish(owner, document(wider)).status_code == 303
    rehearsed(owner, "1.2")
    for version, action, fields in (
        ("1.2", "activate", {}),
        ("1.2", "rollback", {}),
        ("1.1", "deprecate", {"sunset": "2125-01-01"}),
        ("1.1", "withdraw-deprecation", {}),
    ):
        path = f"{CONTRACTS_PAGE}/{version}/{action}"
        form = {"seen": field(owner.get(path), "seen"), "typed": version, **fields}
        assert owner.post(path, form).status_code == 303, action
        after = row(own, version)
        assert owner.post(path, form).status_code == 409, action
        assert row(own, version) == after


def test_of_two_owners_at_once_one_activates(own: Service, owner: AdminBrowser) -> None:
    """Each means another version: the second one learns that the first was faster."""
    for version in ("1.2", "1.3"):
        assert publish(owner, document(wider, version)).status_code == 303
        rehearsed(owner, version)
    with signed_in(own, "otto") as other:
        forms = []
        for browser, version in ((owner, "1.2"), (other, "1.3")):
            path = f"{CONTRACTS_PAGE}/{version}/activate"
            forms.append((browser, path, {"seen": field(browser.get(path), "seen"), "typed": version}, browser.token()))
        with ThreadPoolExecutor(2) as threads:
            pages = list(threads.map(lambda form: form[0].post(*form[1:]), forms))
    assert sorted(page.status_code for page in pages) == [303, 409]
    (refused,) = (page for page in pages if page.status_code == 409)
    assert "The last change: activate, by admin:o" in text_of(refused)
    assert sorted(status(own, version) for version in ("1.1", "1.2", "1.3")) == ["active", "draft", "superseded"]


def test_a_step_that_the_status_has_not_is_refused(calm: AdminBrowser) -> None:
    """409, and the page leads back."""
    for version, action in (("1.1", "activate"), ("1.0", "deprecate"), ("1.1", "retire"), ("2.0", "rollback")):
        page = calm.get(f"{CONTRACTS_PAGE}/{version}/{action}")
        assert page.status_code == 409, (version, action)
        assert "is not possible now" in text_of(page)
    with calm.service.database.begin() as connection:
        assert [each.contract_version for each in contracts.serving(connection)] == ["1.1", "2.0"]


@pytest.mark.parametrize(
    "version", ["9.9", "1.11", "x", "..%2f", "%00", "%e2%80%ae", "%3Cscript%3E", "1.1%20", "9" * 300]
)
def test_an_unknown_version_leads_to_the_others(calm: AdminBrowser, version: str) -> None:
    """Each page of it."""
    for path in ("", "/activate", "/rehearsals/x"):
        page = calm.get(f"{CONTRACTS_PAGE}/{version}{path}")
        assert page.status_code == 404, path
        assert "<script>" not in page.text.replace("<script src", "")
    assert "Contract 1.1" in text_of(calm.get(f"{CONTRACTS_PAGE}/9.9"))
    assert calm.post(f"{CONTRACTS_PAGE}/9.9/rehearse", {"last": "5"}).status_code == 404
    assert calm.get(f"{CONTRACTS_PAGE}/compare?old=9.9&new=1.1").status_code == 404
    assert calm.get(f"{CONTRACTS_PAGE}/1.1/rehearsals/00000000-0000-0000-0000-000000000000").status_code == 404


def test_a_rehearsal_needs_a_number(calm: AdminBrowser) -> None:
    """Of those that the row can have."""
    for last in ("", "0", "-1", "1000001", "x", "1e3", "\uff19"):
        page = calm.post(f"{CONTRACTS_PAGE}/1.1/rehearse", {"last": last})
        assert page.status_code == 422, last
        assert 'id="last-fault"' in page.text


def test_drift_is_shown_with_its_remedy(own: Service, owner: AdminBrowser) -> None:
    """What plain SQL made of a row, on the list and on the page of the version."""
    assert "All agree" in text_of(owner.get(CONTRACTS_PAGE))
    with own.database.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE interaction_reporting_contracts SET document = replace(document, 'nteraction', 'nter<b>action')"
            " WHERE contract_version = '1.0'"
        )
    words = text_of(owner.get(CONTRACTS_PAGE))
    assert "Not all agree. The rows govern." in words
    assert "contract 1.0 was edited since it was published" in words or "contract 1.0: the row" in words
    page = owner.get(f"{CONTRACTS_PAGE}/1.0")
    assert page.status_code == 200
    assert "The row" in text_of(page)


def test_two_published_versions_are_compared_on_the_portal(calm: AdminBrowser) -> None:
    """Any pair, in any order; a query that cannot be read is 400."""
    page = calm.get(f"{CONTRACTS_PAGE}/compare?old=1.0&new=2.0")
    assert (page.status_code, page.headers["location"]) == (303, "/contracts/1.0/diff/2.0")
    assert calm.get(f"{CONTRACTS_PAGE}/compare?old=1.0&old=1.1&new=2.0").status_code == 400
    assert calm.get(f"{CONTRACTS_PAGE}/compare?old=%ff&new=2.0").status_code == 400


def test_an_editor_sees_no_step(own: Service) -> None:
    """And a viewer no form."""
    with signed_in(own, "erna", "editor") as editor, signed_in(own, "vera", "viewer") as viewer:
        seen = editor.get(f"{CONTRACTS_PAGE}/1.1").text
        assert not re.search("/1.1/(activate|deprecate|retire|rollback)", seen)
        assert "/1.1/rehearse" in seen
        seen = viewer.get(f"{CONTRACTS_PAGE}/1.1").text
        assert 'action="/admin/contracts/1.1' not in seen
        assert "/admin/contracts/publish" not in viewer.get(CONTRACTS_PAGE).text
