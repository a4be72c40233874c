"""The account of a subject: which one is theirs, with which role, and why there is none."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from db import admins, audit
from db.admins import Admin, Role
from tests.page_admins import AUDIT, HASH, AdminBrowser, text_of
from tests.page_clients import require_harmless
from tests.service import Service
from tests.sign_in_issuer import SignInIssuer, served, sign_in, visiting

EMAIL = "ada@example.org"
VERIFIED = {"email": EMAIL, "email_verified": True}
ROLES = "owner=platform-admins editor=support editor='on call' viewer=staff"
Served = tuple[SignInIssuer, Service]


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest, embedded_url: str, template: str) -> Iterator[Served]:
    """An issuer, and a service whose admins have the roles of their accounts, or else of their groups."""
    roles = {"IR_ADMIN_OIDC_ROLES": request.param} if request.param else {}
    with served(embedded_url, template, **roles) as started:
        yield started


@pytest.fixture
def issuer(both: Served) -> SignInIssuer:
    """The issuer, which `browser` makes behave."""
    return both[0]


@pytest.fixture
def browser(both: Served) -> Iterator[AdminBrowser]:
    """A browser at the service."""
    with visiting(*both) as each:
        yield each


WITHOUT_GROUPS = pytest.mark.parametrize("both", [""], indirect=True)
WITH_GROUPS = pytest.mark.parametrize("both", [ROLES], indirect=True)


def create(browser: AdminBrowser, name: str, role: Role = "viewer", password: str | None = None) -> None:
    """Create an account."""
    with browser.service.database.begin() as connection:
        admins.create(connection, name, role, password)


def change(browser: AdminBrowser, function: Callable[..., Admin], *values: Any) -> None:
    """Change an account."""
    with browser.service.database.begin() as connection:
        function(connection, *values)


def accounts(browser: AdminBrowser) -> dict[str, tuple[Role, bool]]:
    """The role of each account, and whether it has a password."""
    with browser.service.database.begin() as connection:
        return {each.name: (each.role, each.has_password) for each in admins.list_all(connection)}


def done_by(browser: AdminBrowser, actor: str) -> list[tuple[str, str]]:
    """What the audit log says that `actor` did from this address, and to which account; oldest first."""
    with browser.service.database.begin() as connection:
        address = browser.client.headers["x-forwarded-for"]
        entries = audit.entries(connection, 20, None, {"actor": actor, "address": address})
    return [(entry.action, entry.subject) for entry in reversed(entries)]


def require_refused(browser: AdminBrowser, issuer: SignInIssuer, *words: str) -> None:
    """Fail unless a sign-in is refused, with a page that has `words`, and nothing is changed."""
    before = accounts(browser)
    page = sign_in(browser, issuer)
    assert page.status_code == 403
    assert page.headers["cache-control"] == "no-store"
    for each in words:
        assert each in text_of(page)
    require_harmless(page.text)
    assert browser.get(AUDIT).status_code == 303
    assert accounts(browser) == before


@WITHOUT_GROUPS
def test_an_account_is_found_by_the_verified_email(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """As an owner made it, with its role."""
    create(browser, EMAIL, "owner")
    issuer.claims = VERIFIED
    assert sign_in(browser, issuer).status_code == 303
    assert f"{EMAIL}, owner" in text_of(browser.get(AUDIT))
    assert done_by(browser, f"admin:{EMAIL}") == [("sign in", EMAIL)]


@WITHOUT_GROUPS
@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_email_that_is_not_verified_is_no_name(browser: AdminBrowser, issuer: SignInIssuer, verified: Any) -> None:
    """Anybody could claim it."""
    create(browser, EMAIL, "owner")
    issuer.claims = {"email": EMAIL, "email_verified": verified}
    require_refused(browser, issuer, "admin create subject-1 --role viewer --without-password")


@WITHOUT_GROUPS
@pytest.mark.parametrize(
    ("subject", "command"),
    [
        ("subject-1", "admin create subject-1 --role viewer --without-password"),
        ("x; rm -rf ~ <b>", "admin create 'x; rm -rf ~ <b>' --role viewer --without-password"),
        ("--role=owner", "admin create --role viewer --without-password -- --role=owner"),
    ],
)
def test_a_stranger_sees_the_command_that_gives_a_role(
    browser: AdminBrowser, issuer: SignInIssuer, subject: str, command: str
) -> None:
    """It can be pasted, whatever the name has."""
    issuer.claims = {"sub": subject}
    require_refused(browser, issuer, "You have no role here", f"interaction-reporting {command}")


@WITHOUT_GROUPS
@pytest.mark.parametrize("subject", ["\u202eevil", " x", "n" * 201])
def test_a_name_that_no_account_can_have_is_refused(browser: AdminBrowser, issuer: SignInIssuer, subject: str) -> None:
    """A list could not show it."""
    issuer.claims = {"sub": subject}
    require_refused(browser, issuer, "You have no name that this service can use")


@WITHOUT_GROUPS
@pytest.mark.parametrize("name", [EMAIL, "subject-1"])
def test_an_account_with_a_password_is_not_taken_over(browser: AdminBrowser, issuer: SignInIssuer, name: str) -> None:
    """The page says why; an account without one, by the other name, is still theirs."""
    create(browser, name, "owner", HASH)
    issuer.claims = VERIFIED
    require_refused(browser, issuer, f"The account {name} has a password")
    create(browser, next(other for other in (EMAIL, "subject-1") if other != name))
    assert sign_in(browser, issuer).status_code == 303
    assert browser.get("/admin/admins").status_code == 403


@WITHOUT_GROUPS
@pytest.mark.parametrize("name", [EMAIL, "subject-1"])
def test_a_disabled_account_stays_refused(browser: AdminBrowser, issuer: SignInIssuer, name: str) -> None:
    """Also if the subject has another account by its other name."""
    for each in (EMAIL, "subject-1"):
        create(browser, each)
    change(browser, admins.disable, name)
    issuer.claims = VERIFIED
    require_refused(browser, issuer, "Your account is disabled", f"admin enable {name}")


@WITH_GROUPS
@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"groups": ["staff", "platform-admins", "support"]}, "owner"),
        ({"groups": "on call"}, "editor"),
        ({"roles": ["support", 7, None]}, "editor"),
        ({"groups": ["staff"], "roles": ["platform-admins"]}, "viewer"),
    ],
)
def test_groups_make_an_account_with_the_highest_role(
    browser: AdminBrowser, issuer: SignInIssuer, claims: dict[str, Any], role: Role
) -> None:
    """The log says that the admin has made it; `roles` count without `groups` alone."""
    issuer.claims = {**VERIFIED, **claims}
    assert sign_in(browser, issuer).status_code == 303
    assert f"{EMAIL}, {role}" in text_of(browser.get(AUDIT))
    assert accounts(browser) == {EMAIL: (role, False)}
    assert done_by(browser, f"admin:{EMAIL}") == [("create", EMAIL), ("sign in", EMAIL)]


@WITH_GROUPS
def test_other_groups_give_another_role(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """From the next sign-in on, as a change in the log; the last owner stays one."""
    create(browser, "root", "owner", HASH)
    issuer.claims = {"groups": ["platform-admins"]}
    assert sign_in(browser, issuer).status_code == 303
    issuer.claims = {"groups": ["staff"]}
    assert sign_in(browser, issuer).status_code == 303
    assert accounts(browser)["subject-1"] == ("viewer", False)
    assert done_by(browser, "admin:subject-1")[2:] == [("sign in", "subject-1")] * 2
    change(browser, admins.set_role, "subject-1", "owner")
    change(browser, admins.disable, "root")
    browser.client.cookies.clear()
    require_refused(browser, issuer, "subject-1 is the last owner", "make another admin an owner first")


@WITH_GROUPS
@pytest.mark.parametrize("claims", [{}, {"groups": []}, {"groups": ["others", "*"]}, {"groups": {"owner": 1}}])
def test_without_a_group_there_is_no_role(browser: AdminBrowser, issuer: SignInIssuer, claims: dict[str, Any]) -> None:
    """Although there is an account; no account is made."""
    create(browser, "subject-1", "owner")
    issuer.claims = claims
    require_refused(browser, issuer, "You have no role here", "subject-1", "IR_ADMIN_OIDC_ROLES")
    issuer.claims = {**claims, "sub": "another"}
    require_refused(browser, issuer, "You have no role here", "another")


@WITH_GROUPS
def test_groups_take_over_no_account_with_a_password(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """Nor enable a disabled one."""
    create(browser, EMAIL, "viewer", HASH)
    issuer.claims = {**VERIFIED, "groups": ["platform-admins"]}
    require_refused(browser, issuer, f"The account {EMAIL} has a password")
    create(browser, "subject-2")
    change(browser, admins.disable, "subject-2")
    issuer.claims = {"sub": "subject-2", "groups": ["platform-admins"]}
    require_refused(browser, issuer, "Your account is disabled")
