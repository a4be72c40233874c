"""The served path that a client probably meant by a path at which there is nothing."""

import difflib
import re
from collections.abc import Collection, Iterable

from openapi.characters import folded

LONGEST = 200
"""Characters; a longer path is like no other."""
_ALIKE = 0.82
"""The least likeness: the share of equal letters and digits."""
_MOST = 4
"""The most paths that a question names."""
_PARAMETER = re.compile(r"\{[^{}]*\}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A parameter in a path template, or a UUID in its place."""


_VERSION = re.compile(r"/v?[0-9]+(?:\.[0-9]+)?(?=/|\Z)", re.IGNORECASE)
"""The major version in a path, or what a client takes for it."""
_WORD = re.compile("[^/-]+")
_ALIKE_SEGMENT = 0.7
"""The least likeness of two segments, which are shorter than paths."""
_LONGEST_SEGMENT = 60


class SimilarPaths:
    """The paths of an application, to be found by paths like them."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        """`paths` may be templates."""
        self._paths = {_letters(path): path for path in paths}

    def hint(self, path: str) -> str:
        """A question that names the served path most like `path`; empty if there is none.

        For a `path` without a version it names the path in each of them.
        """
        letters = _letters(path) if len(path) <= LONGEST else ""
        if not 0 < len(letters) <= LONGEST:  # a ligature stands for several letters
            return ""
        is_equal = letters in self._paths
        nearest = [letters] if is_equal else difflib.get_close_matches(letters, self._paths, n=1, cutoff=_ALIKE)
        paths = [self._paths[nearest[0]]] if nearest else self._with_words_of(path)
        if paths and not _VERSION.search(path):
            names = {_VERSION.sub("", path) for path in paths}
            paths = sorted(other for other in self._paths.values() if _VERSION.sub("", other) in names)
        return _question([other for other in paths if other != path][:_MOST])

    def _with_words_of(self, path: str) -> list[str]:
        """The served paths that have all words of `path`, its version, and the fewest segments."""
        words = set(_WORD.findall(path.lower())) - {"api"}
        if not set(_WORD.findall(_VERSION.sub("", path.lower()))) - {"api"}:
            return []
        paths = [other for other in self._paths.values() if words <= set(_WORD.findall(other))]
        fewest = min((other.count("/") for other in paths), default=0)
        return [other for other in paths if other.count("/") == fewest]


def sibling(path: str, siblings: Collection[str]) -> str:
    """A question that names the one of `siblings` that `path` is most like in its last segment; empty if absent.

    `siblings` are paths that differ from `path` in that segment alone. A UUID is like none of them.
    """
    segment = path.rpartition("/")[2]
    if _PARAMETER.fullmatch(segment):
        return ""
    by_segment = {other.rpartition("/")[2]: other for other in siblings}
    nearest = difflib.get_close_matches(folded(segment[:_LONGEST_SEGMENT]), by_segment, n=1, cutoff=_ALIKE_SEGMENT)
    return _question([by_segment[name] for name in nearest])


def _question(paths: list[str]) -> str:
    return f"Did you mean {' or '.join(paths)}?" if paths else ""


def _letters(path: str) -> str:
    """`path` without slashes, hyphens and case, and without the beginning that clients leave out."""
    return folded(_PARAMETER.sub("id", path)).removeprefix("api")
