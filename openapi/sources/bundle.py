"""A document of several files as one value: what a reference to another file means becomes a component.

Component names are those in the other file, or the name of the file. A component or a path that is nothing but such a
reference becomes what it refers to. A reference that is not followed stays, with its reason: only a comparison that
needs it fails.
"""

import posixpath
import re
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from typing import Any

from openapi.contract import ContractError
from openapi.document_text import MAX_DEPTH, TOO_DEEP, Parts
from openapi.sources.reference_kinds import Place
from openapi.sources.references import Target, Texts, Unfollowed, target_of
from openapi.standards.json_pointer import pointer

MOST_COPIED = 1_000_000
"""Limit on the objects and lists of a bundled document."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """One value, and where its parts were."""

    value: Any
    origins: dict[Parts, Target] = field(default_factory=dict)
    """The places that were filled from elsewhere; what is below one of them was there, too."""
    unfollowed: dict[str, str] = field(default_factory=dict)
    """The references that stay, each with the reason."""


def bundle(texts: Texts) -> Bundle:
    """The document whose first file is the first of `texts`. ContractError if it is too large."""
    root = texts.root.value
    if not isinstance(root, dict) or not _leaves(root):
        return Bundle(root)
    return _Bundler(texts, root).bundled()


def _leaves(root: Any) -> bool:
    """True if something in `root` may refer to another file."""
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict | list) or id(node) in seen:  # aliases share what they stand for
            continue
        seen.add(id(node))
        waiting.extend(node.values() if isinstance(node, dict) else node)
        if isinstance(node, dict) and isinstance(node.get("$ref"), str) and not node["$ref"].startswith("#/"):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a value stands: its file, its place in the bundled document, its kind, and how deep."""

    file: str
    place: Parts | None
    """None for what cannot be claimed."""
    kind: Place
    depth: int

    def inner(self, key: str | None, kind: Place) -> "_Spot":
        """The spot of the member `key`, or of an item."""
        place = (*self.place, key) if self.place is not None and key is not None and len(self.place) < 3 else None
        return _Spot(self.file, place, kind, self.depth + 1)


class _Bundler:
    def __init__(self, texts: Texts, root: dict[str, Any]) -> None:
        self._texts, self._root = texts, root
        self._file = texts.files.root
        self._places: dict[Target, Parts] = {}
        self._waiting: deque[tuple[Target, Parts, Place]] = deque()
        self._copied = 0
        self._taken: dict[str, set[str]] = {}
        self._numbers: defaultdict[tuple[str, str], int] = defaultdict(lambda: 1)
        self._made: dict[str, dict[str, Any]] = {}
        self._bundle = Bundle(None)

    def bundled(self) -> Bundle:
        """The whole document."""
        self._claim(self._root, self._file, ())
        document = self._copy(self._root, _Spot(self._file, (), Place(), 0))
        while self._waiting:
            target, place, kind = self._waiting.popleft()
            copied = self._copy(self._texts.value(target), _Spot(target.file, place, kind, 2))
            self._made.setdefault(place[1], {})[place[2]] = copied
        for kind_name, made in self._made.items():
            components = _object(document.setdefault("components", {}), "components")
            _object(components.setdefault(kind_name, {}), f"components.{kind_name}").update(made)
        return Bundle(document, self._bundle.origins, self._bundle.unfollowed)

    def _claim(self, value: Any, file: str, place: Parts) -> None:
        """Note what the root's own paths and components, and members of the root, are nothing but references to."""
        while target := self._sole_target(value, file):
            if target in self._places or target.file == self._file:
                return
            self._places[target] = place
            self._bundle.origins[place] = target
            value, file = self._texts.value(target), target.file
        is_kind = len(place) == 2 and place[0] == "components"
        if not isinstance(value, dict) or not (len(place) < 2 or is_kind):
            return
        if place and isinstance(value.get("$ref"), str):
            # OpenAPI allows no reference here: one that stayed would hide all paths, or all components of a kind.
            raise ContractError(self._reason(value["$ref"], file, place))
        if is_kind:
            self._taken[place[1]] = set(value)
        for key, member in value.items():
            self._claim(member, file, (*place, key))

    def _reason(self, reference: str, file: str, place: Parts) -> str:
        """Why `reference`, which stands at `place` and in `file`, is not followed there."""
        try:
            self._texts.value(target_of(reference, file))
            reason = "stands where OpenAPI allows no reference"
        except Unfollowed as fault:
            reason = str(fault)
        return f"{self._texts.files.name(file)}: {'.'.join(place)}: $ref {reference!r} {reason}"

    def _sole_target(self, value: Any, file: str) -> Target | None:
        """The target of `value`, if that is nothing but a reference that can be followed."""
        if not isinstance(value, dict) or list(value) != ["$ref"] or not isinstance(value["$ref"], str):
            return None
        try:
            target = target_of(value["$ref"], file)
            self._texts.value(target)
        except Unfollowed:
            return None
        return target

    def _copy(self, value: Any, spot: _Spot) -> Any:
        """`value`, which stands at `spot`, for the bundled document."""
        if not isinstance(value, dict | list):
            return value
        self._copied += 1
        if self._copied > MOST_COPIED:
            raise ContractError(f"its files make more than {MOST_COPIED:,} objects and lists")
        if spot.depth > MAX_DEPTH:
            raise ContractError(TOO_DEEP)
        if isinstance(value, list):
            return [self._copy(item, spot.inner(None, spot.kind.item)) for item in value]
        if spot.place is not None:
            value, file = self._claimed(value, spot.file, spot.place)
            spot = replace(spot, file=file)
            if not isinstance(value, dict):
                return self._copy(value, spot)
        return {key: self._member(key, member, spot) for key, member in value.items()}

    def _member(self, key: str, member: Any, spot: _Spot) -> Any:
        if key == "$ref" and isinstance(member, str):
            return self._reference(member, spot.file, spot.kind)
        if spot.kind.is_mapping and isinstance(member, str):
            return self._mapped(member, spot.file)
        kind = spot.kind.member(key, member)
        return member if kind is None else self._copy(member, spot.inner(key, kind))

    def _claimed(self, value: Any, file: str, place: Parts) -> tuple[Any, str]:
        """What stands at `place` in the end, and its file."""
        seen: set[Target] = set()
        while (target := self._sole_target(value, file)) and self._places.get(target) == place and target not in seen:
            seen.add(target)
            value, file = self._texts.value(target), target.file
        return value, file

    def _mapped(self, value: str, file: str) -> str:
        """The value of a mapping of a discriminator: a reference, or the name of a component."""
        is_reference = "/" in value or "#" in value or value.endswith((".yaml", ".json", ".yml"))
        return self._reference(value, file, Place()) if is_reference else value

    def _reference(self, reference: str, file: str, kind: Place) -> str:
        """`reference`, which stands in `file`, as a reference within the bundled document."""
        if file == self._file and reference.startswith("#/"):
            return reference
        try:
            target = target_of(reference, file)
        except Unfollowed as fault:
            return self._kept(reference, fault)
        try:
            self._texts.value(target)
        except Unfollowed as fault:
            return self._kept(target.file + (_reference_to(target.parts) if target.parts else ""), fault)
        if target.file == self._file:
            return _reference_to(target.parts)
        return _reference_to(self._place_of(target, kind))

    def _kept(self, reference: str, fault: Unfollowed) -> str:
        self._bundle.unfollowed[reference] = str(fault)
        return reference

    def _place_of(self, target: Target, kind: Place) -> Parts:
        """The place of `target`, or of a value around it with the rest of its pointer; else it becomes a component."""
        for end in range(len(target.parts), -1, -1):
            if around := self._places.get(Target(target.file, target.parts[:end])):
                return (*around, *target.parts[end:])
        place = ("components", kind.kind, self._free_name(target, kind.kind))
        self._places[target] = place
        self._bundle.origins[place] = target
        self._waiting.append((target, place, kind))
        return place

    def _free_name(self, target: Target, kind: str) -> str:
        stem = posixpath.splitext(posixpath.basename(target.file))[0]
        wanted = re.sub(r"[^A-Za-z0-9._-]+", "_", target.parts[-1] if target.parts else stem) or kind
        taken = self._taken.setdefault(kind, set())
        number = self._numbers[kind, wanted]  # many files may have one name
        name = wanted
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        self._numbers[kind, wanted] = number
        taken.add(name)
        return name


def _reference_to(parts: Parts) -> str:
    return "#" + pointer(*parts).replace("%", "%25")


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ContractError(f"{name} is not an object")
    return value
