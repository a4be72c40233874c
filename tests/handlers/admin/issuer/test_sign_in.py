"""Signing in by an issuer: the way there and back, and every answer that must not be believed."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from db import admins
from handlers.admin.issuer import attempts
from handlers.security import issuers
from openapi.oauth.authorization_requests import Attempt
from tests.page_admins import ADMINS, AUDIT, AdminBrowser, browsing, text_of
from tests.page_clients import require_harmless
from tests.service import Service
from tests.sign_in_issuer import SECRET, SignInIssuer, come_back, issuing, lead, parameters, served, sign_in, visiting

Log = pytest.LogCaptureFixture
Start = Callable[..., AbstractContextManager[Service]]
Served = tuple[SignInIssuer, Service]
NAME = "subject-1"


@pytest.fixture(scope="module")
def both(embedded_url: str, template: str) -> Iterator[Served]:
    """An issuer, and a service that tests share."""
    with served(embedded_url, template) as started:
        yield started


@pytest.fixture
def issuer(both: Served) -> SignInIssuer:
    """The issuer, which `browser` makes behave."""
    return both[0]


@pytest.fixture
def browser(both: Served) -> Iterator[AdminBrowser]:
    """The browser of someone with an account, but without a password."""
    with visiting(*both) as each:
        with each.service.database.begin() as connection:
            admins.create(connection, NAME, "editor", None)
        yield each


@pytest.fixture
def log(browser: AdminBrowser, caplog: Log) -> Iterator[Log]:
    """Every line of the service's log, also at the level debug; a service that starts removes the handler."""
    assert browser
    own = threading.get_ident()  # of the browser, which logs the cookies that it sends

    def is_of_service(_: logging.LogRecord) -> bool:
        return threading.get_ident() != own

    logging.getLogger().addHandler(caplog.handler)
    caplog.set_level(logging.DEBUG)
    caplog.handler.addFilter(is_of_service)
    yield caplog
    caplog.handler.removeFilter(is_of_service)  # other tests have the same handler


def require_signed_out(browser: AdminBrowser) -> None:
    """Fail if the browser has a session."""
    assert browser.get(AUDIT).status_code == 303


def test_a_subject_with_an_account_signs_in(browser: AdminBrowser, issuer: SignInIssuer, log: Log) -> None:
    """Under a new cookie, to the page that was asked for; secrets, codes and tokens are not in the log."""
    answer = sign_in(browser, issuer, f"{AUDIT}?kind=admin")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AUDIT}?kind=admin")
    assert answer.headers["cache-control"] == "no-store"
    page = browser.get(AUDIT)
    assert f"{NAME}, editor" in text_of(page)
    assert f"sign in: admin {NAME}" in text_of(page)
    assert "ir_at_issuer" not in browser.client.cookies
    assert browser.get(ADMINS).status_code == 403
    (form,) = issuer.forms
    for secret in (SECRET, form["code"], form["code_verifier"], "opaque-access", "eyJ"):
        assert secret not in log.text


def test_the_issuer_is_asked_for_a_code_with_pkce(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """No request shows the verifier before the code is exchanged; two attempts have nothing in common."""
    issuer.metadata = {"scopes_supported": ["openid", "groups"]}
    locations = [lead(browser) for _ in range(2)]
    first, second = (parameters(location) for location in locations)
    assert locations[0].startswith(f"{issuer.url}/authorize?")
    assert (first["tenant"], first["response_type"], first["code_challenge_method"]) == (["a b"], ["code"], ["S256"])
    assert (first["scope"], first["client_id"]) == (["openid groups"], ["the service"])
    assert first["redirect_uri"] == [f"{browser.service.url}/admin/sign-in/issued"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) == 43
        assert first[name] != second[name]


def test_the_cookie_is_short_lived_and_hidden(browser: AdminBrowser) -> None:
    """It comes with the answer of the issuer, which is of another site (Lax), and is kept for ten minutes."""
    answer = browser.get("/admin/sign-in/issuer")
    (cookie,) = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "SameSite=lax", "Max-Age=600", "Path=/"} <= set(cookie.split("; "))


def test_no_request_goes_to_the_issuer_unless_asked(start_service: Start) -> None:
    """The page names the issuer; only the way to it asks for its metadata, once for many."""
    with issuing() as issuer, start_service(**issuer.settings) as service, browsing(service) as browser:
        page = browser.get("/admin/sign-in?return=/admin/audit")
        assert f"Sign in with {issuer.host}" in text_of(page)
        assert 'href="/admin/sign-in/issuer?return=%2Fadmin%2Faudit"' in page.text
        assert come_back(browser, "code=x&state=y").status_code == 400
        assert not issuer.asked
        for _ in range(3):
            lead(browser)
        assert issuer.asked == {"/.well-known/openid-configuration": 1, "/keys": 1}


@pytest.mark.parametrize("leads_to", ["https://evil.example/", "//evil.example", "/admin\\evil", "/administer", "/hub"])
def test_a_return_to_elsewhere_is_ignored(browser: AdminBrowser, issuer: SignInIssuer, leads_to: str) -> None:
    """It leads to the first page of the admin, also if it stands in a cookie."""
    assert sign_in(browser, issuer, leads_to).headers["location"] == "/admin"


def test_a_forged_cookie_leads_to_no_other_site(
    browser: AdminBrowser, issuer: SignInIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is looked at again when it comes back."""
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "safe_return", str)
        cookie = attempts.new("https://evil.example/")
    location = lead(browser)
    browser.client.cookies.set("ir_at_issuer", cookie)
    query = issuer.authorized(location, state=Attempt(cookie).state)
    (asked,) = issuer.codes.values()
    asked |= {"nonce": Attempt(cookie).nonce, "code_challenge": Attempt(cookie).challenge}
    assert come_back(browser, query).headers["location"] == "/admin"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "its nonce is another one"),
        ({"nonce": None}, "the claim nonce is missing"),
        ({"aud": "another"}, "it is for another audience"),
        ({"aud": ["the service", "another"]}, "it was issued to another client (azp)"),
        ({"azp": "another"}, "it was issued to another client (azp)"),
        ({"iss": "https://evil.example"}, "it is of another issuer"),
        ({"exp": 1}, "it has expired"),
        ({"exp": None}, "the claim exp is missing"),
        ({"iat": None}, "the claim iat is missing"),
        ({"iat": 1}, "it was issued too long ago"),
        ({"iat": int(time.time()) + 7200, "exp": int(time.time()) + 9000}, "it is not valid yet"),
        ({"sub": None}, "the claim sub is missing"),
        ({"sub": ""}, "the claim sub is missing"),
        ({"groups": ["g"] * 1001}, "it has more than 1000 groups"),
    ],
)
def test_an_id_token_with_wrong_claims_is_refused(
    browser: AdminBrowser, issuer: SignInIssuer, log: Log, claims: dict[str, Any], reason: str
) -> None:
    """The log has the reason, and the page that there is one."""
    issuer.claims = claims
    page = sign_in(browser, issuer)
    assert page.status_code == 403
    assert "The sign-in cannot be trusted" in text_of(page)
    assert reason in log.text
    assert "eyJ" not in log.text + page.text
    require_signed_out(browser)


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        (("none", None), "its alg is not accepted"),
        (("ES256", ECKey.generate_key("P-256", {"kid": "a"})), "its signature cannot be verified"),
        (("RS256", RSAKey.generate_key(2048, {"kid": "a"})), "its signature cannot be verified"),
        (("ES384", ECKey.generate_key("P-384", {"kid": "a"})), "its alg is not accepted"),
    ],
)
def test_a_signature_of_another_is_refused(
    browser: AdminBrowser, issuer: SignInIssuer, log: Log, forgery: tuple[str, Any], reason: str
) -> None:
    """None, that of another key with the same name, and one by an algorithm that is not accepted."""
    issuer.algorithm, issuer.signs_with = forgery
    assert sign_in(browser, issuer).status_code == 403
    assert reason in log.text
    require_signed_out(browser)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_rsa_is_accepted(browser: AdminBrowser, issuer: SignInIssuer, algorithm: str) -> None:
    """As most issuers sign."""
    issuer.key, issuer.algorithm = RSAKey.generate_key(2048, {"kid": "a"}), algorithm
    assert sign_in(browser, issuer).headers["location"] == "/admin"


def test_a_new_key_is_followed(start_service: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of the same name, although the other one was read a moment ago."""
    monkeypatch.setattr(issuers, "FLOOR_SECONDS", 0.0)
    with issuing() as issuer, start_service(**issuer.settings) as service, browsing(service) as browser:
        with service.database.begin() as connection:
            admins.create(connection, NAME, "viewer", None)
        lead(browser)
        issuer.key = ECKey.generate_key("P-256", {"kid": "a"})
        assert sign_in(browser, issuer).status_code == 303


def test_a_token_for_others_too_is_accepted_if_it_was_issued_to_us(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """Which `azp` says."""
    issuer.claims = {"aud": ["another", "the service"], "azp": "the service"}
    assert sign_in(browser, issuer).status_code == 303


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"state": "x" * 43}, 400, "This is the answer to another sign-in"),
        ({"state": "é"}, 400, "This is the answer to another sign-in"),
        ({"state": ""}, 400, "This is the answer to another sign-in"),
        ({"iss": "https://evil.example"}, 400, "Another issuer has answered"),
        ({"code": ""}, 400, "The answer is not complete"),
        ({"code": "unknown"}, 400, "This sign-in has ended"),
        ({"error": "access_denied"}, 403, "You were not signed in"),
        ({"error": "server_error"}, 503, "cannot sign you in now"),
        ({"error": "invalid_scope"}, 400, "did not sign you in: invalid_scope"),
        ({"error": "<script>alert(1)</script>"}, 400, "did not sign you in: another error"),
        ({"error": "access_denied", "iss": "https://evil.example"}, 400, "Another issuer has answered"),
    ],
)
def test_an_answer_that_is_none_of_ours_is_refused(
    browser: AdminBrowser, issuer: SignInIssuer, changes: dict[str, str], status: int, words: str
) -> None:
    """Each has a page of its own, which leads to the sign-in; no token is asked for but with a code."""
    page = sign_in(browser, issuer, **changes)
    assert page.status_code == status
    assert words in text_of(page)
    assert 'href="/admin/sign-in"' in page.text
    require_harmless(page.text)
    assert issuer.asked["/token"] == (changes.get("code") == "unknown")
    require_signed_out(browser)


def test_an_issuer_that_names_itself_must_always_do_so(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """If its metadata say that it does (RFC 9207); others may leave `iss` out."""
    assert sign_in(browser, issuer, iss="").status_code == 303
    issuer.metadata = {"authorization_response_iss_parameter_supported": True}
    assert "Another issuer has answered" in text_of(sign_in(browser, issuer, iss=""))


def test_an_answer_counts_once(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """The cookie is gone after it; with it, the issuer refuses the code."""
    location = lead(browser)
    query, cookie = issuer.authorized(location), browser.client.cookies["ir_at_issuer"]
    assert come_back(browser, query).status_code == 303
    assert "This sign-in has ended" in text_of(come_back(browser, query))
    browser.client.cookies.set("ir_at_issuer", cookie)
    page = come_back(browser, query)
    assert page.status_code == 400
    assert "was used before" in text_of(page)
    assert "hostile" not in page.text


def test_an_answer_in_another_browser_is_refused(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """Someone who is led to the answer of an attacker is not signed in as the attacker."""
    query = issuer.authorized(lead(browser))
    with browsing(browser.service) as victim:
        page = come_back(victim, query)
        assert page.status_code == 400
        assert f"at another address than {browser.service.url}" in text_of(page)
        lead(victim)
        assert "another sign-in" in text_of(come_back(victim, query))
        require_signed_out(victim)
    assert issuer.asked["/token"] == 0


def test_an_old_attempt_has_ended(browser: AdminBrowser, issuer: SignInIssuer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the browser has kept its cookie for longer; one that is dated back is another attempt."""
    query = issuer.authorized(lead(browser))
    monkeypatch.setattr(attempts, "SECONDS", -1)
    assert "This sign-in has ended" in text_of(come_back(browser, query))
    monkeypatch.undo()
    secret, began, path = browser.client.cookies["ir_at_issuer"].split(".")
    browser.client.cookies.set("ir_at_issuer", f"{secret}.{int(began) - 1}.{path}")
    assert "another sign-in" in text_of(come_back(browser, query))
    assert issuer.asked["/token"] == 0


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((500, b"{}"), (503, "does not answer")),
        ((200, b"<html>"), (503, "does not answer")),
        ((200, b'{"a": "' + b"x" * 300_000 + b'"}'), (503, "does not answer")),
        ((302, b"{}"), (503, "does not answer")),
        ((200, b"{}"), (403, "The sign-in cannot be trusted")),
        ((200, b'{"id_token": "eyJ.eyJ.x"}'), (403, "The sign-in cannot be trusted")),
        ((401, b'{"error": "invalid_client"}'), (503, "An operator has to correct its settings")),
        ((400, b'{"error": "s3cret"}'), (400, "This sign-in has ended")),
    ],
)
def test_a_faulty_answer_to_the_code_has_a_page(
    both: Served, browser: AdminBrowser, log: Log, answer: tuple[int, bytes], expected: tuple[int, str]
) -> None:
    """A redirect is not followed, and what the issuer answers is neither on the page nor in the log."""
    issuer, _ = both
    issuer.token_answer = answer
    page = sign_in(browser, issuer)
    reasons = [getattr(record, "reason", None) for record in log.records]
    assert "s3cret" not in page.text + log.text + str(reasons)
    assert page.status_code == expected[0]
    assert expected[1] in text_of(page)
    assert page.headers["cache-control"] == "no-store"
    assert issuer.asked["/elsewhere"] == 0
    require_signed_out(browser)


@pytest.mark.parametrize("name", ["token_endpoint", "authorization_endpoint"])
def test_an_endpoint_without_https_is_not_used(browser: AdminBrowser, issuer: SignInIssuer, name: str) -> None:
    """Nor one that is absent; the password still signs in, so the page says."""
    issuer.metadata = {name: "http://192.0.2.1/x"}
    page = browser.get("/admin/sign-in/issuer")
    if name == "token_endpoint":
        page = come_back(browser, issuer.authorized(page.headers["location"]))
    assert page.status_code == 503
    assert f"{issuer.host} does not answer" in text_of(page)
    assert "192.0.2.1" not in page.text


def test_an_issuer_that_is_away_has_a_page(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """The sign-in page is as ever."""
    issuer.metadata = {"issuer": "https://another.example"}
    page = browser.get("/admin/sign-in/issuer")
    assert page.status_code == 503
    assert browser.get("/admin/sign-in").status_code == 200


def test_wrong_codes_are_limited(browser: AdminBrowser, issuer: SignInIssuer) -> None:
    """Sixty from one address, then the issuer is left alone."""
    answers = [sign_in(browser, issuer, code="unknown").status_code for _ in range(90)]
    assert (answers[:60], answers[-1]) == ([400] * 60, 429)
    assert issuer.asked["/token"] == answers.count(400)


def test_without_an_issuer_there_is_no_way_to_one(newest: Service) -> None:
    """The page does not offer it."""
    with browsing(newest) as other:
        assert "Sign in with" not in other.get("/admin/sign-in").text
        for path in ("issuer", "issued?code=x&state=y"):
            assert "No issuer signs in here" in text_of(other.get(f"/admin/sign-in/{path}"))
