"""Where a change is in both documents: pointers, and the lines of files that are known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from openapi.contract import ContractError, Document
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.operations import blank
from openapi.standards.json_pointer import parts_of, pointer, split


class Position(Protocol):
    """A place in a file; lines and columns count from 1."""

    @property
    def file(self) -> str:
        """The name of the file."""

    @property
    def line(self) -> int:
        """The line."""

    @property
    def column(self) -> int:
        """The column, in characters."""


Marks = Callable[[str], Position | None]
"""Returns the position of a pointer in the text of a document."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a change in one document: the nearest one that the document has."""

    pointer: str
    position: Position | None

    @property
    def words(self) -> str:
        """The file and line, or else the pointer."""
        return f"{self.position.file}:{self.position.line}" if self.position else self.pointer or "/"


class Places:
    """The places of changes in `old` and `new`; `marks` are those of each text, None if it has no file."""

    def __init__(self, old: Document, new: Document, marks: tuple[Marks | None, Marks | None] = (None, None)) -> None:
        self._documents = old, new
        self._marks = marks

    def of(self, change: Change) -> tuple[Place, Place]:
        """The places of `change` in the old document and in the new one."""
        own = self._documents[change.is_in_new]
        other = self._documents[not change.is_in_new]
        places = (
            self._place(change.pointer, change.is_in_new),
            self._place(counterpart(change.pointer, own, other), not change.is_in_new),
        )
        return (places[1], places[0]) if change.is_in_new else places

    def _place(self, where: str, is_in_new: bool) -> Place:
        marks = self._marks[is_in_new]
        return Place(where, marks(where) if marks else None)


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
            key = _parameter(part, own.resolve(here[int(part)]), moved, other) if isinstance(here, list) else part
            key = _path(key, moved) if found == ["paths"] else key
            here, there = (
                node[int(name)] if isinstance(node, list) else node[name] for node, name in ((here, part), (moved, key))
            )
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
            node = node[int(part)] if isinstance(node, list) else node[part]
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
