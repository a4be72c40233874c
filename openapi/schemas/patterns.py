"""Patterns as regular languages: finds a text that some of them match and others do not.

A pattern may match anywhere in the text, as in JSON Schema. The texts are tried from the shortest, one for each set of
places that the expressions can reach: a lazy subset construction.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any

sre: Any = import_module("re._constants")  # Python's parser of patterns has no public name
parser: Any = import_module("re._parser")

MOST_PLACES = 4_000
"""Limit on the places of one expression."""
MOST_STEPS = 20_000
"""Limit on the steps from places to places, over all texts of a search."""
MOST_TEXTS = 300
"""Limit on the texts of a pattern that are counted as if they were listed."""
LONGEST_TEXT = 200
"""Limit on their characters."""
MOST_BOUNDS = 400
"""Limit on the bounds of ranges of characters."""

_LAST = 0x10FFFF
_LINE_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_SPACES = ((9, 13), (32, 32), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F))
_CLASSES = {
    sre.CATEGORY_DIGIT: ((48, 57),),
    sre.CATEGORY_WORD: ((48, 57), (65, 90), (95, 95), (97, 122)),
    sre.CATEGORY_SPACE: (*_SPACES, (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)),
}
_NOT_CLASSES = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
}
_PREFERRED = [ord(letter) for letter in "axAX0 -_.~!"]
"""The preferred characters of an example."""

_ESCAPED = re.compile(r"\\[^0]", re.DOTALL)
_FOREIGN = re.compile(r"\[\^?\]|\[[^\]]*(?:\[|&&|--|~~|\|\|)|\{,|\\0|\(\?[P#]")
"""An empty class, a possible nested class or operation on classes, `{,3}`, octal numbers, comments."""

_LOOKS = (sre.ASSERT, sre.ASSERT_NOT)
_LOOKING = re.compile(r"\(\?<?[=!]")

Ranges = tuple[tuple[int, int], ...]
"""The first and the last code point of each range."""
Places = frozenset[int]


class UndecidedError(Exception):
    """An expression is not regular, or the search exceeds its limits."""


@dataclass(slots=True)
class _Automaton:
    """An expression as places, each with its steps to other places; a step with ranges consumes one character."""

    steps: list[list[tuple[Ranges, int]]] = field(default_factory=list)
    free: list[list[tuple[str, int]]] = field(default_factory=list)  # "" always, "^" at the start, "$" at the end
    start: int = 0
    end: int = 0
    known: dict[tuple[Places, int], Places] = field(default_factory=dict)

    def place(self) -> int:
        if len(self.steps) >= MOST_PLACES:
            raise UndecidedError
        self.steps.append([])
        self.free.append([])
        return len(self.steps) - 1

    def closure(self, places: Iterable[int], allowed: str = "") -> Places:
        """The places reachable from `places` without a character, if the anchors in `allowed` hold."""
        reached = set(places)
        waiting = list(reached)
        while waiting:
            for anchor, target in self.free[waiting.pop()]:
                if anchor in allowed and target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return frozenset(reached)

    def after(self, places: Places, character: int) -> Places:
        key = places, character
        if key not in self.known:
            self.known[key] = self.closure(
                target
                for place in places
                for ranges, target in self.steps[place]
                if any(low <= character <= high for low, high in ranges)
            )
        return self.known[key]

    def accepts(self, places: Places, at_start: bool) -> bool:
        return self.end in self.closure(places, "^$" if at_start else "$")


@lru_cache(maxsize=10_000)
def example(
    matching: tuple[str, ...],
    other_than: tuple[str, ...] = (),
    shortest: int = 0,
    longest: int | None = None,
    *,
    is_rough: bool = False,
) -> str | None:
    """A text of `shortest` to `longest` characters that all of `matching` match and not all of `other_than` match.

    With an empty `other_than`, a text that all of `matching` match. None if no such text exists; raises UndecidedError
    if that cannot be decided. With `is_rough` outer look-aheads and look-behinds have no effect.
    """
    automata = [_automaton(pattern, is_rough) for pattern in (*matching, *other_than)]
    characters = _characters(automata)
    first = tuple(automaton.closure([automaton.start], "^") for automaton in automata)
    level, steps, length = {first: ""}, 0, 0
    seen: set[tuple[Places, ...]] = set()
    while level and (longest is None or length <= longest):
        for places, text in level.items():
            if length >= shortest and _is_wanted(automata, places, len(matching), at_start=length == 0):
                return text
        if length >= shortest:  # from now on the same places have the same continuations
            seen.update(level)
        following: dict[tuple[Places, ...], str] = {}
        for places, text in level.items():
            for character in characters:
                reached = tuple(
                    automaton.after(current, character) for automaton, current in zip(automata, places, strict=True)
                )
                steps += 1 + sum(map(len, reached))
                if steps > MOST_STEPS:
                    raise UndecidedError
                if all(reached[: len(matching)]) and reached not in seen and reached not in following:
                    following[reached] = text + chr(character)
        level, length = following, length + 1
    return None


@lru_cache(maxsize=100)
def texts(matching: tuple[str, ...], shortest: int = 0, longest: int | None = None) -> tuple[str, ...] | None:
    """All texts of `shortest` to `longest` characters that all of `matching` match.

    None if they are more than MOST_TEXTS, or may be longer than LONGEST_TEXT. Raises UndecidedError if that cannot be
    decided.
    """
    automata = [_automaton(pattern) for pattern in matching]
    start = tuple(automaton.closure([automaton.start], "^") for automaton in automata)
    steps = _steps(automata, start, _characters(automata))
    live = _leading(steps, {places for places in steps if _is_wanted(automata, places, len(automata), at_start=False)})
    intervals = _intervals(automata)
    found: list[str] = []
    level = {start: [""]}
    for length in range(LONGEST_TEXT + 1):
        if length >= shortest:
            ended = [places for places in level if _is_wanted(automata, places, len(automata), at_start=length == 0)]
            found += (text for places in ended for text in level[places])
        level = _longer(level, steps, live, intervals) if length != longest else {}
        if len(found) + sum(map(len, level.values())) > MOST_TEXTS:
            return None
        if not level:
            return tuple(found)
    return None


def _longer(
    level: dict[tuple[Places, ...], list[str]],
    steps: dict[tuple[Places, ...], dict[int, tuple[Places, ...]]],
    live: set[tuple[Places, ...]],
    intervals: dict[int, range],
) -> dict[tuple[Places, ...], list[str]]:
    """The texts of `level` with one more character, by the places that they lead to; some of too many."""
    following: dict[tuple[Places, ...], list[str]] = {}
    for places, prefixes in level.items():
        for character, reached in steps[places].items():
            if reached in live:
                codes = intervals[character][: MOST_TEXTS + 1]
                following.setdefault(reached, []).extend(prefix + chr(code) for prefix in prefixes for code in codes)
    return following


def _steps(
    automata: list[_Automaton], start: tuple[Places, ...], characters: list[int]
) -> dict[tuple[Places, ...], dict[int, tuple[Places, ...]]]:
    """Where each character leads from each places that can be reached."""
    steps: dict[tuple[Places, ...], dict[int, tuple[Places, ...]]] = {}
    waiting, count = [start], 0
    while waiting:
        places = waiting.pop()
        if places in steps:
            continue
        steps[places] = {}
        for character in characters:
            reached = tuple(
                automaton.after(current, character) for automaton, current in zip(automata, places, strict=True)
            )
            count += 1 + sum(map(len, reached))
            if count > MOST_STEPS // 4:  # a search for all texts ends less often than one for the first
                raise UndecidedError
            if all(reached):
                steps[places][character] = reached
                waiting.append(reached)
    return steps


def _leading(
    steps: dict[tuple[Places, ...], dict[int, tuple[Places, ...]]], ends: set[tuple[Places, ...]]
) -> set[tuple[Places, ...]]:
    """The places from which one of `ends` can be reached."""
    before: dict[tuple[Places, ...], set[tuple[Places, ...]]] = {}
    for places, following in steps.items():
        for reached in following.values():
            before.setdefault(reached, set()).add(places)
    leading, waiting = set(ends), list(ends)
    while waiting:
        fresh = before.get(waiting.pop(), set()) - leading
        leading |= fresh
        waiting += fresh
    return leading


def _intervals(automata: list[_Automaton]) -> dict[int, range]:
    """For each of `_characters` all code points that the automata do not distinguish from it."""
    ordered = _bounds(automata)
    return {
        code: range(low, high)
        for low, high in itertools.pairwise(ordered)
        for code in [next((code for code in _PREFERRED if low <= code < high), low)]
    }


def looks_around(pattern: str) -> bool:
    """True if `pattern` has a look-ahead or look-behind, with which it is not compared."""
    return bool(_LOOKING.search(pattern))


def _is_wanted(automata: list[_Automaton], places: tuple[Places, ...], matching: int, at_start: bool) -> bool:
    accepted = [automaton.accepts(current, at_start) for automaton, current in zip(automata, places, strict=True)]
    return all(accepted[:matching]) and (matching == len(automata) or not all(accepted[matching:]))


def _bounds(automata: list[_Automaton]) -> list[int]:
    """The first code point of each class that the automata distinguish, and the one after the last."""
    bounds = {0, _LAST + 1, 0xD800, 0xE000}
    for automaton in automata:
        for steps in automaton.steps:
            for ranges, _ in steps:
                for low, high in ranges:
                    bounds |= {low, high + 1}
    if len(bounds) > MOST_BOUNDS:
        raise UndecidedError
    return sorted(bounds)


def _characters(automata: list[_Automaton]) -> list[int]:
    """One code point of each class that the automata distinguish; no surrogates."""
    preferred = _intervals(automata)
    return sorted((code for code in preferred if not 0xD800 <= code < 0xE000), key=_reluctance)


def _reluctance(code: int) -> tuple[int, bool, int]:
    """The sort key of a character: examples use the characters with the lowest keys."""
    place = _PREFERRED.index(code) if code in _PREFERRED else len(_PREFERRED)
    return place, code < 32, code


@lru_cache(maxsize=100)
def _automaton(pattern: str, is_rough: bool = False) -> _Automaton:
    """The automaton that finds `pattern` anywhere in a text."""
    parsed = [element for element in _parsed(pattern) if not is_rough or element[0] not in _LOOKS]
    automaton = _Automaton()
    automaton.start = automaton.place()
    prefix = automaton.place()
    automaton.steps[automaton.start].append((((0, _LAST),), prefix))
    # After a text before the match, "^" no longer holds.
    automaton.steps[prefix].append((((0, _LAST),), prefix))
    inner = automaton.place()
    automaton.free[automaton.start].append(("", inner))
    automaton.free[prefix].append(("", inner))
    try:
        automaton.end = _sequence(automaton, parsed, inner)
    except RecursionError:
        raise UndecidedError from None
    automaton.steps[automaton.end].append((((0, _LAST),), automaton.end))
    return automaton


def _parsed(pattern: str) -> Any:
    """`pattern`, parsed by Python; UndecidedError if JavaScript may parse it differently (ECMA-262 section 22.2.1)."""
    if _FOREIGN.search(_ESCAPED.sub("x", pattern)):
        raise UndecidedError
    try:
        parsed = parser.parse(pattern, re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise UndecidedError from None
    if parsed.state.flags != re.ASCII:
        raise UndecidedError
    return parsed


def _sequence(automaton: _Automaton, parsed: Iterable[tuple[Any, Any]], place: int) -> int:
    for operation, argument in parsed:
        place = _element(automaton, operation, argument, place)
    return place


def _element(automaton: _Automaton, operation: Any, argument: Any, place: int) -> int:
    """The place after one element that begins at `place`."""
    if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        lowest, highest, inner = argument
        return _repeated(automaton, inner, place, range(lowest), highest)
    if operation is sre.SUBPATTERN:
        _, added, dropped, inner = argument
        if added or dropped:
            raise UndecidedError
        return _sequence(automaton, inner, place)
    end = automaton.place()
    if operation is sre.BRANCH:
        for branch in argument[1]:
            automaton.free[_sequence(automaton, branch, place)].append(("", end))
    elif operation is sre.AT and argument in (sre.AT_BEGINNING, sre.AT_END):
        automaton.free[place].append(("^" if argument is sre.AT_BEGINNING else "$", end))
    else:
        automaton.steps[place].append((_ranges(operation, argument), end))
    return end


def _repeated(automaton: _Automaton, inner: Any, place: int, lowest: range, highest: Any) -> int:
    for _ in lowest:
        before, place = place, _sequence(automaton, inner, place)
        if place == before:  # repetitions of an empty expression consume nothing
            return place
    if highest is sre.MAXREPEAT:
        loop = automaton.place()
        automaton.free[place].append(("", loop))
        automaton.free[_sequence(automaton, inner, loop)].append(("", loop))
        return loop
    end = automaton.place()
    for _ in range(highest - len(lowest)):
        automaton.free[place].append(("", end))
        before, place = place, _sequence(automaton, inner, place)
        if place == before:
            break
    automaton.free[place].append(("", end))
    return end


def _ranges(operation: Any, argument: Any) -> Ranges:
    """The characters that match a single-character element; raises UndecidedError for any other element."""
    if operation is sre.LITERAL:
        return ((argument, argument),)
    if operation is sre.NOT_LITERAL:
        return _but(((argument, argument),))
    if operation is sre.ANY:
        return _but(_LINE_ENDS)
    if operation is sre.IN:
        is_negated = argument[0][0] is sre.NEGATE
        ranges = tuple(characters for inner in argument[is_negated:] for characters in _ranges_of_class(*inner))
        return _but(ranges) if is_negated else ranges
    raise UndecidedError


def _ranges_of_class(operation: Any, argument: Any) -> Iterator[tuple[int, int]]:
    if operation is sre.RANGE:
        yield argument
    elif operation is sre.CATEGORY and argument in _CLASSES:
        yield from _CLASSES[argument]
    elif operation is sre.CATEGORY and argument in _NOT_CLASSES:
        yield from _but(_CLASSES[_NOT_CLASSES[argument]])
    else:
        yield from _ranges(operation, argument)


def _but(ranges: Ranges) -> Ranges:
    """Every code point except those in `ranges`."""
    ranges_between, following = [], 0
    for low, high in sorted(ranges):
        if following < low:
            ranges_between.append((following, low - 1))
        following = max(following, high + 1)
    return (*ranges_between, (following, _LAST)) if following <= _LAST else tuple(ranges_between)
