"""The registered name that the sender of an unknown name probably meant."""

import difflib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import itemgetter

from openapi import characters

ALIKE = 0.7
"""The least similarity by difflib: 'submit' is like 'submitted' (0.8), and 'opened' is not like 'commented' (0.67)."""
EFFORT = 50_000
"""The most pairs of characters that the search for one group of names compares: some milliseconds."""
_CALL = 64
"""A comparison of two names takes as long as this many pairs, and the pairs themselves."""
_LONGEST = 60
"""The characters of a name that are compared."""


class _Index:
    """Names by their folded form, and the folded forms by length."""

    def __init__(self, names: Sequence[str]) -> None:
        self.by_fold = {characters.folded(name): name for name in reversed(names)}
        self._by_length: dict[int, list[str]] = {}
        for fold in self.by_fold:
            self._by_length.setdefault(min(len(fold), _LONGEST), []).append(fold)

    def candidates(self, length: int) -> Iterator[str]:
        """The folded forms that may be similar to a form of `length` characters, those of the nearest length first."""
        possible = [other for other in self._by_length if 2 * min(length, other) >= ALIKE * (length + other)]
        for other in sorted(possible, key=lambda other: abs(length - other)):
            yield from self._by_length[other]


class SimilarNames:
    """Searches `names` for one group of unknown names, with a bounded effort.

    A name that differs by case, accents, or characters other than letters and digits is always found.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._index = _index(names)
        self._effort = EFFORT
        self._known: dict[str, str | None] = {}

    def hint(self, name: str) -> str:
        """What may be wrong with the unknown `name`, in sentences; empty if nothing is."""
        nearest = self.nearest(name)
        sentences = [characters.sentence("The name", name, nearest or "")]
        if nearest:
            sentences = [f"Did you mean '{nearest}'?", *sentences]
            sentences.append(characters.sentence("The registered name", nearest, name))
        return " ".join(filter(None, sentences))

    def nearest(self, name: str) -> str | None:
        """The most similar of the names; None if none is similar, or the effort is spent."""
        if name not in self._known:
            self._known[name] = next(iter(self.several(name, 1)), None)
        return self._known[name]

    def several(self, name: str, count: int) -> list[str]:
        """At most `count` of the names that are most similar, the nearest first."""
        fold = characters.folded(name)
        if not fold:
            return []
        folds = [fold] if fold in self._index.by_fold else []
        folds += self._similar(fold[:_LONGEST], count) if len(folds) < count else []
        return [self._index.by_fold[each] for each in dict.fromkeys(folds)][:count]

    def _similar(self, fold: str, count: int) -> list[str]:
        """The most similar folded forms, the nearest first."""
        matcher, least = difflib.SequenceMatcher(b=fold, autojunk=False), ALIKE
        best: list[tuple[float, str]] = []
        for candidate in self._index.candidates(len(fold)):
            shown = candidate[:_LONGEST]
            self._effort -= len(fold) * len(shown) + _CALL
            if self._effort < 0:
                break
            matcher.set_seq1(shown)
            if matcher.quick_ratio() >= least and (ratio := matcher.ratio()) >= least:
                best = sorted([*best, (ratio, candidate)], key=itemgetter(0))[-count:]
                least = best[0][0] if len(best) == count else ALIKE
        return [candidate for _, candidate in reversed(best)]


@lru_cache(maxsize=1)
def _index(names: tuple[str, ...]) -> _Index:
    return _Index(names)
