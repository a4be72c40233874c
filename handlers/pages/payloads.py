"""The content of a rejection as a page shows it: laid out if it is JSON, with the field at fault marked.

Hubs sent it, so it may be anything: what cannot be seen, and bytes that are not UTF-8, are escaped and marked.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MOST_BYTES = 256 * 1024
"""More is cut, and not laid out."""
MOST_CHARACTERS = 512 * 1024
"""Of the text that is laid out: deep JSON grows by its blanks."""
DEEPEST = 32
"""Levels that are indented: JSON that is nested deeper is refused anyway."""
LONGEST_POINTER = 4000

_TOKEN = re.compile(r'[ \t\n\r]*("(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+)', re.DOTALL)
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    "\udc80-\udcff\U000e0000-\U000e007f]"
)
"""Controls, characters without a shape, those that turn the direction of text, and bytes that are not UTF-8."""
_FIRST_BYTE = 0xDC00
"""The decoder has added this to a byte that is not UTF-8 (PEP 383)."""


class Piece(NamedTuple):
    """A part of the text; `mark` is empty, `field` for the field at fault, or `escaped`."""

    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Payload:
    """A content of `bytes` bytes, `foreign` of which are not UTF-8.

    `is_laid_out` says that it is JSON with line breaks of ours, `is_found` that something is at the pointer.
    """

    pieces: list[Piece]
    bytes: int
    foreign: int
    is_laid_out: bool
    is_found: bool
    is_cut: bool


def payload(raw: bytes, pointer: str | None) -> Payload:
    """What a page shows of `raw`; never raises."""
    text = raw[:MOST_BYTES].decode("utf-8", "surrogateescape")
    foreign = sum("\udc80" <= character <= "\udcff" for character in text) if not text.isascii() else 0
    is_laid_out = len(raw) <= MOST_BYTES and _is_json(text)
    parts = list(_laid_out(text, _parts(pointer)) if is_laid_out else [Piece(text)])
    shown, is_cut = _within(parts, MOST_CHARACTERS)
    is_found = any(part.mark for part in parts)
    pieces = [piece for part in shown for piece in _visible(part)]
    return Payload(pieces, len(raw), foreign, is_laid_out, is_found, is_cut or len(raw) > MOST_BYTES)


def visible(text: str) -> str:
    """`text` in one piece, with what cannot be seen escaped."""
    return _UNSEEN.sub(_escape, text)


def _is_json(text: str) -> bool:
    """True if `text` is one JSON value, not nested so deeply that Python gives up."""
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _parts(pointer: str | None) -> list[str] | None:
    """The parts of a pointer (RFC 6901); None without one, or if it is none."""
    if pointer is None or (pointer and not pointer.startswith("/")) or len(pointer) > LONGEST_POINTER:
        return None
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


class _Layout:
    """The place in a JSON text that is laid out: the keys or indexes that lead to it, and what stands around it."""

    def __init__(self, wanted: list[str] | None) -> None:
        self.wanted = wanted
        self.path: list[str | int] = []
        self.is_array: list[bool] = []
        self.is_key = False

    @property
    def is_wanted(self) -> bool:
        """True at the value that the pointer names."""
        return self.wanted is not None and len(self.path) == len(self.wanted) and self._agrees()

    def _agrees(self) -> bool:
        return all(str(part) == wanted for part, wanted in zip(self.path, self.wanted or (), strict=True))

    def line(self) -> str:
        """The beginning of another line."""
        return "\n" + "  " * min(len(self.is_array), DEEPEST)

    def open(self, bracket: str) -> None:
        """Enter an object or an array."""
        self.is_array.append(bracket == "[")
        self.path.append(0 if bracket == "[" else "")
        self.is_key = bracket == "{"

    def close(self) -> None:
        """Leave it."""
        self.is_array.pop()
        self.path.pop()
        self.is_key = False

    def next(self) -> None:
        """Go on to the next member or item."""
        if self.is_array[-1]:
            self.path[-1] = int(self.path[-1]) + 1
        self.is_key = not self.is_array[-1]


def _laid_out(text: str, wanted: list[str] | None) -> Iterator[Piece]:
    """The tokens of a JSON text as they were sent, with line breaks and blanks of ours between them.

    There is no recursion, and no value is made: numbers keep their digits, strings their escapes, names their order.
    """
    layout, words = _Layout(wanted), [match[1] for match in _TOKEN.finditer(text)]
    marked = -1  # the depth of the marked value, while within it
    for index, word in enumerate(words):
        if word in "]}":
            is_empty = index > 0 and words[index - 1] in "[{"
            layout.close()
            yield Piece(word if is_empty else layout.line() + word, "field" if marked >= 0 else "")
            marked = -1 if marked == len(layout.is_array) else marked
        elif word == ",":
            yield Piece(",", "field" if marked >= 0 else "")
            layout.next()
            yield Piece(layout.line(), "field" if marked >= 0 else "")
        elif word == ":":
            yield Piece(": ", "field" if marked >= 0 else "")
            layout.is_key = False
        elif layout.is_key:
            layout.path[-1] = json.loads(word)
            yield Piece(word, "field" if marked >= 0 else "")
        else:
            is_container = word in "[{"
            is_mark = marked >= 0 or layout.is_wanted
            if layout.is_wanted and marked < 0 and is_container:
                marked = len(layout.is_array)
            yield Piece(word, "field" if is_mark else "")
            if is_container:
                layout.open(word)
                if index + 1 < len(words) and words[index + 1] not in "]}":
                    yield Piece(layout.line(), "field" if marked >= 0 else "")


def _within(parts: list[Piece], limit: int) -> tuple[list[Piece], bool]:
    """The first `limit` characters of `parts`, neighbours with the same mark in one; and whether something is left."""
    texts: list[tuple[list[str], str]] = []
    for part in parts:
        kept = part.text[:limit]
        limit -= len(kept)
        if not texts or texts[-1][1] != part.mark:
            texts.append(([], part.mark))
        texts[-1][0].append(kept)
        if len(kept) < len(part.text):
            break
    joined = [Piece("".join(several), mark) for several, mark in texts]
    return joined, sum(len(piece.text) for piece in joined) < sum(len(part.text) for part in parts)


def _visible(piece: Piece) -> Iterator[Piece]:
    """A piece, with what cannot be seen in pieces of its own."""
    start = 0
    for match in _UNSEEN.finditer(piece.text):
        if match.start() > start:
            yield Piece(piece.text[start : match.start()], piece.mark)
        yield Piece(_escape(match), "escaped")
        start = match.end()
    if start < len(piece.text):
        yield Piece(piece.text[start:], piece.mark)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    if _FIRST_BYTE < number <= _FIRST_BYTE + 0xFF:
        return f"\\x{number - _FIRST_BYTE:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
