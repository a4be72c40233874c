"""The served path that a client probably meant by a path at which there is nothing."""

import difflib
import re
from collections.abc import Iterable

from openapi.characters import folded

LONGEST = 200
"""Characters; a longer path is like no other."""
_ALIKE = 0.82
"""The least likeness: the share of equal letters and digits."""
_PARAMETER = re.compile(r"\{[^{}]*\}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A parameter in a path template, or a UUID in its place."""


class SimilarPaths:
    """The paths of an application, to be found by paths like them."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        """`paths` may be templates."""
        self._paths = {_letters(path): path for path in paths}

    def hint(self, path: str) -> str:
        """A question that names the served path most like `path`; empty if there is none."""
        letters = _letters(path) if len(path) <= LONGEST else ""
        if not 0 < len(letters) <= LONGEST:  # a ligature stands for several letters
            return ""
        is_equal = letters in self._paths
        nearest = [letters] if is_equal else difflib.get_close_matches(letters, self._paths, n=1, cutoff=_ALIKE)
        return f"Did you mean {self._paths[nearest[0]]}?" if nearest else ""


def _letters(path: str) -> str:
    """`path` without slashes, hyphens and case, and without the beginning that clients leave out."""
    return folded(_PARAMETER.sub("id", path)).removeprefix("api")
