"""The part of a comparison that a reader asks for: by path, tag and operation."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from openapi.contract import METHODS, Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.operations import Operation, operations
from openapi.standards.json_pointer import split

_DEPTH_OF_A_PATH = 2
"""The parts of a pointer that lead to a path item: `paths` and the path."""


class SelectionError(ValueError):
    """No operation of the documents fits a filter; the message names it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A change stays if one of its operations fits each kind of filter that is given.

    `paths` are wildcards, in which `*` also stands for slashes; `tags` are names; `operations` are operationIds, or
    names such as `GET /users`. A path fits with the path of its server, or without it. A change without an operation
    concerns the whole document: it stays, unless operations are named.
    """

    paths: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """True if there is a filter."""
        return bool(self.words)

    @property
    def words(self) -> str:
        """The filters in words, such as `path /users/*, tag admin`; empty if there are none."""
        return ", ".join(f"{kind} {value}" for kind, value, _ in self._filters())

    def selected(self, changes: Iterable[Change], old: Document, new: Document) -> list[Change]:
        """Those of `changes` from `old` to `new` that stay. Raises SelectionError if a filter fits no operation."""
        listed = [*operations(old), *operations(new)]
        chosen: dict[str, set[str]] = {}
        for kind, value, fits in self._filters():
            names = {operation.name for operation in listed if fits(operation, value)}
            if not names:
                raise SelectionError(f"no operation of the documents has the {kind} {value!r}")
            chosen.setdefault(kind, set()).update(names)
        names = set.intersection(*chosen.values())
        is_of_all = "operation" not in chosen
        of_change = ((change, _concerned(change, listed)) for change in changes)
        return [
            change
            for change, concerned in of_change
            if not names.isdisjoint(concerned) or (is_of_all and not concerned)
        ]

    def _filters(self) -> Iterator[tuple[str, str, Callable[[Operation, str], bool]]]:
        """Each filter: its kind, its value, and a function that returns True for an operation that fits."""
        kinds = (
            ("path", self.paths, _is_at),
            ("tag", self.tags, _is_tagged),
            ("operation", self.operations, _is_named),
        )
        yield from ((kind, value, fits) for kind, values, fits in kinds for value in values)


def _concerned(change: Change, listed: Iterable[Operation]) -> set[str]:
    """The names of the operations of `change`; for a text, those at its place."""
    if change.operations:
        return set(change.operations)
    parts = split(change.pointer)
    if parts[:1] != ("paths",) or len(parts) < _DEPTH_OF_A_PATH:
        return set()
    is_of_one = len(parts) > _DEPTH_OF_A_PATH and parts[_DEPTH_OF_A_PATH] in METHODS
    depth = _DEPTH_OF_A_PATH + is_of_one
    return {operation.name for operation in listed if operation.parts[:depth] == parts[:depth]}


def _is_at(operation: Operation, path: str) -> bool:
    """True if the path of `operation` fits the wildcard `path`."""
    return any(fnmatchcase(base + operation.path, path) for base in ("", *operation.bases))


def _is_tagged(operation: Operation, tag: str) -> bool:
    tags = operation.raw.get("tags")
    return isinstance(tags, list) and tag in tags


def _is_named(operation: Operation, name: str) -> bool:
    """True if `name` is the operationId of `operation`, or its method and path."""
    method, _, path = name.partition(" ")
    is_place = method.lower() == operation.method and path in {base + operation.path for base in ("", *operation.bases)}
    return is_place or operation.raw.get("operationId") == name
