"""Values that are short enough for people: two items of a long list, and the beginning of a long text."""

from collections.abc import Callable
from typing import Any

from openapi import decimals

MOST_ITEMS, MOST_CHARACTERS = 5, 120
"""The longest list or object, and the longest text, that is shown whole."""
SHOWN_ITEMS, SHOWN_CHARACTERS = 2, 40
"""What is shown of a longer one."""


class More(str):
    """Words in the place of items that are left out. They are never encoded."""

    __slots__ = ()

    @classmethod
    def than_shown(cls, count: int) -> "More":
        """The words for a list or an object of `count` items."""
        return cls(f"\u2026 {count - SHOWN_ITEMS:,} more")


class Beginning(str):
    """The beginning of a long text. Its `ending`, words in the place of the rest, is never encoded."""

    __slots__ = ("ending",)
    ending: str

    @classmethod
    def of(cls, text: str) -> "Beginning":
        """The beginning of `text`."""
        beginning = cls(text[:SHOWN_CHARACTERS])
        beginning.ending = f"\u2026 ({len(text):,} characters)"
        return beginning


def whole(value: Any) -> Any:
    """`value` itself."""
    return value


def abridged(value: Any) -> Any:
    """`value` with `More` in each long list and object, and a `Beginning` for each long text."""
    if isinstance(value, str):
        return Beginning.of(value) if len(value) > MOST_CHARACTERS else value
    if isinstance(value, list):
        if len(value) <= MOST_ITEMS:
            return [abridged(item) for item in value]
        return [*map(abridged, value[:SHOWN_ITEMS]), More.than_shown(len(value))]
    if isinstance(value, dict):
        is_short = len(value) <= MOST_ITEMS
        shown = list(value.items()) if is_short else list(value.items())[:SHOWN_ITEMS]
        rest = {} if is_short else {More.than_shown(len(value)): None}
        return {abridged(name): abridged(inner) for name, inner in shown} | rest
    return value


def encoded(text: str, encode: Callable[[str], str]) -> str:
    """`text` after `encode`, except for words in the place of what is left out."""
    if isinstance(text, More):
        return str(text)
    return encode(str(text)) + (text.ending if isinstance(text, Beginning) else "")


def json_text(value: Any, is_ascii: bool = False) -> str:
    """`value` as JSON, with words in the place of what is left out."""
    if isinstance(value, str):
        return encoded(value, lambda text: decimals.dumps(text, ensure_ascii=is_ascii))
    if isinstance(value, list):
        return f"[{', '.join(json_text(item, is_ascii) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(_member(name, inner, is_ascii) for name, inner in value.items())}}}"
    return decimals.dumps(value)


def _member(name: str, value: Any, is_ascii: bool) -> str:
    return name if isinstance(name, More) else f"{json_text(name, is_ascii)}: {json_text(value, is_ascii)}"
