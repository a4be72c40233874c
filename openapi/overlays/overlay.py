"""An overlay, read and checked: OpenAPI Overlay Specification 1.0.0 and 1.0.1."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openapi.contract import ContractError
from openapi.sources.text import Position, SourceText

LARGEST = 1024 * 1024
"""Limit on the bytes of an overlay."""
MOST_ACTIONS = 1_000
_VERSION = re.compile(r"1\.0\.[0-9]{1,4}")
_MEMBERS = {"overlay", "info", "extends", "actions"}
_OF_ACTIONS = {"target", "description", "update", "remove"}
OPTIONAL = "x-optional"
"""Our extension of an action: true if its target may select nothing."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action; its index begins at 0. It removes what its target selects, or else merges `update` into it."""

    index: int
    position: Position
    target: str
    update: Any = field(repr=False)
    is_removal: bool
    is_optional: bool

    def fault(self, reason: str) -> ContractError:
        """The error that the action cannot be applied, with its place."""
        return ContractError(f"{self.position}: action {self.index} ({self.target[:100]}): {reason}")


@dataclass(frozen=True, slots=True)
class Overlay:
    """A list of actions; `extends` is a reference (RFC 3986) to the document that it was written for, empty if absent.

    `position` is the place of `extends`.
    """

    actions: tuple[Action, ...]
    extends: str
    position: Position

    @classmethod
    def of_file(cls, path: Path) -> "Overlay":
        """The overlay in the file at `path`; ContractError if it is not one, OSError if the file cannot be read."""
        with path.open("rb") as file:
            return cls.read(str(path), file.read(LARGEST + 1))

    @classmethod
    def read(cls, name: str, content: bytes) -> "Overlay":
        """The overlay in `content`, YAML or JSON of the file `name`; ContractError, with its line, if it is not one."""
        if len(content) > LARGEST:
            raise ContractError(f"{name}: the overlay is larger than {LARGEST} bytes")
        source = SourceText.read(name, content)
        count = len(source.value["actions"]) if _has_actions(source.value) else 0
        places = [(), ("overlay",), ("extends",), *(("actions", str(index)) for index in range(count))]
        positions = source.positions(places)
        for parts, reason in _faults(source.value):
            raise ContractError(f"{positions[parts]}: {reason}")
        actions = tuple(
            _action(index, action, positions["actions", str(index)])
            for index, action in enumerate(source.value["actions"])
        )
        return cls(actions, source.value.get("extends", ""), positions["extends",])


def _action(index: int, action: dict[str, Any], position: Position) -> Action:
    is_removal, is_optional = action.get("remove", False), action.get(OPTIONAL, False)
    return Action(index, position, action["target"], action.get("update"), is_removal, is_optional)


def _has_actions(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("actions"), list) and len(value["actions"]) <= MOST_ACTIONS


def _faults(value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """What keeps `value` from being an overlay, with the places."""
    if not isinstance(value, dict) or "overlay" not in value:
        yield (), "it is not an overlay: it has no member 'overlay'"
    elif not isinstance(value["overlay"], str) or not _VERSION.fullmatch(value["overlay"]):
        yield ("overlay",), f"overlay is {str(value['overlay'])[:20]!r}, and only 1.0.0 and 1.0.1 are supported"
    else:
        yield from _faults_of_members(value)


def _faults_of_members(value: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    info = value.get("info")
    if not isinstance(info, dict) or not all(isinstance(info.get(name), str) for name in ("title", "version")):
        yield (), "info must be an object with the texts title and version"
    if not isinstance(value.get("extends", ""), str):
        yield ("extends",), "extends must be a text"
    if unknown := _unknown(value, _MEMBERS):
        yield (), f"unknown member {unknown!r}"
    if not _has_actions(value) or not value["actions"]:
        yield (), f"actions must be a list of 1 to {MOST_ACTIONS:,} actions"
        return
    for index, action in enumerate(value["actions"]):
        if reason := _fault_of_action(action):
            yield ("actions", str(index)), f"action {index}: {reason}"


def _fault_of_action(action: Any) -> str:
    """What is wrong with `action`; empty if nothing is. A typing error in a name would otherwise go unseen."""
    if not isinstance(action, dict) or not isinstance(action.get("target"), str):
        return "it must be an object with the text target"
    if unknown := _unknown(action, _OF_ACTIONS):
        return f"unknown member {unknown!r}"
    if not all(isinstance(action.get(name, False), bool) for name in ("remove", OPTIONAL)):
        return f"remove and {OPTIONAL} must be true or false"
    if ("update" in action) == action.get("remove", False):
        return "it must have either update, or remove: true"
    return ""


def _unknown(value: dict[str, Any], names: set[str]) -> str:
    """The first name in `value` that is neither in `names` nor of an extension; empty if there is none."""
    return next((name[:100] for name in value if name not in names and not name.startswith("x-")), "")
