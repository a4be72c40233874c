"""Markdown of hostile texts: another library renders it without links, HTML or further blocks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from openapi.rendering.markdown import block, code, line, paragraphs, table

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HARMLESS = {"text", "code_inline", "em_open", "em_close", "strong_open", "strong_close", "text_special"}


def inline(markdown: str) -> list[Token]:
    """The inline tokens of `markdown`, which is one paragraph."""
    opening, content, closing = RENDERER.parse(markdown)
    assert (opening.type, closing.type) == ("paragraph_open", "paragraph_close")
    return content.children or []


def read(tokens: list[Token]) -> str:
    """The text that a person reads."""
    return "".join(token.content for token in tokens)


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        pytest.param("Report one event.", "Report one event.", id="a sentence"),
        pytest.param("a\nb\t c ", "a b c", id="white space"),
        pytest.param("the `widget_id` of it", "the `widget_id` of it", id="code"),
        pytest.param("**Errors** are *listed*", "**Errors** are *listed*", id="emphasis"),
        pytest.param("the next_cursor, _not_", "the next_cursor, \\_not\\_", id="underscores within words and around"),
        pytest.param("a | b", "a &#124; b", id="a pipe"),
        pytest.param("`a|b`", "a&#124;b", id="a pipe in code, which is none then"),
        pytest.param("<b>&lt;", "\\<b\\>\\&lt;", id="HTML"),
        pytest.param("[a](b) ![c](d)", "\\[a\\](b) !\\[c\\](d)", id="links"),
        pytest.param("2 * 3 * 4", "2 \\* 3 \\* 4", id="stars alone"),
        pytest.param("a ` b", "a \\` b", id="a backtick alone"),
        pytest.param("see https://a.example/x_y.", "see `https://a.example/x_y.`", id="an address"),
        pytest.param("`a`www.b", "`a` `www.b`", id="an address next to code"),
        pytest.param("# a", "\\# a", id="a heading"),
        pytest.param("- a", "\\- a", id="a list"),
        pytest.param("12. a", "12\\. a", id="a numbered list"),
        pytest.param("--- a", "\\--- a", id="a rule"),
        pytest.param("a\x1b[31m\u202eb\x00", "a\ufffd\\[31m\ufffdb\ufffd", id="what a terminal obeys"),
    ],
)
def test_a_line_keeps_the_meaning_of_the_text(text: str, markdown: str) -> None:
    """Code and emphasis stay; other Markdown syntax is escaped."""
    assert line(text) == markdown


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab1 `*_[]()<>&!|\\#-+.:/@~=\n\"'") | st.text())
def test_no_text_becomes_anything_but_text(text: str) -> None:
    """A line is one paragraph of text, code and emphasis, and one cell of a table."""
    if not line(text):
        return
    assert {token.type for token in inline(line(text))} <= HARMLESS
    opened = [token.type for token in RENDERER.parse(table(["a", "b"], [[line(text), code(text)]]))]
    assert (opened.count("table_open"), opened.count("tr_open"), opened.count("td_open")) == (1, 2, 2)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[a](javascript:alert(1))",
        "<https://a.example>",
        "![a](https://a.example/b.png)",
        "[a]: https://a.example",
        "`a``http://b`c",
        "**[a](b)**",
        "`<b>`|`<i>`",
        "a\\`b\\`<b>",
        "</td></table><h1>",
    ],
)
def test_active_markup_is_shown_as_text(text: str) -> None:
    """A person reads the original text, except spaces and the backticks of code."""
    tokens = inline(line(text))
    assert {token.type for token in tokens} <= HARMLESS
    assert read(tokens).replace("`", "").replace(" ", "") == text.replace("`", "").replace("**", "").replace(" ", "")


@pytest.mark.parametrize("address", ["http://a.example", "www.a.example", "user@a.example", "(ftp://a.example)"])
def test_a_bare_address_becomes_code(address: str) -> None:
    """Many programs turn a bare address into a link, but none does so within code."""
    assert [token.type for token in inline(line(f"see {address} now"))] == ["text", "code_inline", "text"]


@pytest.mark.parametrize("text", ["a", "`", "``a`", "a`` b", "`a`", "<b>", "a\\", "*a*"])
def test_code_is_shown_as_it_is(text: str) -> None:
    """Code may contain backticks."""
    (token,) = inline(code(text))
    assert (token.type, token.content) == ("code_inline", text)


def test_blank_lines_separate_paragraphs() -> None:
    """Any number of blank lines ends a paragraph; no paragraph is empty."""
    assert paragraphs("a\nb\n\n- c\n \n\n\nd\n") == ["a b", "\\- c", "d"]
    assert paragraphs(" \n\n ") == []


@pytest.mark.parametrize("text", ["a\n\n```\n<b>\n# c", "```", "    a\n", "a\rb\u2028c", ""])
def test_a_block_ends_with_its_text(text: str) -> None:
    """Nothing in a text ends its block of code."""
    tokens = RENDERER.parse(f"before\n\n{block(text)}\n\nafter")
    assert {token.type for token in tokens} <= {"paragraph_open", "inline", "paragraph_close", "code_block"}
    assert [token.content for token in tokens if token.type == "inline"] == ["before", "after"]


@pytest.mark.parametrize("part", ["`", "*", "**a", "`a", " ", "a@"])
def test_a_hostile_text_takes_linear_time(part: str) -> None:
    """Otherwise the test would exceed its timeout."""
    text = part * 10**5
    assert len(line(text)) < 3 * len(text) + 10
