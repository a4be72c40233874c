"""Markdown (CommonMark) of contracts as HTML: no tag of a text is one of the page, and a link leads to a web page."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

_TARGET = re.compile(r"(?:https?://|/(?!/)|#)", re.IGNORECASE)
"""What the target of a link begins with; others, such as `javascript:`, stay text."""


_HEADING = "h3"
"""The heading in a text that is part of a page, whatever its level is."""


def _renderer(*, is_whole: bool) -> MarkdownIt:
    renderer = MarkdownIt("js-default", {"html": False, "linkify": False, "typographer": False})
    renderer.disable(["image", "autolink"])
    if not is_whole:
        renderer.core.ruler.push("headings", _demote)
    renderer.validateLink = lambda url: _TARGET.match(url) is not None  # type: ignore[method-assign]
    return renderer


def _demote(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = _HEADING


_RENDERER, _OF_WHOLE = _renderer(is_whole=False), _renderer(is_whole=True)


def paragraphs(text: str) -> Markup:
    """The blocks of a text in a page."""
    return Markup(_RENDERER.render(text))  # noqa: S704 - it escapes all but its own tags


def whole(text: str) -> Markup:
    """A text that is all of a page, with its headings."""
    return Markup(_OF_WHOLE.render(text))  # noqa: S704 - likewise


def inline(text: str) -> Markup:
    """`text` in one line, with its code, emphasis and links."""
    return Markup(_RENDERER.renderInline(" ".join(text.split())))  # noqa: S704
