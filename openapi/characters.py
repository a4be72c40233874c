"""Characters that a reader of a name does not see, or takes for others."""

import unicodedata
from collections.abc import Iterator

_LISTED = 3
"""The most characters that a sentence names."""
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs"}
"""General categories of Unicode: controls, formats, and blanks."""
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Invisible, although Unicode lists them as letters, marks or symbols."""
_ALIKE = str.maketrans(
    "аеорсухіјѕԁһԛԝкмтвнԍοαερτυνικχ",
    "aeopcyxijsdhqwkmtbhgoaeptuvikx",
)
"""Small letters of Cyrillic and Greek, and the Latin letters that they look like."""


def folded(name: str) -> str:
    """`name` in letters and digits alone, without case and accents: names that look or sound alike are equal."""
    if not name.isascii():
        name = unicodedata.normalize("NFKD", name.casefold().translate(_ALIKE))
    return "".join(filter(str.isalnum, name)).casefold()


def sentence(subject: str, text: str, intended: str = "") -> str:
    """Which characters of `text` are invisible, by code point; empty if none is.

    With `intended`, the text that the sender probably meant, also those outside ASCII that it does not have.
    """
    shown = [f"U+{ord(character):04X}" for character in dict.fromkeys(_misleading(text, intended))]
    if not shown:
        return ""
    more = " and more" if len(shown) > _LISTED else ""
    noun = "character" if len(shown) == 1 else "characters"
    return f"{subject} has the {noun} {', '.join(shown[:_LISTED])}{more}."


def _misleading(text: str, intended: str) -> Iterator[str]:
    """A blank is misleading at an end of the text."""
    ends = text[:1] + text[-1:]
    for character in text:
        if character == " ":
            is_misleading = character in ends
        elif character.isascii():
            is_misleading = not character.isprintable()
        else:
            is_invisible = unicodedata.category(character) in _INVISIBLE or character in _BLANK_LETTERS
            is_misleading = is_invisible or (intended != "" and character not in intended)
        if is_misleading:
            yield character
