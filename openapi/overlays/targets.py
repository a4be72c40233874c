"""The places in a document that a JSONPath (RFC 9535) selects, within limits.

Within a filter a path must name one value, as `@.name` does: others could visit the whole document for each candidate.
"""

from collections.abc import Iterable
from typing import Any

from jsonpath import CompoundJSONPath, JSONPath, JSONPathEnvironment, JSONPathError, JSONPathMatch
from jsonpath.filter import FilterQuery, walk
from jsonpath.selectors import Filter

from openapi.document_text import MAX_DEPTH

LONGEST = 1_000
"""Limit on the characters of a path."""
MOST_STEPS = 200_000
"""Limit on the values that a path visits, and that its filters try."""
_BACKTRACKING = ("match", "search")
"""Functions that the library runs with Python's `re`: some patterns would take for ever (ReDoS)."""

Place = tuple[str | int, ...]


class TargetError(ValueError):
    """A path cannot be evaluated; the message says why."""


def places(path: str, document: Any) -> list[Place]:
    """Each place that `path` selects in `document`, once. Raises TargetError."""
    if len(path) > LONGEST:
        raise TargetError(f"it is longer than {LONGEST:,} characters")
    paths = _Paths()
    try:
        compiled = paths.compile(path)
        if isinstance(compiled, CompoundJSONPath):
            raise TargetError("it is more than one path")
        _require_bounded(compiled)
        matches: Iterable[JSONPathMatch] = [paths.root(document)]
        for segment in compiled.segments:
            matches = segment.resolve(matches)
        return list(dict.fromkeys(tuple(match.parts) for match in matches))
    except RecursionError:
        raise TargetError("it has too many segments or parentheses") from None
    except TargetError:
        raise
    except (JSONPathError, ArithmeticError, LookupError, TypeError, ValueError) as error:  # it leaks some of Python
        raise TargetError(f"it is not JSONPath as RFC 9535 defines it: {error.args[0]}") from None


def _require_bounded(path: JSONPath) -> None:
    """TargetError if a filter of `path` has a path that may name more than one value."""
    selectors = (selector for segment in path.segments for selector in segment.selectors)
    filters = [selector.expression for selector in selectors if isinstance(selector, Filter)]
    queries = [node.path for each in filters for node in walk(each) if isinstance(node, FilterQuery)]
    if not all(query.singular_query() for query in queries):
        raise TargetError("a path within a filter must name one value, such as @.name")


class _Paths(JSONPathEnvironment):
    """RFC 9535 alone, for one evaluation, which has a count of steps."""

    max_recursion_depth = MAX_DEPTH + 1

    def __init__(self) -> None:
        super().__init__(strict=True)
        self._steps = 0

    def root(self, document: Any) -> JSONPathMatch:
        """The match of `$`; all others are made from it."""
        return _Visited(filter_context={}, obj=document, parent=None, path="", parts=(), root=document, paths=self)

    def step(self) -> None:
        """Count one value. Raises TargetError at the limit."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TargetError(f"it visits more than {MOST_STEPS:,} values: name more of the way")

    def setup_function_extensions(self) -> None:
        """Register the functions that take a bounded time; the others say what to do instead."""
        super().setup_function_extensions()
        for name in _BACKTRACKING:
            self.function_extensions[name] = _Refused()

    def is_truthy(self, obj: object) -> bool:
        """Return the truth of a filter for a candidate, which is one step."""
        self.step()
        return super().is_truthy(obj)

    def compare(self, left: object, operator: str, right: object) -> bool:
        """Compare as RFC 9535 does, but no two objects or arrays: they may be as large as the document."""
        are_large = all(isinstance(operand, dict | list) and operand for operand in (left, right))
        if are_large and operator not in ("&&", "||"):
            raise TargetError("it compares objects or arrays with each other: compare members of them")
        return super().compare(left, operator, right)


class _Visited(JSONPathMatch):
    """A visited value: only the place of it is kept."""

    __slots__ = ("paths",)

    def __init__(self, *, paths: _Paths, **fields: Any) -> None:
        paths.step()
        super().__init__(**fields)
        self.paths = paths

    def new_child(self, obj: object, key: int | str) -> JSONPathMatch:
        """Return the match of `obj`, which is in this one."""
        fields = {"filter_context": {}, "obj": obj, "parent": None, "path": "", "root": self.root}
        return type(self)(paths=self.paths, parts=(*self.parts, key), **fields)

    def add_child(self, *children: JSONPathMatch) -> None:
        """Keep nothing."""


class _Refused:
    """A function that is not evaluated."""

    def __call__(self, *_: Any) -> Any:
        raise TargetError("the functions match() and search() are not evaluated: select by name or by value")

    def validate(self, *_: Any) -> Any:
        """Refuse the path that calls it."""
        self()
