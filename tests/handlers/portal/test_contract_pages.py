"""The contracts for people: the same rows as for programs, as pages."""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from markupsafe import Markup
from starlette.requests import Request

from db import contracts
from handlers.contracts.publications import Publication, Publications
from handlers.pages.templates import html as page_of
from handlers.portal import known_contracts
from handlers.portal.contract_pages import ReferencePage, TextPage, Version, _Made
from handlers.site.published_contracts import Published, origin
from openapi.contract import Contract
from openapi.rendering.reference import reference
from openapi.rendering.representations import Representation
from tests.examples import MAJOR, NEWEST
from tests.handlers.site.conftest import database_away
from tests.handlers.site.conftest import lonely_service as lonely_service  # noqa: PLC0414 - a fixture
from tests.handlers.site.test_contract_pages import oldest_as
from tests.openapi.generate import hostile
from tests.page_clients import BROWSER, PROGRAMS, SECONDS, as_program, require_harmless
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.service import CONTRACTS, Service
from tests.waiting import wait_until

JSON = {"accept": "application/json"}
TEXTS = ("card", "changelog")
PATHS = ["/contracts", *(f"/contracts/{each}" for each in CONTRACTS)]
PATHS += [f"/contracts/{version}/{text}" for version in CONTRACTS for text in TEXTS]
MARKS = """
A [link](javascript:alert(1)), <b onclick=alert(1)>HTML</b>, ![i](https://a.example/i.png) and [one](https://a.example/).
"""


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_gets_a_page_that_is_harmless(browser: httpx.Client, path: str) -> None:
    """With a policy, an entity tag, and links that lead somewhere."""
    page = browser.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert browser.get(path, headers={"if-none-match": page.headers["etag"]}).status_code == 304
    require_harmless(page.text)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", PROGRAMS)
def test_programs_get_what_they_got_before(newest: Service, path: str, accept: str | None) -> None:
    """JSON, YAML or Markdown, which a cache must not give to a browser."""
    response = as_program(newest, path, accept)
    has_it = "json" in (accept or "") if path == "/contracts" else not path.endswith(TEXTS)
    if accept and "*" not in accept and not has_it:
        assert response.status_code == 406
        return
    assert response.status_code == 200
    assert not response.headers["content-type"].startswith("text/html")
    assert "content-security-policy" not in response.headers
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize("version", CONTRACTS)
def test_links_to_the_document_need_no_accept(newest: Service, browser: httpx.Client, version: str) -> None:
    """The same bytes as by negotiation, also for a browser."""
    for suffix, media_type in (("json", "application/json"), ("yaml", "application/yaml")):
        linked = browser.get(f"/contracts/{version}/openapi.{suffix}")
        assert linked.content == as_program(newest, f"/contracts/{version}", media_type).content
        assert linked.headers["content-type"].split(";")[0] == media_type


@pytest.mark.parametrize("version", CONTRACTS)
def test_the_reference_has_each_operation_with_its_answers(browser: httpx.Client, version: str) -> None:
    """Its method, its path, its parameters, the fields of its body, and every status."""
    page = browser.get(f"/contracts/{version}").text
    contract = CONTRACTS[version]
    for operation in contract.operations:
        _, _, rest = page.partition(f'<h2 id="{operation.name}">')
        part = rest.partition("<h2 ")[0]
        assert f'<span class="method">{operation.method.upper()}</span>' in part
        assert f"<code>{contract.server_path}{operation.path}</code>" in part
        for parameter in contract.parameters(operation.pointer):
            assert f"<dt><code>{parameter['name']}</code>" in part
        for status in contract.at(operation.pointer)["responses"]:
            assert f"<summary><code>{status} " in part


def test_pages_of_a_version_lead_to_the_first_event_and_to_its_changes(browser: httpx.Client) -> None:
    """The first event is on the first page; a version that is not served has none, nor the first one changes."""
    assert '<a href="/#first">' in browser.get("/contracts/1.1").text
    assert '<a href="/#first">' not in browser.get("/contracts/1.0").text
    assert '<a href="/contracts/1.1/diff/2.0">' in browser.get("/contracts/2.0/changelog").text
    assert "/diff/" not in browser.get("/contracts/1.0/changelog").text


def test_an_unknown_version_is_a_page_that_leads_to_all(browser: httpx.Client) -> None:
    """404; a draft, which is not public, likewise."""
    page = browser.get("/contracts/9.9")
    assert page.status_code == 404
    assert 'href="/contracts"' in page.text
    assert re.findall('href="/contracts/([^"]*)">Version', page.text) == [MAJOR, NEWEST, "1.0"]
    require_harmless(page.text)


def test_a_withdrawn_version_is_not_among_the_supported(start_service: Callable[..., Any]) -> None:
    """Its pages say that it was withdrawn, and when; later versions are compared with what their changelog follows."""
    with start_service() as service, httpx.Client(base_url=service.url, headers={"accept": BROWSER}) as client:
        for version in ("1.2", "1.3"):
            document = CONTRACTS[NEWEST].copy()
            document["info"]["version"] = version
            contract = Contract.read(json.dumps(document))
            with service.database.begin() as connection:
                contracts.publish(connection, version, contract.text, contract.digest)
                contracts.activate(connection, version)
                if version == "1.2":
                    contracts.rollback(connection, 1)
                    row = contracts.withdraw(connection, version)
        wait_until(lambda: "/contracts/1.3" in client.get("/contracts").text)
        supported, _, withdrawn = client.get("/contracts").text.partition('<h2 id="withdrawn">')
        assert re.findall('<th scope="row"><a href="/contracts/([^"]*)"', supported) == ["2.0", "1.3", "1.1", "1.0"]
        assert 'href="/contracts/1.1/diff/1.3"' in supported
        assert 'href="/contracts/1.2">Version 1.2</a>, withdrawn on <time' in withdrawn
        assert row.withdrawn_at is not None
        for path in ("", "/card", "/changelog"):
            words = " ".join(re.sub("<[^>]*>", "", client.get(f"/contracts/1.2{path}").text).split())
            assert f"This version was withdrawn on {row.withdrawn_at:%-d %B %Y}." in words
            assert "This version was withdrawn" not in client.get(f"/contracts/1.3{path}").text
        assert 'href="/contracts/1.1/diff/1.3"' in client.get("/contracts/1.3/changelog").text
        listed = {
            each["version"]: each["withdrawn_at"] for each in client.get("/contracts", headers=JSON).json()["contracts"]
        }
        assert {version for version, withdrawn_at in listed.items() if withdrawn_at} == {"1.2"}


def test_a_row_without_a_contract_is_named_as_one(newest: Service, browser: httpx.Client) -> None:
    """The list says so, and its page says why there is none."""
    with oldest_as(newest, document="{}"):
        assert "Its document cannot be read." in browser.get("/contracts").text
        page = browser.get("/contracts/1.0")
        assert page.status_code == 503
        require_harmless(page.text)


def test_texts_of_a_contract_are_no_part_of_the_page(newest: Service, browser: httpx.Client) -> None:
    """Markdown is shown as such; its HTML is text, and its links lead to the web alone."""
    document = CONTRACTS["1.0"].copy()
    document["info"] |= {"title": "<script>alert(1)</script>", "description": MARKS}
    operation = document["paths"]["/interaction-events"]["post"]
    operation |= {"summary": "<img src=x onerror=alert(1)>", "description": MARKS}
    with oldest_as(newest, document=json.dumps(document)):
        for path in ("/contracts/1.0", "/contracts/1.0/card", "/contracts/1.0/changelog"):
            page = browser.get(path).text
            require_harmless(page)
        page = browser.get("/contracts/1.0").text
        assert page.count('<a href="https://a.example/">one</a>') == 2
        assert "&lt;b onclick=alert(1)&gt;" in page
        assert "&lt;img src=x onerror=alert(1)&gt;</h2>" in page


def test_a_hostile_document_is_rendered() -> None:
    """Whatever its names and texts are, at every place."""
    contract = Contract("", hostile.document())
    version = Version("1.0", "active", {}, None, None)
    page = page_of("reference.html", ReferencePage(version, reference(contract), "A title"))
    require_harmless(page.content.decode())


def test_the_pages_go_on_without_the_database(lonely_service: Service) -> None:
    """As they were read last."""
    before = {
        path: httpx.get(lonely_service.url + path, headers={"accept": BROWSER}, timeout=SECONDS) for path in PATHS
    }
    assert {page.status_code for page in before.values()} == {200}
    with database_away(lonely_service):
        for path in PATHS:
            page = httpx.get(lonely_service.url + path, headers={"accept": BROWSER}, timeout=SECONDS)
            assert page.status_code == 200
            assert path == "/contracts" or page.text == before[path].text


def test_the_newest_version_is_first(browser: httpx.Client) -> None:
    """The one that a new hub needs."""
    links = re.findall(r'<th scope="row"><a href="/contracts/([^"]*)">', browser.get("/contracts").text)
    assert links == [MAJOR, NEWEST, "1.0"]


def test_a_page_of_a_version_is_made_once_for_the_rows(newest: Service) -> None:
    """Also if nothing but another row has changed; and what is made is known without making anything."""
    made: list[str] = []

    def make(publication: Publication, published: Mapping[str, Publication]) -> Representation:
        made.append(publication.row.status)
        return Representation.of("text/html", str(len(published)).encode())

    with newest.database.begin() as connection:
        rows = {row.contract_version: Publication(row) for row in contracts.list_all(connection)}
    pages, first = _Made(make), rows["1.0"]
    assert pages.kept(first, rows) is None
    assert pages.page(first, rows) is pages.page(first, rows) is pages.kept(first, rows)
    changed = {**rows, "1.1": Publication(replace(rows["1.1"].row, status="deprecated"))}
    assert pages.kept(first, changed) is None
    assert pages.page(first, changed) is pages.kept(first, dict(changed))
    assert len(made) == 2


def test_a_silent_database_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read last is shown, unless there is nothing."""

    async def never(*_: object) -> Published:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(known_contracts, "read", never)
    monkeypatch.setattr(known_contracts, "PATIENCE_SECONDS", 0.01)
    publications = Publications()
    publications._by_version = {"1.1": Mock()}
    seen = asyncio.run(asyncio.wait_for(known_contracts.known(Mock(), publications), 10))
    assert (list(seen.published), seen.is_stale) == (["1.1"], True)


@pytest.mark.parametrize("host", ["x;$(id)", "a&b", "a'b", "a`b", "a" * 300, "a$b:80", "a b", "a|b", ""])
def test_commands_to_copy_have_no_host_that_a_shell_would_run(host: str) -> None:
    """The address of the service stands there instead."""
    headers = [(b"host", host.encode())]
    scope = {"type": "http", "scheme": "http", "server": ("10.0.0.1", 8080), "path": "/", "headers": headers}
    assert origin(Request(scope), None) == "http://10.0.0.1:8080"


@pytest.mark.parametrize("host", ["reports.example", "reports.example:8443", "[::1]:8080", "127.0.0.1"])
def test_commands_to_copy_have_the_host_of_the_reader(host: str) -> None:
    """Also with a port, and an address."""
    headers = [(b"host", host.encode())]
    scope = {"type": "http", "scheme": "https", "server": ("10.0.0.1", 8080), "path": "/", "headers": headers}
    assert origin(Request(scope), None) == f"https://{host}"


def test_no_control_character_is_in_a_page() -> None:
    """HTML may have none but tabs and ends of lines (WHATWG HTML section 13.2.2)."""
    version = Version("1.0", "active", {}, None, None)
    text = "".join(map(chr, range(160)))
    page = page_of("text.html", TextPage(version, Markup.escape(text), "\x1b[31mred")).content.decode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", page)
    assert "\N{REPLACEMENT CHARACTER}[31mred" in page
