"""The direction of messages: what `readOnly` and `writeOnly` mean in requests, and in responses.

Requests do not have `readOnly` properties, nor responses `writeOnly` ones, so `required` has no effect on them there
(OpenAPI 3.0.3, Schema Object). One that is sent all the same is validated like any other.
"""

import hashlib
import json
from collections import deque
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Generic, TypeVar

from openapi.contract import ContractError, Document
from openapi.standards.json_pointer import member, parts_of

Parts = tuple[str, ...]
T = TypeVar("T", bound=Document)


class Direction(StrEnum):
    """The message that a schema describes."""

    REQUEST = "request"
    RESPONSE = "response"


MARKED = {Direction.REQUEST: "readOnly", Direction.RESPONSE: "writeOnly"}
"""The mark of the properties that a message does not have."""
LISTS = ("allOf", "anyOf", "oneOf")
MOST_JOINED = 300
"""Limit on the schemas that apply to one value: no mark is sought in others."""
MOST_STEPS = 200_000
"""Limit on the steps to such schemas in one document."""
MOST_VARIANTS = 1_000
_VARIANTS = "x-variants"
_NONE = frozenset[str]()


class Variants(Generic[T]):
    """A document for one direction: no schema requires a property that its messages do not have.

    The mark may stand in one schema of an `allOf` and the requirement in another. If that is behind a reference, the
    reference leads to a variant of its target.
    """

    def __init__(self, document: T, direction: Direction) -> None:
        self._source = document
        self._mark = MARKED[direction]
        self._made: dict[str, Any] = {}
        self._origins: dict[str, Parts] = {}
        self._waiting: list[tuple[str, dict[str, Any], frozenset[str]]] = []
        self._steps = 0
        self.document: T = self._rewritten() if _has(document.document, self._mark) else document
        """A document of the same type, in which every schema has the same place."""

    def origin(self, parts: Parts) -> Parts:
        """The place in the original document."""
        is_variant = parts[:2] == ("components", _VARIANTS) and len(parts) > 2 and parts[2] in self._origins
        return (*self._origins[parts[2]], *parts[3:]) if is_variant else parts

    def _rewritten(self) -> Any:
        document = self._node(self._source.document)
        while self._waiting:
            name, target, marked = self._waiting.pop()
            self._made[name] = self._node(target, marked)
        components = document.get("components", {})
        if self._made and isinstance(components, dict):
            document = {**document, "components": {**components, _VARIANTS: self._made}}
        return type(self._source)(self._source.text, document)

    def _node(self, node: Any, outer: frozenset[str] | None = None) -> Any:
        """`node` rewritten; `outer` has the marked names if it is one of several schemas that apply to a value."""
        if isinstance(node, list):
            return [self._node(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            return self._reference(node, outer or _NONE)
        marked = self._marked(node) if outer is None else outer
        rewritten = {}
        for key, value in node.items():
            if key in LISTS and isinstance(value, list):
                rewritten[key] = [self._node(inner, marked) for inner in value]
            elif key == "required" and isinstance(value, list):
                rewritten[key] = [name for name in value if not isinstance(name, str) or name not in marked]
            else:
                rewritten[key] = value if key == "enum" and isinstance(value, list) else self._node(value)
        if node.get("required") and rewritten["required"] == []:
            del rewritten["required"]  # OpenAPI 3.0 allows no empty list
        return rewritten

    def _reference(self, node: dict[str, Any], outer: frozenset[str]) -> dict[str, Any]:
        """`node`, or a reference to a variant of its target that requires no property in `outer`."""
        target, parts = self._target(node)
        marked = outer & _required(self._joined(target)) if outer else _NONE
        if target is None or marked <= self._marked(target):
            return node
        marked |= self._marked(target)
        name = hashlib.sha256(json.dumps([parts, sorted(marked)]).encode()).hexdigest()[:32]
        if name not in self._made:
            if len(self._made) == MOST_VARIANTS:
                return node
            self._made[name], self._origins[name] = {}, parts
            self._waiting.append((name, target, marked))
        return {"$ref": f"#/components/{_VARIANTS}/{name}"}

    def _target(self, node: dict[str, Any]) -> tuple[dict[str, Any] | None, Parts]:
        """The schema that `node` refers to, and its place; None if it leads nowhere."""
        try:
            parts: Parts = ()
            target, raw = self._source.resolve(node), node
            while isinstance(raw, dict) and isinstance(raw.get("$ref"), str):
                parts = parts_of(raw["$ref"])
                parent = self._source.at(parts[:-1])
                raw = member(parent, parts[-1])
        except (LookupError, TypeError, ValueError):
            return None, ()
        return (target, parts) if isinstance(target, dict) else (None, ())

    def _marked(self, schema: dict[str, Any]) -> frozenset[str]:
        """The names of the properties that `schema` marks, or another one that applies to the same value."""
        return frozenset(
            name
            for joined in self._joined(schema)
            if isinstance(properties := joined.get("properties"), dict)
            for name, inner in properties.items()
            if self._is_marked(inner)
        )

    def _is_marked(self, raw: Any) -> bool:
        schema = self._resolved(raw)
        return isinstance(schema, dict) and schema.get(self._mark) is True

    def _joined(self, schema: Any) -> Iterator[dict[str, Any]]:
        """`schema`, and those that apply to the same value; at most MOST_JOINED."""
        waiting, seen = deque([schema]), set[int]()
        while waiting and len(seen) < MOST_JOINED:
            joined = self._resolved(waiting.popleft())
            if isinstance(joined, dict) and id(joined) not in seen:
                seen.add(id(joined))
                yield joined
                inner = [each for key in LISTS if isinstance(joined.get(key), list) for each in joined[key]]
                self._steps += len(inner)
                waiting += inner if self._steps <= MOST_STEPS else ()

    def _resolved(self, raw: Any) -> Any:
        try:
            return self._source.resolve(raw)
        except ContractError:
            return None


def _has(document: Any, mark: str) -> bool:
    """True if a schema of `document` may have `mark`."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get(mark) is True:
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _required(schemas: Iterator[dict[str, Any]]) -> frozenset[str]:
    """The names that one of `schemas` requires."""
    return frozenset(
        name
        for schema in schemas
        if isinstance(required := schema.get("required"), list)
        for name in required
        if isinstance(name, str)
    )
