"""The lines of values of a document that was read from files, found when they are asked for."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from openapi.document_text import Parts
from openapi.sources.bundle import Bundle
from openapi.sources.references import Target, Texts
from openapi.sources.text import Position
from openapi.standards.json_pointer import parts_of, split


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the values of a bundled document stand in its files."""

    texts: Texts
    bundle: Bundle

    def of(self, pointer: str) -> Position:
        """The place of the value at `pointer` (RFC 6901), as `positions` has it."""
        return self.positions([pointer])[pointer]

    def positions(self, pointers: Iterable[str]) -> dict[str, Position]:
        """The place of the value at each of `pointers`; references are followed on the way, as in `Document.at`.

        The place of a member is that of its name; an absent value has that of the innermost value around it. Each file
        is scanned once.
        """
        targets = {pointer: self._target(split(pointer)) for pointer in pointers}
        wanted: defaultdict[str, set[Parts]] = defaultdict(set)
        for target in targets.values():
            wanted[target.file].add(target.parts)
        places = {file: self.texts.at(file).positions(parts) for file, parts in wanted.items()}
        return {pointer: places[target.file][target.parts] for pointer, target in targets.items()}

    def position_of_reference(self, reference: str) -> Position:
        """The place of a `$ref` that is `reference` in the bundled document, of the whole document if there is none."""
        target = self._origin(_place_of(self.bundle.value, reference))
        return self.texts.at(target.file).positions([target.parts])[target.parts]

    def _target(self, parts: Parts) -> Target:
        place: Parts = ()
        node = self.bundle.value
        for part in parts:
            place, node = self._followed(place, node)
            if (inner := _member(node, part)) is _ABSENT:
                break
            place, node = (*place, part), inner
        return self._origin(place)

    def _followed(self, place: Parts, node: Any) -> tuple[Parts, Any]:
        """`node`, which is at `place`, or the target of its reference."""
        seen = set()
        while isinstance(node, dict) and isinstance(reference := node.get("$ref"), str):
            if not reference.startswith("#/") or reference in seen:
                break
            seen.add(reference)
            place, node = parts_of(reference), self.bundle.value
            for part in place:
                node = _member(node, part)
        return place, node

    def _origin(self, place: Parts) -> Target:
        """The file, and the place in it, of what is at `place` in the bundled document."""
        for end in range(len(place), -1, -1):
            if origin := self.bundle.origins.get(place[:end]):
                return Target(origin.file, (*origin.parts, *place[end:]))
        return Target(self.texts.files.root, place)


_ABSENT = object()


def _member(node: Any, part: str) -> Any:
    if isinstance(node, dict):
        return node.get(part, _ABSENT)
    if isinstance(node, list) and part.isdecimal() and int(part) < len(node):
        return node[int(part)]
    return _ABSENT


def _place_of(root: Any, reference: str) -> Parts:
    """The place of the first `$ref` that is `reference`."""
    waiting: list[tuple[Parts, Any]] = [((), root)]
    seen = set()
    while waiting:
        parts, node = waiting.pop()
        if not isinstance(node, dict | list) or id(node) in seen:  # aliases share what they stand for
            continue
        seen.add(id(node))
        if isinstance(node, dict) and node.get("$ref") == reference:
            return (*parts, "$ref")
        members = node.items() if isinstance(node, dict) else enumerate(node)
        waiting.extend(((*parts, str(name)), inner) for name, inner in reversed(list(members)))
    return ()
