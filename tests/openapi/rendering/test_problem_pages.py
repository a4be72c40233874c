"""The pages of problems: one for each, in HTML that holds nothing but text, and the same as JSON."""

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
    """What a page consists of, and whether each element that must be is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.tags.add(tag)
        self.attributes.update(attrs)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It is that of the element which was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remember it."""
        self.text.append(data)


@pytest.mark.parametrize("code", TABLE)
def test_the_page_of_a_problem_says_what_it_is(code: str) -> None:
    """As JSON with the type, title and status that answers have, and in words that are complete without a request."""
    told = json.loads(PAGES[f"/problems/{code}"][JSON])
    answered = ProblemDetails(URL).body(Problem(code, **PARAMETERS))
    assert [told[name] for name in ("type", "title", "status")] == [
        answered[name] for name in ("type", "title", "status")
    ]
    assert told["help"].endswith(".")
    for words in (told["detail"], told["help"]):
        assert not {"{", "}"} & set(words)
        assert len(re.sub("<[a-z]+>", "", words).split()) > 1, words


@pytest.mark.parametrize("code", TABLE)
def test_a_person_reads_the_same(code: str) -> None:
    """The page in HTML has what the JSON has, names of what a request adds without brackets."""
    page = PAGES[f"/problems/{code}"]
    told = json.loads(page[JSON])
    text = "".join(Elements(page[HTML]).text)
    shown = {name: re.sub("<([a-z]+)>", r"\1", str(told[name])) for name in ("detail", "type", "title", "status")}
    assert {name for name, words in shown.items() if words not in text} == set()
    assert "What to do" in text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_nothing_but_text(path: str) -> None:
    """Its elements are closed, and none of them loads, runs or sends anything."""
    found = Elements(PAGES[path][HTML])
    assert not found.open
    assert found.tags <= ELEMENTS
    links = {value for name, value in found.attributes if name == "href"}
    assert links <= PAGES.keys()
    assert found.attributes - {("href", link) for link in links} == ATTRIBUTES


def test_the_list_leads_to_each_page() -> None:
    """As links in HTML, and with all that is told as JSON."""
    page = PAGES["/problems"]
    assert json.loads(page[JSON])["problems"] == [json.loads(PAGES[f"/problems/{code}"][JSON]) for code in TABLE]
    assert {f"/problems/{code}" for code in TABLE} == {
        value for name, value in Elements(page[HTML]).attributes if name == "href"
    }
    assert PAGES.keys() == {"/problems", *(f"/problems/{code}" for code in TABLE)}


def test_signs_of_a_template_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the table is taken for HTML."""
    monkeypatch.setitem(TABLE, "a&b", ProblemType(400, "<script>{name}</script> & more", "<b>"))
    page = dict(pages('"><script>'))["/problems/a&b"][HTML]
    found = Elements(page)
    assert not found.tags & {"script", "b"}
    assert "<script>name</script> & more" in "".join(found.text)
