"""Texts of a document, as a generator that escapes some of them may copy all of them into code.

OpenAPI Generator 7.26.0 writes descriptions into block comments as they are, and enum values into strings without
escaping their quotes: what follows would be code on each machine that builds the client.
"""

import re

from openapi.generate import comments

_CHARACTERS = str.maketrans(
    {"\\": "\uff3c", '"': "\u201d", "'": "\u2019", "`": "\u2019", "<": "\u2039", ">": "\u203a", "$": "\uff04"}
)
"""Characters that end a string or a comment, or begin an escape, a tag or a value, each as one that looks alike."""
_PAIRS = (("*/", "* /"), ("/*", "/ *"), ("#{", "# {"), ("{{", "{ {"), ("=begin", "= begin"), ("=end", "= end"))
"""What begins or ends a comment, or a value in a string of Ruby or a template."""
_PLAIN = re.compile(r"(?:[\w .,:;{}()[\]+@~=?!|-]|(?<=:)//|/(?!/))*")
"""Letters, and signs that end neither a string nor a comment; two slashes stand in a URL alone."""


def paragraphs(text: str) -> str:
    """`text` in lines, as readers see it, without what could end a comment or a string of any language."""
    return "\n".join(map(_harmless, comments.lines(text)))


def one_line(text: str) -> str:
    """Likewise, in one line."""
    return _harmless(" ".join(" ".join(comments.lines(text)).split()))


def is_plain(text: str) -> bool:
    """Whether `text` may be a name or a value in code: it is not changed, so that it keeps its meaning."""
    return _PLAIN.fullmatch(text) is not None


def _harmless(line: str) -> str:
    for pair, apart in _PAIRS:
        line = line.replace(pair, apart)
    return line.translate(_CHARACTERS)
