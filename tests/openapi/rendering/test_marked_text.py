"""Markdown of contracts as HTML."""

import re

import pytest

from openapi.rendering.marked_text import inline, paragraphs, whole


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java&#10;script:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "mailto:a@b.example",
        "ftp://a.example",
    ],
)
@pytest.mark.parametrize("form", ["[a]({})", "[a][b]\n\n[b]: {}", "<{}>", "![a]({})"])
def test_a_link_leads_to_the_web_or_within_the_service(form: str, target: str) -> None:
    """No other target becomes a link, and no picture is loaded."""
    html = paragraphs(form.format(target))
    assert "<img" not in html
    for link in re.findall(r'href="([^"]*)"', html):
        assert re.match(r"https?://|/[^/\\]|#", link), link


def test_a_link_to_the_web_is_one() -> None:
    """Also to a page of the service, and to a heading."""
    for target in ("https://a.example/?b=c", "http://a.example", "/problems", "#rules"):
        assert f'<a href="{target}">a</a>' in inline(f"[a]({target})")


def test_html_is_text() -> None:
    """Every tag, also in code, in a table and in a heading."""
    text = "# <b>a</b>\n\n<script>x</script>\n\n`<i>`\n\n|<u>|\n|-|\n|<s>|\n\n```<q>\n<p>\n```\n"
    tags = set(re.findall(r"<([a-z0-9]+)", paragraphs(text)))
    assert tags == {"h3", "p", "code", "table", "thead", "tr", "th", "tbody", "td", "pre"}


def test_headings_are_those_of_a_part_of_a_page() -> None:
    """But in a text that is all of a page."""
    assert paragraphs("# a\n\n## b") == "<h3>a</h3>\n<h3>b</h3>\n"
    assert whole("# a\n\n## b") == "<h1>a</h1>\n<h2>b</h2>\n"


def test_a_text_in_one_line_has_no_blocks() -> None:
    """Its breaks are blanks."""
    assert inline("a\n\n- `b`\n# c") == "a - <code>b</code> # c"
