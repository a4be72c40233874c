"""The value that the sender of a refused text probably meant, and the characters of it that mislead a reader."""

import difflib
import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from uuid import UUID

from openapi import characters
from openapi.standards import date_time_faults

_LONGEST = 60
"""Characters; the rest of a longer text is not examined."""
_EFFORT = 4000
"""The most pairs of characters that are compared; more names are searched only for one that is equal when folded."""
_EFFORT_FOR_A_VALUE = 1000
"""A batch may have a wrong value in each of its items, and a hub chooses the values of its own schemas."""
_ALIKE = 0.6
_AROUND_DIGITS = re.compile(r"\A\W*(?:urn:)?(?:uuid:)?|[\W_]", re.IGNORECASE)
"""Beside the digits of a UUID: a prefix at its start, hyphens, braces, blanks and invisible characters anywhere."""
_LETTERS_AS_DIGITS = str.maketrans("oOlI", "0011")
_MOST_LETTERS = 4
"""A text with more letters in place of digits is no UUID that somebody has copied."""
_DIGITS = re.compile("[0-9a-fA-F]{32}")
_INVISIBLE = {"Cc", "Cf"}
"""General categories of Unicode: controls and formats."""
_ANY = "any ASCII"


def nearest(text: str, names: Sequence[str], effort: int = _EFFORT) -> str:
    """The one of `names` that is most like `text`; empty if none is like it."""
    text, known = text[:_LONGEST], tuple(names)
    for folded in (str.casefold, characters.folded):
        if (name := _by_fold(folded, known).get(folded(text))) is not None:
            return name
    fold, by_fold = characters.folded(text), _by_fold(characters.folded, known)
    is_short = len(fold) * sum(map(len, by_fold)) <= effort
    alike = difflib.get_close_matches(fold, by_fold, n=1, cutoff=_ALIKE) if is_short else []
    return by_fold[alike[0]] if alike else ""


def hint(text: str, names: Sequence[str]) -> str:
    """Which of `names` the sender of `text` probably meant, and which of its characters mislead; empty if unknown."""
    name = nearest(text, names, _EFFORT_FOR_A_VALUE)
    misleading = characters.sentence("The value", text[:_LONGEST], name or "".join(names))
    return f"Did you mean '{name}'? {misleading}".rstrip() if name else misleading


def foreign(name: str, text: str) -> str:
    """Which characters of `text`, the value of `name`, are invisible or not ASCII; empty if none is."""
    return characters.sentence(name, text[:_LONGEST], _ANY)


def uuid(text: str) -> str:
    """The UUID in `text`, which has other characters around or between its digits; empty if absent."""
    written = _AROUND_DIGITS.sub("", _plain(text)) if len(text) <= _LONGEST else ""
    digits = written.translate(_LETTERS_AS_DIGITS)
    is_copied = sum(map(operator.ne, written, digits)) <= _MOST_LETTERS
    return str(UUID(digits)) if is_copied and _DIGITS.fullmatch(digits) else ""


def timestamp(text: str) -> tuple[str, str]:
    """The faults of `text`, which is no timestamp, and the timestamp that its sender probably meant, or an example."""
    fault, repaired = date_time_faults.explain(_plain(text) if len(text) <= _LONGEST else text)
    misleading = foreign("it", text.strip(" ")).removesuffix(".")
    return "; ".join(filter(None, [misleading, fault])), repaired


@lru_cache(maxsize=200)
def _by_fold(folded: Callable[[str], str], names: tuple[str, ...]) -> dict[str, str]:
    """`names` by their folded form; empty for a form that several of them share."""
    index: dict[str, str] = {}
    for name in names:
        index[folded(name)] = "" if folded(name) in index else name
    return index


def _plain(text: str) -> str:
    """`text` without invisible characters, and with the digits, signs and blanks of ASCII in place of others."""
    return text if text.isascii() else "".join(map(_plain_character, unicodedata.normalize("NFKC", text)))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    if character == "\N{MINUS SIGN}" or category == "Pd":
        return "-"
    return str(unicodedata.decimal(character, character))
