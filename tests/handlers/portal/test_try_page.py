"""The page that sends requests: what it says, what it may load, and what it sends from a real browser."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Locator, Page

from db import contracts
from handlers.pages import assets, swagger_ui
from tests.examples import EVENT, MAJOR, NEWEST, OLDEST
from tests.handlers.conftest import Hub
from tests.handlers.site.test_contract_pages import oldest_as
from tests.page_browser import chromium
from tests.page_clients import BROWSER, PROGRAMS, SECONDS, as_program, require_harmless
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.service import Service, running
from tests.tokens import client_of

Start = Callable[..., AbstractContextManager[Service]]
CAN_BE_TRIED = (NEWEST, MAJOR)
REPORT = '[id$="-reportInteractionEvent"]'
"""The operation that takes one event."""


@pytest.mark.parametrize("version", CAN_BE_TRIED)
def test_the_page_has_one_policy_that_is_nearly_that_of_all(browser: httpx.Client, version: str) -> None:
    """Pictures may be in the style of Swagger UI; nothing else is added."""
    page, other = browser.get(f"/contracts/{version}/try"), browser.get(f"/contracts/{version}")
    assert page.status_code == 200
    (policy,) = page.headers.get_list("content-security-policy")
    assert policy == other.headers["content-security-policy"].replace("img-src 'self'", "img-src 'self' data:")
    assert "img-src 'self' data:;" in policy
    assert "data:" not in other.headers["content-security-policy"]
    require_harmless(page.text)


@pytest.mark.parametrize("version", CAN_BE_TRIED)
def test_the_page_says_that_dry_run_is_on_and_where_the_reference_is(browser: httpx.Client, version: str) -> None:
    """Also without a script; and the reference and the list lead to it."""
    page = browser.get(f"/contracts/{version}/try").text
    assert "Dry run is on." in page
    assert "To really send, empty the field" in page
    (without_script,) = re.findall("<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert f'href="/contracts/{version}"' in without_script
    assert f'<a href="/contracts/{version}">reference</a> says the same' in page
    for path in ("/contracts", f"/contracts/{version}"):
        assert f'href="/contracts/{version}/try">Try it</a>' in browser.get(path).text


def test_the_page_is_revalidated_and_has_a_head(browser: httpx.Client) -> None:
    """As every other page."""
    page = browser.get(f"/contracts/{NEWEST}/try")
    assert browser.get(page.url.path, headers={"if-none-match": page.headers["etag"]}).status_code == 304
    head = browser.head(page.url.path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == page.headers["content-length"]


@pytest.mark.parametrize("accept", PROGRAMS)
def test_a_program_finds_nothing(newest: Service, accept: str | None) -> None:
    """The page is for people alone."""
    assert as_program(newest, f"/contracts/{NEWEST}/try", accept).status_code == 404


def test_an_unknown_version_has_the_page_that_its_reference_has(browser: httpx.Client) -> None:
    """404, with the policy of every page, and links to all versions."""
    page, reference = browser.get("/contracts/9.9/try"), browser.get("/contracts/9.9")
    assert (page.status_code, page.text) == (404, reference.text)
    assert page.headers["content-security-policy"] == reference.headers["content-security-policy"]


def test_a_version_without_a_document_is_named_as_one(newest: Service, browser: httpx.Client) -> None:
    """503, and no page leads there."""
    with oldest_as(newest, document="{}"):
        assert browser.get(f"/contracts/{OLDEST}/try").status_code == 503


def test_a_superseded_version_leads_to_those_that_answer(browser: httpx.Client) -> None:
    """Requests to its address are those of a later version."""
    page = browser.get(f"/contracts/{OLDEST}/try").text
    assert f"Version {OLDEST} is superseded" in page
    assert re.findall('href="/contracts/([0-9.]+)/try"', page) == [MAJOR, NEWEST]
    assert "swagger-ui" not in page
    for path in ("/contracts", f"/contracts/{OLDEST}"):
        assert f"/contracts/{OLDEST}/try" not in browser.get(path).text
    require_harmless(page)


def test_a_retired_version_says_so(start_service: Start) -> None:
    """Nothing can be tried, and the page says what can."""
    with start_service() as service:
        with service.database.begin() as connection:
            contracts.deprecate(connection, NEWEST, datetime.now(UTC) + timedelta(days=200))
            contracts.retire(connection, NEWEST, before_sunset=True)
        page = httpx.get(f"{service.url}/contracts/{NEWEST}/try", headers={"accept": BROWSER}, timeout=SECONDS)
        assert page.status_code == 200
        assert f"Version {NEWEST} is retired" in page.text
        assert re.findall('href="/contracts/([0-9.]+)/try"', page.text) == [MAJOR]
        assert "swagger-ui" not in page.text


@pytest.mark.usefixtures("version_1_alone")
def test_a_version_without_a_dry_run_says_so(database_url: str) -> None:
    """What is sent is stored, because nothing in it asks for less."""
    with running(database_url, OLDEST) as service:
        page = httpx.get(f"{service.url}/contracts/{OLDEST}/try", headers={"accept": BROWSER}, timeout=SECONDS).text
        assert "This version has no dry run." in page
        assert "Dry run is on." not in page


def test_without_its_package_the_page_names_it(browser: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """And loads nothing of it."""
    for name in (swagger_ui.BUNDLE, swagger_ui.STYLE):
        monkeypatch.delitem(assets._ASSETS, name)
    page = browser.get(f"/contracts/{NEWEST}/try")
    assert page.status_code == 200
    assert "<code>flask-swagger-ui</code>, which has Swagger UI, is not installed" in page.text
    assert "interaction-reporting[swagger-ui]" in page.text
    assert "swagger-ui-bundle" not in page.text
    assert "Dry run" not in page.text
    require_harmless(page.text)
    assert browser.get("/contracts").status_code == 200


def test_a_package_that_is_absent_has_no_files() -> None:
    """The one that is installed has two."""
    assert set(swagger_ui.contents()) == {"swagger-ui-bundle.js", "swagger-ui.css"}
    assert swagger_ui.contents("no-such-package") == {}


@pytest.mark.parametrize(
    ("name", "media_type"),
    [("swagger-ui-bundle.js", "text/javascript"), ("swagger-ui.css", "text/css"), ("try.js", "text/javascript")],
)
def test_an_asset_of_the_page_is_kept_for_ever(
    newest: Service, browser: httpx.Client, name: str, media_type: str
) -> None:
    """Its type is right, it has a head, and a client that has it gets 304."""
    (path,) = re.findall(f'"(/assets/[^"]*/{re.escape(name)})"', browser.get(f"/contracts/{NEWEST}/try").text)
    asset = as_program(newest, path, "*/*")
    assert (asset.status_code, asset.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["x-content-type-options"] == "nosniff"
    if name in swagger_ui.contents():
        assert asset.content == swagger_ui.contents()[name]
    head = as_program(newest, path, "*/*", "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == asset.headers["content-length"]
    for method in ("GET", "HEAD"):
        known = browser.request(method, path, headers={"if-none-match": asset.headers["etag"]})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["cache-control"] == asset.headers["cache-control"]
    assert browser.get(path, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize("name", ["swagger-ui-bundle.js", "swagger-ui.css"])
def test_a_large_asset_is_compressed_for_clients_that_accept_that(newest: Service, name: str) -> None:
    """A cache keeps both, each with an entity tag of its own."""
    url = newest.url + assets.url(name)
    plain, packed = (httpx.get(url, headers={"accept-encoding": coding}) for coding in ("identity", "gzip"))
    assert plain.content == packed.content == swagger_ui.contents()[name]
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != packed.headers["etag"]
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 3
    assert httpx.get(url, headers={"if-none-match": packed.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "name",
    [
        "swagger-ui.js",
        "VERSION",
        "LICENSE",
        "..%2f__init__.py",
        "..%2fassets.py",
        "%2e%2e/__init__.py",
        "oauth2-redirect.html",
    ],
)
def test_no_other_file_is_an_asset(newest: Service, name: str) -> None:
    """Neither of the package, nor beside it."""
    assert as_program(newest, f"/assets/0/{name}", "*/*").status_code == 404


@contextmanager
def opened(service: Service, version: str, part: str = ".opblock") -> Iterator[tuple[Page, list[str]]]:
    """The page in a browser with the policy in force, and what is wrong with it: what it logs, and asks of others.

    It has made the `part`.
    """
    faults: list[str] = []
    with chromium() as program, program.new_context() as context:
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request", lambda sent: None if sent.url.startswith((service.url, "data:")) else faults.append(sent.url)
        )
        page.goto(f"{service.url}/contracts/{version}/try")
        page.locator(part).first.wait_for()
        yield page, faults


def authorize(page: Page, texts: dict[str, str]) -> None:
    """Give what the dialogue asks for, by the ids of its fields, with all scopes."""
    page.locator(".btn.authorize").click()
    dialogue = page.locator(".modal-ux")
    for field, text in texts.items():
        dialogue.locator(f"#{field}").fill(text)
    if dialogue.get_by_text("select all").count():
        dialogue.get_by_text("select all").click()
    dialogue.locator("button.authorize").click()
    dialogue.get_by_text("Logout").wait_for()
    dialogue.locator("button.btn-done").click()


def reported(page: Page, operation: Locator, event: dict[str, str]) -> tuple[int, dict[str, str]]:
    """The status of what the page sends when a reader changes the event, and the headers that it sent."""
    operation.locator("textarea").fill(json.dumps(event))
    with page.expect_response(lambda response: response.url.endswith("/interaction-events")) as waiting:
        operation.get_by_role("button", name="Execute").click()
    return waiting.value.status, waiting.value.request.headers


def report_three_times_each(page: Page, prefix: str) -> dict[str, list[int]]:
    """The statuses of three events from the page as it opens, and of three without dry run."""
    operation = page.locator(REPORT)
    operation.locator("button.opblock-summary-control").click()
    prefer = operation.locator('[data-param-name="Prefer"] input')
    key = operation.locator('[data-param-name="Idempotency-Key"] input')
    assert (prefer.input_value(), key.input_value()) == ("dry-run", "")
    assert "Dry run is on: nothing is stored." in operation.locator('[data-param-name="Prefer"]').inner_text()
    statuses: dict[str, list[int]] = {}
    for way, preference in (("as it opens", "dry-run"), ("without dry run", "")):
        prefer.fill(preference)
        for number in range(3):
            event = EVENT | {"view_context_ref": f"/{prefix}/{way}/{number}"}
            status, headers = reported(page, operation, event)
            statuses.setdefault(way, []).append(status)
            assert headers.get("prefer", "") == preference
    return statuses


BOTH = {"as it opens": [200, 200, 200], "without dry run": [201, 201, 201]}


@pytest.mark.slow
def test_an_open_operation_fits_a_phone(newest: Service) -> None:
    """Each: the page never scrolls sideways."""
    with opened(newest, NEWEST) as (page, faults):
        page.set_viewport_size({"width": 360, "height": 800})
        operations = page.locator("button.opblock-summary-control")
        assert operations.count() > 10
        for operation in operations.all():
            operation.click()
        page.locator(".responses-table").nth(operations.count() - 1).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert faults == []


@pytest.mark.slow
def test_at_another_address_the_page_leads_to_the_public_one(newest: Service) -> None:
    """The service would refuse what the page sends from there."""
    elsewhere = replace(newest, url=newest.url.replace("127.0.0.1", "localhost"))
    with opened(elsewhere, NEWEST, "#swagger-ui a") as (page, faults):
        assert page.locator("#swagger-ui a").get_attribute("href") == f"{newest.url}/contracts/{NEWEST}/try"
        assert page.locator(".opblock").count() == 0
        assert faults == []


@pytest.mark.slow
def test_without_a_script_the_page_leads_to_the_reference(newest: Service) -> None:
    """It shows that, and does not stay empty."""
    with chromium() as program, program.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{newest.url}/contracts/{NEWEST}/try")
        page.locator("noscript").get_by_role("link", name="reference").click()
        assert page.url == f"{newest.url}/contracts/{NEWEST}"


@pytest.mark.slow
def test_a_document_that_is_not_there_is_said(newest: Service) -> None:
    """In words, in the place of the operations."""
    with chromium() as program, program.new_context() as context:
        page = context.new_page()
        page.route("**/openapi.json", lambda route: route.fulfill(status=503))
        page.goto(f"{newest.url}/contracts/{NEWEST}/try")
        page.get_by_text("its document is not there (status 503)").wait_for()


@pytest.mark.slow
def test_events_are_tried_and_sent_with_a_key(newest: Service, hub: Hub, prefix: str) -> None:
    """Each with other content: nothing in the page makes the second one a conflict."""
    with opened(newest, NEWEST) as (page, faults):
        authorize(page, {"auth-bearer-value": hub.client.headers["authorization"].removeprefix("Bearer ")})
        assert report_three_times_each(page, prefix) == BOTH
        assert faults == []
        assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert len(hub.rows()) == 3


@pytest.mark.slow
def test_events_are_tried_and_sent_by_client_credentials(newest: Service, prefix: str) -> None:
    """The page gets the access token itself."""
    client = client_of(newest)
    given = {"id": client.client_id, "secret": client.secret}
    with opened(newest, MAJOR) as (page, faults):
        authorize(page, {f"client_{name}_clientCredentials": text for name, text in given.items()})
        assert report_three_times_each(page, prefix) == BOTH
        assert faults == []
        assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
