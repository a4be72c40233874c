"""Signing in and out: who may, for how long, and what strangers get."""

import re
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from statistics import median
from time import process_time

import pytest
from sqlalchemy import text

from db import admins, audit
from handlers.admin.sign_in import safe_return
from handlers.security import failed_attempts, passwords
from tests.page_admins import ADMINS, AUDIT, HASH, PASSWORD, browsing, make_admin, signed_in, text_of
from tests.service import Service


def test_an_admin_signs_in_and_out(newest: Service) -> None:
    """Signing in leads back to the page that was asked for; a cookie from before signing out is worth nothing."""
    make_admin(newest, "alice")
    with browsing(newest) as browser:
        asked = browser.get(f"{AUDIT}?kind=hub")
        assert (asked.status_code, asked.headers["location"]) == (
            303,
            "/admin/sign-in?return=%2Fadmin%2Faudit%3Fkind%3Dhub",
        )
        assert 'value="/admin/audit?kind=hub"' in browser.get(asked.headers["location"]).text
        answer = browser.sign_in("alice", leads_to=f"{AUDIT}?kind=hub")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{AUDIT}?kind=hub")
        page = browser.get(AUDIT)
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["vary"] == "Accept, Cookie"
        assert "sign in: admin alice" in text_of(page)
        stolen = dict(browser.client.cookies)
        assert browser.post("/admin/sign-out").headers["location"] == "/admin/sign-in"
        assert browser.get(AUDIT).status_code == 303
        browser.client.cookies.update(stolen)
        assert browser.get(AUDIT).status_code == 303


def test_the_cookie_is_new_and_hidden_from_scripts(newest: Service) -> None:
    """Whatever cookie the browser had before (fixation); the database has its digest alone."""
    make_admin(newest, "bob")
    with browsing(newest) as browser:
        browser.client.cookies.set("ir_admin", fixed := "f" * 43)
        answer = browser.sign_in("bob")
        (set_cookie,) = [value for value in answer.headers.get_list("set-cookie") if value.startswith("ir_admin=")]
        cookie = SimpleCookie(set_cookie)["ir_admin"]
        assert cookie.value != fixed
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "lax", "/", "")
        with newest.database.begin() as connection:
            stored = repr(connection.execute(text("SELECT p FROM page_sessions AS p")).all())
        assert cookie.value not in stored


def test_another_sign_in_leads_on_at_once(newest: Service) -> None:
    """Who is signed in sees no form again."""
    with signed_in(newest, "carol") as browser:
        answer = browser.get("/admin/sign-in?return=/admin/audit")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/audit")


@pytest.mark.parametrize(
    ("name", "password"), [("dave", "wrong horse battery"), ("nobody at all", PASSWORD), ("gone", PASSWORD)]
)
def test_what_is_wrong_is_not_told(newest: Service, name: str, password: str) -> None:
    """A wrong password, an unknown name and a disabled account get the same page, which keeps the name."""
    for each in ("dave", "gone"):
        with newest.database.begin() as connection:
            known = {admin.name for admin in admins.list_all(connection)}
        if each not in known:
            make_admin(newest, each, "viewer")
    with newest.database.begin() as connection:
        admins.disable(connection, "gone")
    with browsing(newest) as browser:
        page = browser.sign_in(name, password)
    assert page.status_code == 422
    assert "The name or the password is wrong, or the account is disabled." in text_of(page)
    assert "Nothing was changed" not in page.text
    assert f'value="{name}"' in page.text
    assert password not in page.text


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/admin\\evil",
        "/administer",
        "/admin\r\nx",
        "x",
        "",
    ],
)
def test_a_return_to_elsewhere_is_ignored(path: str) -> None:
    """It leads to the first page of the admin."""
    assert safe_return(path) == "/admin"


def test_too_many_guesses_wait(newest: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten for a name; then a name that does not exist is answered in the same way, and the right password waits."""
    monkeypatch.setattr(failed_attempts, "sender", lambda _scope: "of this test")
    make_admin(newest, "guessed")
    for name in ("guessed", "guessed, and unknown"):
        with browsing(newest) as browser:
            answers = [browser.sign_in(name, "wrong horse battery") for _ in range(11)]
            assert [answer.status_code for answer in answers] == [422] * 10 + [429]
            assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
            assert "Wait for" in text_of(answers[-1])
            assert browser.sign_in(name).status_code == 429


def test_a_disabled_admin_is_out_at_once(newest: Service) -> None:
    """As is one with another password; another role counts from the next request on."""
    with signed_in(newest, "demoted") as browser:
        with newest.database.begin() as connection:
            admins.set_role(connection, "demoted", "viewer")
        page = browser.get(ADMINS)
        assert page.status_code == 403
        assert "This needs the role owner" in text_of(page)
        with newest.database.begin() as connection:
            admins.disable(connection, "demoted")
        assert browser.get(AUDIT).status_code == 303


def test_a_program_finds_nothing(newest: Service) -> None:
    """Not even with the cookie of an admin: the pages are for browsers."""
    with signed_in(newest, "curious") as browser:
        response = browser.get(AUDIT, headers={"accept": "*/*"})
        assert (response.status_code, response.headers["content-type"]) == (404, "application/json")
        usage = browser.get("/api/v1/usage", headers={"accept": "application/json"})
        assert usage.status_code == 401


@pytest.mark.slow
def test_an_unknown_name_takes_as_long() -> None:
    """The CPU time of a check, of a name that exists and of one that does not, for a hash of full strength."""
    hashed = passwords.hash_of(PASSWORD)

    def seconds(of: str | None) -> float:
        started = process_time()
        passwords._matches("wrong horse battery", of)
        return process_time() - started

    def ratio() -> float:
        rounds = [(seconds(hashed), seconds(None)) for _ in range(6)]
        known, unknown = (median(times) for times in zip(*rounds[1:], strict=True))
        return float(max(known, unknown) / min(known, unknown))

    assert any(ratio() < 1.2 for _ in range(4))  # a busy machine may disturb one of them


def test_the_first_page_says_how_to_begin(start_service: object) -> None:
    """Without an admin, the command that makes one."""
    with start_service() as service, browsing(service) as browser:  # type: ignore[operator]
        page = text_of(browser.get("/admin/sign-in"))
        assert "interaction-reporting admin create NAME --role owner" in page
        make_admin(service, "alice")
        assert "admin create" not in text_of(browser.get("/admin/sign-in"))


def test_an_audit_entry_has_the_address(newest: Service) -> None:
    """And no password."""
    with signed_in(newest, "traced") as browser:
        assert browser.get(AUDIT).status_code == 200
    with newest.database.begin() as connection:
        (entry,) = audit.entries(connection, 9, None, {"actor": "admin:traced"})
    assert (entry.action, entry.address) == ("sign in", "127.0.0.1")
    assert not re.search(PASSWORD, repr(entry))


def test_many_guesses_at_once_are_no_more_than_one_by_one(newest: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each counts before it is looked at; a right one is taken back."""
    monkeypatch.setattr(failed_attempts, "sender", lambda _scope: "a flood")
    make_admin(newest, "flooded")
    with browsing(newest) as browser, ThreadPoolExecutor(40) as pool:
        token = browser.token("/admin/sign-in")
        fields = {"name": "flooded", "password": "wrong horse battery"}
        answers = list(pool.map(lambda _: browser.post("/admin/sign-in", fields, token).status_code, range(40)))
    assert answers.count(422) <= 10
    assert set(answers) == {422, 429}
    with signed_in(newest, "often here") as browser:
        for _ in range(15):
            assert browser.post("/admin/sign-out").status_code == 303
            assert browser.sign_in("often here").status_code == 303


def test_a_password_that_is_changed_meanwhile_begins_no_session(newest: Service) -> None:
    """Nor does one of an account that is disabled while its password is checked."""
    make_admin(newest, "slow")
    with newest.database.begin() as connection:
        admin = admins.get(connection, "slow")
        assert admins.may_sign_in(connection, admin.id, HASH)
        assert not admins.may_sign_in(connection, admin.id, HASH + "x")
        assert admins.may_sign_in(connection, admin.id, None)
        admins.disable(connection, "slow")
        assert not admins.may_sign_in(connection, admin.id, HASH)


def test_another_sign_in_ends_the_session_of_the_browser(newest: Service) -> None:
    """And of all sessions of an admin the newest twenty stay."""
    with signed_in(newest, "twice here") as browser:
        former = browser.client.cookies["ir_admin"]
        with browsing(newest) as visitor:
            token = visitor.token("/admin/sign-in")
            browser.client.cookies.set("ir_visitor", visitor.client.cookies["ir_visitor"])
        answer = browser.post("/admin/sign-in", {"name": "twice here", "password": PASSWORD}, token)
        assert answer.status_code == 303
        with browsing(newest) as other:
            other.client.cookies.set("ir_admin", former)
            assert other.get(AUDIT).status_code == 303
