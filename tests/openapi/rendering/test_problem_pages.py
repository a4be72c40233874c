"""The pages of problems: one for each, in HTML that contains only text, and the same as JSON."""

import json
import re
from html.parser import HTMLParser

import pytest

from openapi.problems import TABLE, Problem, ProblemType
from openapi.rendering.problem_pages import LAYOUT, pages
from openapi.serving.error_styles import ProblemDetails
from openapi.standards.media_types import HTML
from tests.openapi.test_problems import PARAMETERS

JSON = "application/json"
URL = "https://reports.example.com"
PAGES = dict(pages(URL))
HEAD = {"html", "head", "meta", "title", "style", "body"}
ELEMENTS = HEAD | {"h1", "p", "a", "code", "var", "dl", "dt", "dd", "table", "tr", "th", "td"}
POLICY = LAYOUT.policy.removesuffix("; frame-ancestors 'none'")
ATTRIBUTES = {("lang", "en"), ("charset", "utf-8"), ("name", "viewport"), ("content", "width=device-width")} | {
    ("http-equiv", "Content-Security-Policy"),
    ("content", POLICY),
}


class Elements(HTMLParser):
    """The elements, attributes and texts of a page; the parser checks that each element is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the element and its attributes."""
        self.tags.add(tag)
        self.attributes.update(attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes the element that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record the text."""
        self.text.append(data)


@pytest.mark.parametrize("code", TABLE)
def test_the_page_of_a_problem_describes_its_type(code: str) -> None:
    """The JSON has the type, title and status of responses; its texts are complete without a request."""
    page = json.loads(PAGES[f"/problems/{code}"][JSON])
    body = ProblemDetails(URL).body(Problem(code, **PARAMETERS))
    assert [page[name] for name in ("type", "title", "status")] == [body[name] for name in ("type", "title", "status")]
    assert page["help"].endswith(".")
    for words in (page["detail"], page["help"]):
        assert not {"{", "}"} & set(words)
        assert len(re.sub("<[a-z]+>", "", words).split()) > 1, words


@pytest.mark.parametrize("code", TABLE)
def test_the_html_page_has_the_contents_of_the_json(code: str) -> None:
    """The names of a request's parameters stand without brackets."""
    page = PAGES[f"/problems/{code}"]
    problem = json.loads(page[JSON])
    text = "".join(Elements(page[HTML]).text)
    shown = {name: re.sub("<([a-z]+)>", r"\1", str(problem[name])) for name in ("detail", "type", "title", "status")}
    assert {name for name, words in shown.items() if words not in text} == set()
    assert "What to do" in text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_contains_only_text(path: str) -> None:
    """Its elements are closed, and none of them loads, runs or submits anything."""
    elements = Elements(PAGES[path][HTML])
    assert not elements.open
    assert elements.tags <= ELEMENTS
    links = {value for name, value in elements.attributes if name == "href"}
    assert links <= PAGES.keys()
    assert elements.attributes - {("href", link) for link in links} == ATTRIBUTES


def test_the_list_leads_to_each_page() -> None:
    """As links in HTML, and with the whole JSON of each page as JSON."""
    page = PAGES["/problems"]
    assert json.loads(page[JSON])["problems"] == [json.loads(PAGES[f"/problems/{code}"][JSON]) for code in TABLE]
    assert {f"/problems/{code}" for code in TABLE} == {
        value for name, value in Elements(page[HTML]).attributes if name == "href"
    }
    assert PAGES.keys() == {"/problems", *(f"/problems/{code}" for code in TABLE)}


def test_markup_in_the_table_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page shows it as text."""
    monkeypatch.setitem(TABLE, "a&b", ProblemType(400, "<script>{name}</script> & more", "<b>"))
    page = dict(pages('"><script>'))["/problems/a&b"][HTML]
    elements = Elements(page)
    assert not elements.tags & {"script", "b"}
    assert "<script>name</script> & more" in "".join(elements.text)
