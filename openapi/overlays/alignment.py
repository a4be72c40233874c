"""The items of an array that stay, change, come and go."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

MOST_COMPARED = 500
"""Limit on the items, beside equal ones at both ends, that are compared with each other."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the old array: pairs of an old and a new index, or what is removed, or added `after` an old index."""

    pairs: Sequence[tuple[int, int]] = ()
    removed: range = range(0)
    added: range = range(0)
    after: int = -1
    is_shift: bool = False
    """True if items after it would move, other than by items that are added at the end."""


def aligned(old: Sequence[Any], new: Sequence[Any]) -> list[Step] | None:
    """The steps from `old` to `new`; None if nothing stays, or there is too much to compare."""
    before, after = (list(map(_canonical, items)) for items in (old, new))
    first = _equal(before, after)
    last = _equal(before[first:][::-1], after[first:][::-1])
    before, after = before[first : len(before) - last], after[first : len(after) - last]
    if len(before) == len(after):
        return [Step(pairs=[(first + index, first + index) for index in range(len(before))])]
    if max(len(before), len(after)) > MOST_COMPARED and before and after:
        return None
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    steps = [_step(code, first, len(old)) for code in matcher.get_opcodes() if code[0] != "equal"]
    return steps if sum(len(step.removed) for step in steps) < len(old) else None


def _step(code: tuple[str, int, int, int, int], first: int, length: int) -> Step:
    """The step of an opcode of `SequenceMatcher`, whose indices begin at `first`."""
    start, end, new_start, new_end = (first + index for index in code[1:])
    if end - start == new_end - new_start:
        return Step(pairs=list(zip(range(start, end), range(new_start, new_end), strict=True)))
    is_shift = start < length
    return Step(removed=range(start, end), added=range(new_start, new_end), after=end - 1, is_shift=is_shift)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _equal(items: Sequence[str], others: Sequence[str]) -> int:
    """The number of equal items at the beginning."""
    for index, (item, other) in enumerate(zip(items, others, strict=False)):
        if item != other:
            return index
    return min(len(items), len(others))
