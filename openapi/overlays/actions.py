"""The actions of an overlay, applied to a document in their order."""

import copy
import json
from collections.abc import Iterable
from typing import Any

from openapi.contract import MAX_BYTES
from openapi.overlays.overlay import OPTIONAL, Action
from openapi.overlays.targets import Place, TargetError, places
from openapi.standards.json_pointer import pointer


def apply(document: dict[str, Any], actions: Iterable[Action]) -> None:
    """Change `document` by each of `actions`, which sees the result of those before it.

    ContractError, with the place of the action, if one cannot be applied; the document is then of no use.
    """
    added = 0
    for action in actions:
        selected = _selected(document, action)
        if action.is_removal:
            _remove(document, selected, action)
            continue
        added += len(json.dumps(action.update)) * len(selected)
        if added > MAX_BYTES:
            raise action.fault(f"the updates add more than {MAX_BYTES} bytes")
        for place in selected:
            _update(_at(document, place), place, action)


def _selected(document: dict[str, Any], action: Action) -> list[Place]:
    try:
        selected = places(action.target, document)
    except TargetError as error:
        raise action.fault(str(error)) from None
    if not selected and not action.is_optional:
        raise action.fault(f"its target selects nothing; if that may be, give the action '{OPTIONAL}: true'")
    return selected


def _remove(document: dict[str, Any], selected: list[Place], action: Action) -> None:
    """Remove what is at `selected`; the last items of a list go first, because each removal moves those after it."""
    if () in selected:
        raise action.fault("the whole document cannot be removed")
    removed = [(_at(document, place[:-1]), place[-1]) for place in selected]
    for container, name in sorted(removed, key=lambda one: isinstance(one[1], int) and one[1], reverse=True):
        del container[name]


def _update(node: Any, place: Place, action: Action) -> None:
    """Merge the update into `node`, an object, or append it to `node`, an array."""
    if isinstance(node, list):
        node.append(copy.deepcopy(action.update))
    elif not isinstance(node, dict):
        raise action.fault(f"{_name(place)} is {_kind(node)}: let the target select the object around it")
    elif not isinstance(action.update, dict):
        raise action.fault(f"{_name(place)} is an object, and the update is {_kind(action.update)}")
    else:
        _merge(node, action.update, place, action)


def _merge(node: dict[str, Any], update: dict[str, Any], place: Place, action: Action) -> None:
    """Objects are merged, arrays joined, and other values replaced; anything else has no meaning (Overlay 1.0.1)."""
    for name, value in update.items():
        old = node.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            _merge(old, value, (*place, name), action)
        elif isinstance(old, list) and isinstance(value, list):
            old.extend(copy.deepcopy(value))
        elif name in node and (isinstance(old, dict | list) or isinstance(value, dict | list)):
            kinds = f"is {_kind(old)}, and its update {_kind(value)}"
            raise action.fault(f"{_name((*place, name))} {kinds}: remove it first")
        else:
            node[name] = copy.deepcopy(value)


def _at(document: Any, place: Place) -> Any:
    node = document
    for part in place:
        node = node[part]
    return node


def _name(place: Place) -> str:
    return pointer(*place) or "the document"


def _kind(value: Any) -> str:
    """The type of `value` in words."""
    return {dict: "an object", list: "an array", str: "a text", bool: "true or false"}.get(
        type(value), "null" if value is None else "a number"
    )
