"""Where a change is in both documents: pointers, and the lines of files that are known."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from openapi.contract import ContractError, Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.operations import blank, operations, place_of
from openapi.sources.text import Position
from openapi.standards.json_pointer import member, parts_of, pointer, split

Parts = tuple[str, ...]
_Use = tuple[str, Parts]
"""The name of an operation, and the place of a component to which it refers."""
_DEPTH = 3
"""The parts of the pointer to a component."""


class Marks(Protocol):
    """The lines of a document."""

    def positions(self, pointers: Iterable[str]) -> Mapping[str, Position]:
        """The position of each of `pointers`."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a change in one document: the nearest one that the document has."""

    pointer: str = ""
    position: Position | None = None

    @property
    def words(self) -> str:
        """The file and line, or else the pointer."""
        return f"{self.position.file}:{self.position.line}" if self.position else self.pointer or "/"


@dataclass(frozen=True)
class Places:
    """The places of changes in `old` and `new`; `marks` are those of each text, None if it has no file."""

    old: Document
    new: Document
    marks: tuple[Marks | None, Marks | None] = (None, None)

    def of(self, changes: Sequence[Change]) -> list[tuple[Place, Place]]:
        """The places of each of `changes`, in the old document and in the new one."""
        pointers = [self._pointers(change) for change in changes]
        sides = [_located([pair[side] for pair in pointers], marks) for side, marks in enumerate(self.marks)]
        return list(zip(*sides, strict=True))

    def _pointers(self, change: Change) -> tuple[str, str]:
        own, other = (self.new, self.old) if change.is_in_new else (self.old, self.new)
        there = counterpart(change.pointer, own, other)
        parts = split(change.pointer)
        if parts[:1] == ("components",) and len(split(there)) <= _DEPTH - 1 and change.operations:
            reference = self._references[change.is_in_new].get((change.operations[0], parts[:_DEPTH]))
            if reference:  # the other document may have written it in place
                there = counterpart(pointer(*reference, *parts[_DEPTH:]), own, other)
        return (there, change.pointer) if change.is_in_new else (change.pointer, there)

    @cached_property
    def _references(self) -> tuple[dict[_Use, Parts], dict[_Use, Parts]]:
        """Where the operations of each document refer to parameters and bodies."""
        return _uses(self.old), _uses(self.new)


def _uses(document: Document) -> dict[_Use, Parts]:
    uses: dict[_Use, Parts] = {}
    for operation in operations(document):
        places = [(*operation.place, "requestBody")]
        for parts in (operation.place, operation.place[:-1]):
            parameters = document.at(parts).get("parameters")
            count = len(parameters) if isinstance(parameters, list) else 0
            places += [(*parts, "parameters", str(index)) for index in range(count)]
        for place in places:
            with suppress(ContractError):  # of an operation that is not compared
                uses.setdefault((operation.name, place_of(document, place)), place)
    return uses


def _located(pointers: Sequence[str], marks: Marks | None) -> list[Place]:
    positions = marks.positions(pointers) if marks else {}
    return [Place(where, positions.get(where)) for where in pointers]


def counterpart(where: str, own: Document, other: Document) -> str:
    """The pointer in `other` to what is at the pointer `where` in `own`, or to the nearest place around it."""
    here: Any = own.document
    there: Any = other.document
    found: list[str] = []
    for part in split(where):
        try:
            here, moved = own.resolve(here), other.resolve(there)
            if moved is not there:
                found = _target(there, other)
            key = _parameter(part, own.resolve(member(here, part)), moved, other) if isinstance(here, list) else part
            key = _path(key, moved) if found == ["paths"] else key
            here, there = member(here, part), member(moved, key)
        except (ContractError, LookupError, StopIteration, TypeError, ValueError):
            break
        found.append(key)
    return pointer(*found)


def _target(node: Any, document: Document) -> list[str]:
    """The parts of the pointer to what the reference `node` leads to."""
    parts: list[str] = []
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        parts = list(parts_of(node["$ref"]))
        node = document.document
        for part in parts:
            node = member(node, part)
    return parts


def _path(path: str, paths: Any) -> str:
    """The path of `paths` with the template of `path`."""
    return path if path in paths else next(other for other in paths if blank(other) == blank(path))


def _parameter(index: str, item: Any, items: Any, document: Document) -> str:
    """The index in `items` of the parameter with the name and location of `item`; `index` for all else."""
    if not isinstance(item, dict) or not {"name", "in"} <= item.keys():
        return index
    for place, other in enumerate(map(document.resolve, items)):
        if isinstance(other, dict) and all(other.get(key) == item[key] for key in ("name", "in")):
            return str(place)
    raise LookupError
