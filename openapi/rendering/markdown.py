"""Untrusted texts as inert Markdown.

CommonMark 0.31 with the tables of GitHub. Code and emphasis in a text are kept; all other Markdown is escaped, and
appears literally.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

_HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters, which terminals obey, and characters that change the direction of a text."""
_KEPT = re.compile(r"(?<!`)`(?P<code>[^`]+)`(?!`)|(?<!\*)(?P<stars>\*\*?)(?P<stressed>[^*`]+)(?P=stars)(?!\*)")
_ACTIVE = re.compile(r"[\\`*\[\]<>&~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_FIRST = re.compile(r"\A(?:#+|[-+=:]|[0-9]+(?=[.)]))")
"""The beginning of a paragraph that Markdown reads as a heading, a list or a rule."""
_ADDRESSES = ("://", "www.", "@")


def line(text: str) -> str:
    """`text` in one line, for a paragraph, a heading or a cell."""
    return _FIRST.sub(_inert, _joined(_pieces(_one_line(text))), count=1)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of `text`, each in one line."""
    return [words for paragraph in re.split(r"\n\s*\n", text) if (words := line(paragraph))]


def code(text: str) -> str:
    """`text` as inline code. Text with a pipe is escaped instead: code in a table cell cannot contain a pipe."""
    text = _one_line(text)
    if "|" in text or not text:
        return _escaped(text)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def block(text: str) -> str:
    """`text` as a code block, with its line breaks."""
    return "\n".join("    " + part for part in _visible(text).splitlines() or [""])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; each cell is Markdown in one line."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _visible(text: str) -> str:
    return _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _one_line(text: str) -> str:
    return " ".join(_visible(text).split())


def _pieces(text: str) -> Iterator[str]:
    """The parts of `text` as Markdown, with its code and emphasis."""
    end = 0
    for match in _KEPT.finditer(text):
        yield from _plain(text[end : match.start()])
        if match["code"]:
            yield code(match["code"])
        elif match["stressed"] == match["stressed"].strip():
            yield f"{match['stars']}{_joined(_plain(match['stressed']))}{match['stars']}"
        else:
            yield _escaped(match[0])
        end = match.end()
    yield from _plain(text[end:])


def _plain(text: str) -> Iterator[str]:
    """The parts of `text`, which has no Markdown. Addresses, which many programs would turn into links, become code."""
    for word in re.split(r"( +)", text) if _has_address(text) else [text]:
        yield code(word) if _has_address(word) else _escaped(word)


def _has_address(text: str) -> bool:
    return any(mark in text for mark in _ADDRESSES)


def _escaped(text: str) -> str:
    return _ACTIVE.sub(r"\\\g<0>", text).replace("|", "&#124;")


def _joined(pieces: Iterable[str]) -> str:
    """The pieces in one text; the backticks of adjacent pieces stay separate."""
    separated: list[str] = []
    for piece in pieces:
        if separated and separated[-1].endswith("`") and piece.startswith("`"):
            separated.append(" ")
        if piece:
            separated.append(piece)
    return "".join(separated)


def _inert(match: re.Match[str]) -> str:
    return f"{match[0]}\\" if match[0].isdigit() else f"\\{match[0]}"
