"""Who gets a page, and what programs get at the same paths."""

import re
from urllib.parse import urlsplit

import httpx
import pytest

from handlers.pages.templates import POLICY
from handlers.paths import FOR_PEOPLE, HOME
from tests.page_clients import BROWSER, PROGRAMS, SECONDS, as_program
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.service import Service

FOR_PEOPLE_ALONE = (HOME, *FOR_PEOPLE)


@pytest.mark.parametrize("accept", PROGRAMS)
@pytest.mark.parametrize("path", FOR_PEOPLE_ALONE)
def test_a_program_finds_nothing_at_a_page_for_people(newest: Service, path: str, accept: str | None) -> None:
    """As at any other path; and caches are told that others get something else."""
    response = as_program(newest, path, accept)
    nothing = as_program(newest, "/nowhere/at/all", accept)
    assert (response.status_code, response.json()["error"]) == (404, nothing.json()["error"])
    assert response.headers["content-type"] == nothing.headers["content-type"]
    assert "accept" in response.headers["vary"].lower()


@pytest.mark.parametrize("path", FOR_PEOPLE_ALONE)
def test_a_browser_gets_a_page_with_a_strict_policy(browser: httpx.Client, path: str) -> None:
    """It loads the assets of the service and nothing else; no style and no script stands in it."""
    response = browser.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        **dict.fromkeys(("script-src", "style-src", "img-src", "connect-src", "form-action"), "'self'"),
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)", response.text)
    for address in re.findall(r'(?:src|href)="([^"]*)"', response.text):
        assert not urlsplit(address).netloc, address


@pytest.mark.parametrize("path", FOR_PEOPLE_ALONE)
def test_a_page_is_revalidated_and_has_a_head(browser: httpx.Client, path: str) -> None:
    """A cache keeps it, and asks whether it is still the same."""
    response = browser.get(path)
    assert (response.headers["cache-control"], response.headers["vary"]) == ("no-cache", "Accept")
    conditional = browser.get(path, headers={"if-none-match": response.headers["etag"]})
    assert (conditional.status_code, conditional.content) == (304, b"")
    head = browser.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == response.headers["content-length"]


@pytest.mark.parametrize("path", FOR_PEOPLE_ALONE)
def test_a_page_takes_no_other_method(browser: httpx.Client, path: str) -> None:
    """405, as a page, with the methods that it has."""
    response = browser.post(path)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert "<h1>" in response.text


def test_the_assets_of_a_page_may_be_kept_for_ever(newest: Service, browser: httpx.Client) -> None:
    """Each has its type; at the path of another release a page gets what there is, and asks again."""
    page = browser.get("/").text
    paths = set(re.findall(r'(?:src|href)="(/assets/[^"]*)"', page))
    types = {}
    for path in paths:
        response = as_program(newest, path, "*/*")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        types[path.rpartition(".")[2]] = response.headers["content-type"].split(";")[0]
        other = as_program(newest, path.replace(path.split("/")[2], "0" * 16), "*/*")
        assert (other.content, other.headers["cache-control"]) == (response.content, "no-cache")
    assert types == {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
    assert as_program(newest, "/assets/0/nothing.css", "*/*").status_code == 404


def test_the_first_visit_is_small(browser: httpx.Client) -> None:
    """The first page with all of its assets has at most 30 KB."""
    page = browser.get("/")
    paths = set(re.findall(r'(?:src|href)="(/assets/[^"]*)"', page.text))
    assert len(paths) == 3
    assert sum(len(browser.get(path).content) for path in paths) + len(page.content) <= 30_000


def test_the_style_is_one_small_sheet(browser: httpx.Client) -> None:
    """At most 12 KB."""
    (path,) = re.findall(r'href="(/assets/[^"]*[.]css)"', browser.get("/").text)
    assert len(browser.get(path).content) <= 12_000


def test_an_api_path_is_never_a_page(newest: Service) -> None:
    """A browser that asks for one gets what the contract says."""
    response = httpx.get(f"{newest.url}/api/v1/usage", headers={"accept": BROWSER}, timeout=SECONDS)
    assert (response.status_code, response.headers["content-type"]) == (401, "application/json")


@pytest.mark.parametrize("path", ["/nothing", "/status/", "/contracts/1.1/nothing", "/favicon.ico", "/problems/"])
def test_an_address_without_a_page_leads_to_all_pages(newest: Service, browser: httpx.Client, path: str) -> None:
    """In a browser; programs are told as before, and what an API path answers stays as the contract has it."""
    page = browser.get(path)
    assert page.status_code == 404
    assert 'href="/event-types"' in page.text
    assert page.headers["content-security-policy"] == POLICY
    assert as_program(newest, path, "*/*").json()["error"]
    event = browser.get("/api/v1/interaction-events/nothing", headers={"authorization": f"Bearer {newest.key}"})
    assert event.headers["content-type"] == "application/json"
