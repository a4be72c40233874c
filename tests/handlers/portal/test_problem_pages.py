"""The pages of problems over HTTP: the `type` of a problem is the URL of a page for people and for programs."""

import json
import re
from html import unescape
from urllib.parse import quote

import httpx
import pytest

from openapi.problems import TABLE
from openapi.rendering.problem_pages import documents, heading
from openapi.standards.status_phrases import PHRASES
from tests.examples import EVENT, WIDGET
from tests.handlers.site.conftest import database_away
from tests.handlers.site.conftest import lonely_service as lonely_service  # noqa: PLC0414 - a fixture
from tests.page_clients import BROWSER, SECONDS, as_program
from tests.page_clients import browser as browser  # noqa: PLC0414 - a fixture
from tests.service import Service
from tests.tokens import asking, bearer, client_of, post
from tests.waiting import wait_until

PAGES = ("/problems", "/problems/invalid_body")
HOSTILE = (
    "a/b",
    "a?b#c%d",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "\u202eabc",
    "\N{PILE OF POO} a",
    "x" * 200,
)


def words(page: str) -> str:
    """The text of a page, in one line."""
    return " ".join(unescape(re.sub("<[^>]*>", "", page)).split())


def examples(page: str) -> dict[str, str]:
    """The answers on a page, by their captions."""
    figures = re.findall(r"<figcaption>(.*?)</figcaption><pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    return {unescape(caption): unescape(text) for caption, text in figures}


def test_the_type_of_a_problem_leads_to_its_page(newest: Service) -> None:
    """Its JSON has the same title and status as the problem."""
    with asking(newest) as client:
        for path in ("/api/v2/usage", "/api/v2/nowhere"):
            problem = client.get(path).json()
            page = httpx.get(problem["type"], headers={"accept": "application/json"}, timeout=SECONDS).json()
            assert {name: problem[name] for name in ("type", "title", "status")}.items() <= page.items()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        (BROWSER, "text/html"),
        ("application/json", "application/json"),
        ("application/json, */*;q=0.5", "application/json"),
    ],
)
def test_a_page_is_sent_in_the_requested_media_type(
    newest: Service, path: str, accept: str | None, media_type: str
) -> None:
    """HTML by default; a cache may store a copy and revalidates it."""
    response = as_program(newest, path, accept)
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == media_type
    assert [response.headers[name] for name in ("cache-control", "vary")] == ["no-cache", "Accept"]
    headers = {"if-none-match": response.headers["etag"]} | ({} if accept is None else {"accept": accept})
    assert httpx.get(newest.url + path, headers=headers, timeout=SECONDS).status_code == 304
    head = as_program(newest, path, accept, "HEAD")
    assert (head.content, head.headers["content-length"]) == (b"", response.headers["content-length"])


@pytest.mark.parametrize("path", dict(documents()))
def test_programs_get_the_texts_as_json(newest: Service, path: str) -> None:
    """Byte for byte, whatever a page for people has beside them; a search has no effect."""
    response = as_program(newest, f"{path}?q=a&q=b", "application/json")
    assert response.text == dict(documents(newest.url))[path]
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", [*PAGES, "/problems?q=token"])
@pytest.mark.parametrize("accept", ["*/*", BROWSER])
def test_a_page_loads_only_the_assets_of_the_service(newest: Service, path: str, accept: str) -> None:
    """No style and no script stands in it."""
    response = as_program(newest, path, accept)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)", response.text)


@pytest.mark.parametrize(
    ("method", "path", "accept", "status"),
    [
        ("GET", "/problems/none", "*/*", 404),
        ("GET", "/problems/", "*/*", 404),
        ("GET", "/problems/invalid_body/", "*/*", 404),
        ("GET", "/problems/%3Cscript%3E", "*/*", 404),
        ("POST", "/problems", "*/*", 405),
        ("GET", "/problems", "image/png", 406),
        ("GET", "/problems?q=a&q=b", "*/*", 400),
    ],
)
def test_errors_for_programs_have_the_common_shape(
    newest: Service, method: str, path: str, accept: str, status: int
) -> None:
    """The error and its remedy, which do not repeat the path."""
    response = as_program(newest, path, accept, method)
    assert response.status_code == status
    assert response.json().keys() == {"error", "help"}
    assert "script" not in response.text


def test_the_list_has_each_problem_below_what_the_reader_does_next(browser: httpx.Client) -> None:
    """With its status, its heading and a link to its page."""
    page = browser.get("/problems").text
    shown = dict(re.findall(r'<th scope="row"><a href="/problems/([a-z_]+)">(.*?)</a>', page))
    assert {code: unescape(text) for code, text in shown.items()} == {code: heading(code) for code in TABLE}
    for code, kind in TABLE.items():
        (row,) = re.findall(rf'<tr>\n<th scope="row"><a href="/problems/{code}">.*?</tr>', page, re.DOTALL)
        assert f"{kind.status} {PHRASES[kind.status]}" in row
        assert ("pill waiting" in row) is (kind.status in (429, 503))
    sections = re.findall(r"<section aria-labelledby.*?</section>", page, re.DOTALL)
    (credentials,) = [section for section in sections if ">Get credentials</h2>" in section]
    assert "/problems/unauthorized" in credentials
    assert "/problems/invalid_body" not in credentials


@pytest.mark.parametrize("code", TABLE)
def test_the_page_of_a_problem_has_its_meaning_its_remedy_and_an_answer(browser: httpx.Client, code: str) -> None:
    """The names of a request's parameters stand without brackets."""
    response = browser.get(f"/problems/{code}")
    problem = json.loads(dict(documents(str(browser.base_url)))[f"/problems/{code}"])
    text = words(response.text).lower()
    assert response.status_code == 200
    for expected in (
        heading(code),
        problem["detail"],
        problem["help"],
        f"{problem['status']} {PHRASES[problem['status']]}",
    ):
        assert re.sub("<([a-z]+)>", r"\1", " ".join(expected.split())).lower() in text or "<hub-api-key>" in expected
    answers = examples(response.text)
    assert answers
    assert all(answer.startswith(f"HTTP/1.1 {problem['status']} ") for answer in answers.values())


def test_a_problem_of_both_versions_has_an_answer_of_each(browser: httpx.Client) -> None:
    """One of credentials has that of the versions with these, and one of other paths a single one."""
    captions = {code: [*examples(browser.get(f"/problems/{code}").text)] for code in TABLE}
    assert captions["invalid_body"] == ["Version 1.1", "Version 2.0"]
    assert captions["unauthorized"] == ["Version 1.1"]
    assert captions["insufficient_scope"] == ["Version 2.0"]
    assert captions["contract_not_found"] == ["Answer"]


def test_an_example_is_what_the_service_answers(newest: Service, browser: httpx.Client) -> None:
    """Its status, its media type and its body, in both versions."""
    event = {**EVENT, "event_type": "pipeline_started"}
    with httpx.Client(base_url=newest.url, timeout=SECONDS) as nobody:
        answers = {
            ("unauthorized", "Version 1.1"): nobody.get("/api/v1/usage"),
            ("method_not_allowed", "Version 1.1"): nobody.delete("/api/v1/usage"),
            ("not_found", "Version 2.0"): nobody.get("/api/v2/a/b/c/d"),
            ("contract_not_found", "Answer"): nobody.get("/contracts/9.9"),
            ("event_type_not_registered", "Version 1.1"): nobody.post(
                "/api/v1/interaction-events", json=event, headers=newest.authorization
            ),
            ("event_type_not_registered", "Version 2.0"): post(newest, bearer(client_of(newest).token()), event),
        }
    for (code, caption), response in answers.items():
        head, _, body = examples(browser.get(f"/problems/{code}").text)[caption].partition("\n\n")
        assert json.loads(body) == response.json()
        for line in head.splitlines()[1:]:
            name, _, value = line.partition(": ")
            assert response.headers[name] == value


def test_the_operations_that_answer_so_are_named(browser: httpx.Client) -> None:
    """Those whose examples show the problem stand before those with its status, and both name their versions."""
    page = browser.get("/problems/event_type_not_registered").text
    named, _, others = page.partition("<details")
    assert "<code>POST /interaction-events</code>" in named
    assert "<code>GET /usage</code>" in others
    assert "<code>GET /usage</code>" not in named
    place = "#reportInteractionEvent"
    assert f'<a href="/contracts/1.1{place}">1.1</a>, <a href="/contracts/2.0{place}">2.0</a>' in named
    page = browser.get("/problems/unauthorized").text
    assert '<a href="/contracts/1.1#' in page
    assert '<a href="/contracts/2.0' not in page
    assert "No operation of the API answers so" in browser.get("/problems/contract_not_found").text
    assert "No operation lists this status" in browser.get("/problems/method_not_allowed").text


@pytest.mark.parametrize(
    ("code", "path", "text"),
    [
        ("event_type_not_registered", "/event-types", "The event types that are registered"),
        ("widget_not_registered", "/contracts/2.0#listWidgets", "GET /api/v2/widgets"),
        ("widget_not_registered", "/contracts/1.1#listWidgets", "GET /api/v1/widgets"),
        ("unauthorized", "/#first", "How to report a first event"),
        ("too_many_requests", "/contracts/2.0/card", "limits"),
        ("too_many_requests", "/contracts/1.1/card", "limits"),
        ("invalid_token", "/.well-known/oauth-protected-resource/api/v2", "Where a client gets access tokens"),
        ("contract_not_found", "/contracts", "The versions that are served"),
    ],
)
def test_a_remedy_is_a_link(browser: httpx.Client, code: str, path: str, text: str) -> None:
    """To the operation or the page that helps."""
    page = browser.get(f"/problems/{code}").text
    links = re.findall(r'<li><a href="([^"]*)">(.*?)</a>', page)
    assert any(target == path and text in words(shown) for target, shown in links)


def test_every_link_leads_somewhere(browser: httpx.Client) -> None:
    """Also to the place in the page that its fragment names; a page of operators leads to where they sign in."""
    pages = [browser.get(path) for path in ("/problems", *(f"/problems/{code}" for code in TABLE))]
    targets = {unescape(target) for page in pages for target in re.findall('href="([^"]*)"', page.text)}
    for target in targets:
        path, _, fragment = target.partition("#")
        if path:
            response = browser.get(path)
            if path == "/admin" or path.startswith("/admin/"):
                response = browser.get(response.headers["location"])
            assert response.status_code == 200, target
            assert not fragment or f'id="{fragment}"' in response.text, target


def test_a_search_is_a_link(browser: httpx.Client) -> None:
    """It shows what it finds, and what was searched."""
    page = browser.get("/problems", params={"q": " DPoP "}).text
    assert re.findall(r'<th scope="row"><a href="/problems/([a-z_]+)">', page) == ["invalid_dpop_proof"]
    assert "1 problem is about “DPoP”." in words(page)
    assert '<input type="search" id="q" name="q" value="DPoP"' in page


@pytest.mark.parametrize("query", [*HOSTILE, "zzz"])
def test_a_search_that_finds_nothing_says_so(browser: httpx.Client, query: str) -> None:
    """In the words of the reader, as text; and leads on."""
    page = browser.get("/problems", params={"q": query})
    assert page.status_code == 200
    assert f"No problem is about “{query}”." in words(page.text) or "<" in query
    assert '<a href="/problems">All problems</a>' in page.text
    assert not re.search("<script>|<img", page.text)


@pytest.mark.parametrize("query", ["q=a&q=b", "q=" + "a" * 201, "q=%ff", "q=a" + "&b" * 200])
def test_a_query_that_cannot_be_read_gets_a_page(browser: httpx.Client, query: str) -> None:
    """400, which names the parameter, or the query if it has too many."""
    response = browser.get(f"/problems?{query}")
    assert (response.status_code, response.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert re.search("<h1>(Q (has|comes|is no percent-encoded UTF-8)|The query has)", response.text)
    assert "400 Bad Request" in response.text


@pytest.mark.parametrize("query", ["", "q=", "q=+", "other=1&other=2"])
def test_a_query_without_words_shows_all(browser: httpx.Client, query: str) -> None:
    """Other parameters have no effect."""
    page = browser.get(f"/problems?{query}").text
    assert len(re.findall('<th scope="row">', page)) == len(TABLE)


def test_an_unknown_code_gets_a_page_with_the_nearest_ones(browser: httpx.Client) -> None:
    """404; and so does a path below a problem."""
    response = browser.get("/problems/invalid_dpop_prof")
    assert response.status_code == 404
    assert '<a href="/problems/invalid_dpop_proof">Invalid DPoP proof</a>' in response.text
    assert "There is no problem “invalid_dpop_prof”" in response.text
    assert browser.head("/problems/invalid_dpop_prof").status_code == 404
    below = browser.get("/problems/invalid_body/")
    assert (below.status_code, below.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert 'href="/problems/invalid_body"' in below.text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text(browser: httpx.Client, name: str) -> None:
    """On a page of its own."""
    response = browser.get(f"/problems/{quote(name, safe='')}")
    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert name[:100] in unescape(response.text)
    assert not re.search("<script>|<img", response.text)


def test_the_pages_stay_while_the_database_is_away(lonely_service: Service) -> None:
    """Without what the contracts say if that was never read, else with what it was."""
    with httpx.Client(base_url=lonely_service.url, headers={"accept": BROWSER}, timeout=SECONDS) as browser:
        with database_away(lonely_service):
            page = browser.get("/problems/unavailable")
            assert (page.status_code, examples(page.text)) == (200, {})
            assert "The database cannot be reached." in page.text
            assert browser.get("/problems").status_code == 200
            assert as_program(lonely_service, "/problems/unavailable", "application/json").status_code == 200
        wait_until(
            lambda: "cannot be reached" not in words(browser.get("/problems/invalid_body").text).split("Type")[0]
        )
        with database_away(lonely_service):
            wait_until(lambda: "The database cannot be reached." in browser.get("/problems/invalid_body").text)
            page = browser.get("/problems/invalid_body")
            assert [*examples(page.text)] == ["Version 1.1", "Version 2.0"]
            assert "known before" in page.text


@pytest.mark.parametrize("name", ["", *HOSTILE, "pipeline_started", "{version}"])
def test_an_unregistered_type_leads_to_the_registry_of_operators(browser: httpx.Client, name: str) -> None:
    """With its name, if the address of the problem has it; no other problem leads there."""
    query = f"?event_type={quote(name, safe='')}" if name else ""
    page = browser.get(f"/problems/event_type_not_registered{query}")
    assert page.status_code == 200
    assert f'<a href="/admin/event-types{query}">An operator' in page.text
    assert "/admin/" not in browser.get(f"/problems/event_not_found{query}").text
    program = browser.get(f"/problems/event_type_not_registered{query}", headers={"accept": "application/json"})
    assert "/admin" not in program.text


@pytest.mark.parametrize("widget_id", ["", WIDGET, '"><script>', "{version}"])
def test_an_unregistered_widget_leads_to_the_widgets_of_operators(browser: httpx.Client, widget_id: str) -> None:
    """With its id, if the address of the problem has it."""
    query = f"?widget_id={quote(widget_id, safe='')}" if widget_id else ""
    page = browser.get(f"/problems/widget_not_registered{query}")
    assert page.status_code == 200
    assert f'<a href="/admin/widgets{query}">An operator' in page.text
    program = browser.get(f"/problems/widget_not_registered{query}", headers={"accept": "application/json"})
    assert "/admin" not in program.text


def test_a_missing_type_leads_to_the_registry_of_operators(browser: httpx.Client) -> None:
    """With its name."""
    page = browser.get("/event-types/no%2Fsuch")
    assert 'href="/admin/event-types?event_type=no%2Fsuch"' in page.text
    assert 'href="/admin/event-types"' in browser.get("/event-types/").text
