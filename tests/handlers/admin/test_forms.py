"""What forms get that are forged, stale or malformed: nothing is changed."""

from collections.abc import Iterator

import pytest

from db import admins
from handlers.admin.roles import GET, POST, TABLE
from handlers.admin.stale import state_of
from scripts.service.routes import admin_pages
from tests.page_admins import ADMINS, AUDIT, PASSWORD, AdminBrowser, browsing, make_admin, signed_in, text_of
from tests.service import Service

EVE = {"name": "eve", "role": "owner", "password": PASSWORD}


@pytest.fixture(scope="module")
def owner(newest: Service) -> Iterator[AdminBrowser]:
    """An owner who is signed in."""
    with signed_in(newest, "an owner of forms") as browser:
        yield browser


def names(service: Service) -> set[str]:
    """The names of all admins."""
    with service.database.begin() as connection:
        return {admin.name for admin in admins.list_all(connection)}


def seen(owner: AdminBrowser, name: str) -> str:
    """The state of an account, as the forms of its page have it."""
    with owner.service.database.begin() as connection:
        return state_of(admins.get(connection, name))


@pytest.mark.parametrize(
    ("headers", "token", "words"),
    [
        ({"origin": "https://evil.example", "sec_fetch_site": "cross-site"}, None, "not from this service"),
        ({"origin": "https://evil.example", "sec_fetch_site": ""}, None, "not from this service"),
        ({"origin": "null"}, None, "not from this service"),
        ({"origin": ""}, None, "not from this service"),
        ({"origin": "http://["}, None, "not from this service"),
        ({"sec_fetch_site": "same-site"}, None, "not from this service"),
        ({}, "", "The page was old"),
        ({}, "0" * 64, "The page was old"),
        ({}, "é", "The page was old"),
    ],
)
def test_a_forged_form_changes_nothing(
    owner: AdminBrowser, headers: dict[str, str], token: str | None, words: str
) -> None:
    """From another origin, with the right token, too; or from here without it."""
    page = owner.post(ADMINS, EVE, token, **headers)
    assert page.status_code == 403
    assert words in text_of(page)
    assert "eve" not in names(owner.service)


def test_the_token_of_another_session_is_refused(owner: AdminBrowser) -> None:
    """Also of the same admin."""
    with browsing(owner.service) as other:
        assert other.sign_in("an owner of forms").status_code == 303
        assert owner.post(ADMINS, EVE, other.token()).status_code == 403
    assert "eve" not in names(owner.service)


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"name=eve&x=" + b"x" * 65536, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=b" for _ in range(101)), "application/x-www-form-urlencoded", 400),
        (b"name=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff=x", "application/x-www-form-urlencoded", 400),
        (b"name=eve", "multipart/form-data; boundary=x", 415),
        (b'{"name": "eve"}', "application/json", 415),
    ],
)
def test_another_body_is_refused(owner: AdminBrowser, content: bytes, media_type: str, status: int) -> None:
    """Too large, with too many fields, not in UTF-8, or no form."""
    headers = {"origin": owner.service.url, "content-type": media_type}
    page = owner.client.post(ADMINS, content=content, headers=headers)
    assert page.status_code == status
    assert "Nothing was changed." in text_of(page)


def test_faults_stand_at_their_fields(owner: AdminBrowser) -> None:
    """What was typed is kept, but for the password."""
    page = owner.post(ADMINS, {"name": "eve\u202e", "role": "king", "password": "short and"})
    assert page.status_code == 422
    words = text_of(page)
    assert "These are not right yet. Nothing was changed." in words
    assert "It has a character that cannot be printed." in words
    assert "Choose one of these: viewer, editor, owner." in words
    assert "A password has 12 to 1000 characters. This one has 9." in words
    assert 'href="#name"' in page.text
    assert "short and" not in page.text
    assert names(owner.service) & {"eve", "eve\u202e"} == set()


def test_an_owner_adds_changes_and_disables_an_admin(owner: AdminBrowser) -> None:
    """Each page says what was done; a name is found again by its link, whatever it has."""
    name = "a/b ?#%<b>\"' é"
    page = owner.post(ADMINS, {"name": name, "role": "viewer", "password": PASSWORD, "why": "x"})
    assert (page.status_code, page.headers["location"]) == (303, ADMINS)
    assert f"{name} may sign in now, as viewer." in text_of(owner.get(ADMINS))
    assert "may sign in now" not in text_of(owner.get(ADMINS))
    path = "/admin/admins/a%2Fb%20%3F%23%25%3Cb%3E%22%27%20%C3%A9"
    assert f'action="{path}/role"' in owner.get(ADMINS).text
    assert owner.post(f"{path}/role", {"role": "king", "seen": seen(owner, name)}).status_code == 422
    assert owner.post(f"{path}/role", {"role": "editor", "seen": seen(owner, name)}).status_code == 303
    stale = seen(owner, name)
    assert owner.post(f"{path}/disable", {"seen": stale}).status_code == 303
    again = owner.post(f"{path}/disable", {"seen": stale})
    assert again.status_code == 409
    assert "The last change: disable, by admin:an owner of forms" in text_of(again)
    with owner.service.database.begin() as connection:
        admin = admins.get(connection, name)
    assert (admin.role, admin.disabled_at is None) == ("editor", False)
    assert owner.post(f"{path}/enable", {"seen": seen(owner, name)}).status_code == 303
    log = text_of(owner.get(AUDIT))
    for action in ("create", "set role", "disable", "enable"):
        assert f"{action}: admin {name}" in log


def test_a_name_that_is_taken_and_one_that_is_unknown(owner: AdminBrowser) -> None:
    """The first is a fault of the field, the second a page that leads on."""
    page = owner.post(ADMINS, {"name": "an owner of forms", "role": "viewer", "password": PASSWORD})
    assert page.status_code == 422
    assert "already exists" in text_of(page)
    page = owner.post(f"{ADMINS}/nobody/disable")
    assert page.status_code == 404
    assert "There is no admin named 'nobody'" in text_of(page)


def test_a_path_with_a_nul_leads_nowhere(owner: AdminBrowser) -> None:
    """PostgreSQL has no such text."""
    assert owner.post(f"{ADMINS}/a%00b/disable").status_code == 404


def test_every_page_has_a_role() -> None:
    """And every row of the table has a page."""
    assert admin_pages().keys() == TABLE.keys()


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_each_role_is_refused_what_is_beyond_it(newest: Service, role: str) -> None:
    """Every route, with the form's token: 403, which names the role that is needed. Without a session: the sign-in."""
    beyond = {"viewer": ("editor", "owner"), "editor": ("owner",)}[role]
    with signed_in(newest, f"a {role} of all", role) as browser, browsing(newest) as stranger:  # type: ignore[arg-type]
        token = browser.token()
        for (method, template), least in TABLE.items():
            path = template.replace("{name:path}", "x").replace("{id}", "x").replace("{version}", "1.1")
            if least in beyond:
                page = browser.get(path) if method == GET else browser.post(path, {}, token)
                assert page.status_code == 403, path
                assert f"This needs the role {least}" in text_of(page)
            answer = stranger.get(path) if method == GET else stranger.post(path, {}, token)
            assert answer.status_code == 303, path
            assert answer.headers["location"].startswith("/admin/sign-in")


def test_get_changes_nothing(owner: AdminBrowser) -> None:
    """A page that is only a form is no page: 405, or 404 where a name may end like its path."""
    make_admin(owner.service, "kept")
    only_forms = {path for method, path in TABLE if method == POST} - {path for method, path in TABLE if method == GET}
    for path in sorted(only_forms):
        page = owner.get(path.replace("{name:path}", "kept").replace("{id}", "x").replace("{version}", "1.1"))
        assert page.status_code in {404, 405}, path
