"""Values that are short enough for people: two items of a long list, and the beginning of a long text.

What a proof is about is never left out: the members and items on the paths to it, which come first in an object.
"""

from collections.abc import Callable, Sequence
from typing import Any

from openapi import decimals

MOST_ITEMS, MOST_CHARACTERS = 5, 120
"""The longest list or object, and the longest text, that is shown whole."""
SHOWN_ITEMS, SHOWN_CHARACTERS = 2, 40
"""What is shown of a longer one."""
Step = str | int
"""The name of a member, or the index of an item."""
Paths = Sequence[Sequence[Step]]
"""Ways from a value to the parts of it that are shown."""


class More(str):
    """Words in the place of items that are left out. They are never encoded."""

    __slots__ = ()

    @classmethod
    def of(cls, count: int) -> "More":
        """The words for `count` items."""
        return cls(f"\u2026 {count:,} more")


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


def abridged(value: Any, paths: Paths = ()) -> Any:
    """`value` with `More` in each long list and object, and a `Beginning` for each long text.

    What is on one of `paths` is shown, up to MOST_ITEMS of one list or object.
    """
    if isinstance(value, str):
        return Beginning.of(value) if len(value) > MOST_CHARACTERS else value
    if isinstance(value, list):
        return _list(value, paths)
    if isinstance(value, dict):
        first = [name for name in dict.fromkeys(path[0] for path in paths if path) if name in value]
        names = [*first[:MOST_ITEMS], *(name for name in value if name not in first)]
        if len(value) > MOST_ITEMS:
            names = names[: max(SHOWN_ITEMS, min(len(first), MOST_ITEMS))]
        rest = {More.of(len(value) - len(names)): None} if len(names) < len(value) else {}
        return {abridged(name): abridged(value[name], _behind(paths, name)) for name in names} | rest
    return value


def _list(value: list[Any], paths: Paths) -> list[Any]:
    """The first items of `value` and those on `paths`, with `More` for what lies between and behind."""
    indexes = {path[0] for path in paths if path}
    places = list(range(len(value)))
    if len(value) > MOST_ITEMS:
        listed = [index for index in places if index in indexes]
        places = sorted({*listed[:MOST_ITEMS], *([] if listed else places[:SHOWN_ITEMS])} | {0})
    shown: list[Any] = []
    before = -1
    for place in [*places, len(value)]:
        if place - before > 1:
            shown.append(More.of(place - before - 1))
        if place < len(value):
            shown.append(abridged(value[place], _behind(paths, place)))
        before = place
    return shown


def _behind(paths: Paths, step: Step) -> Paths:
    """What follows `step` on `paths`."""
    return [path[1:] for path in paths if path and path[0] == step]


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
