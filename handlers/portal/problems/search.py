"""Finds the problems that a text is about: words, a code, the URL of a type, or the error of an answer."""

import difflib

from openapi.problems import TABLE
from openapi.rendering.problem_pages import described, heading, likeness
from openapi.standards.status_phrases import PHRASES

LEAST = 12
"""The least likeness of a text to the template of a problem."""
MOST_NEAREST = 3
_LONGEST = 60
"""The characters of a name that are compared."""
_ALIKE = 0.6


def search(query: str) -> list[str]:
    """The codes of the problems that `query` is about, in the order of the table; all if it is empty."""
    code = query.strip("/\"'").rpartition("/")[2]
    if "/" in query and code in TABLE:
        return [code]
    words = query.lower().split()
    if by_words := [code for code in TABLE if all(word in _text(code) for word in words)]:
        return by_words
    alike = {code: likeness(code, query) for code in TABLE}
    return [code for code, count in alike.items() if count >= LEAST]


def nearest(name: str) -> list[str]:
    """The codes most like `name`, the most similar first; those that have a word of it if none is."""
    short = "_".join(name[:_LONGEST].lower().split())
    alike = difflib.get_close_matches(short, TABLE, n=MOST_NEAREST, cutoff=_ALIKE)
    words = set(short.split("_")) - {"not", "of", ""}
    return alike or [code for code in TABLE if words & set(code.split("_"))][:MOST_NEAREST]


def _text(code: str) -> str:
    """All words of a problem, in lower case."""
    problem = described(code)
    words = [code, heading(code), problem["title"], problem["status"], PHRASES[problem["status"]]]
    return " ".join(map(str, [*words, problem["detail"], problem["help"]])).lower()
