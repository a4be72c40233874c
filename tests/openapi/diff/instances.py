"""Random values of an OpenAPI 3.0 schema, at its bounds and between them.

Not all of them satisfy the schema: the caller validates them. An object gets no undeclared property under a name that
another version may declare.
"""

import math
import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from openapi.contract import Document
from openapi.schemas import patterns

DEEPEST = 6
"""Levels of objects and arrays; below them only required properties and items are generated."""
LONGEST = 12
"""Maximum items of an array, unless it must have more."""
KINDS = ("array", "boolean", "integer", "number", "object", "string")
FORMATS = {
    "date-time": ["2026-03-31T12:00:00Z", "1999-12-31T23:59:59.5+01:00"],
    "date": ["2026-03-31", "2000-02-29"],
    "uuid": ["5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11", "00000000-0000-0000-0000-000000000000"],
    "email": ["user@example.com"],
    "uri": ["https://example.com/"],
    "byte": ["YQ==", ""],
    "ipv4": ["192.0.2.1"],
}
FAR = {"int32": 2**31, "int64": 2**63}
_ONE_SIDED = {"minimum": ("exclusiveMinimum", 1), "maximum": ("exclusiveMaximum", -1)}

Part = Mapping[str, Any]


class Instances:
    """Generates values for schemas of `document` with `dice`."""

    def __init__(self, document: Document, dice: random.Random) -> None:
        self._document, self._dice = document, dice

    def of(self, schema: Any, levels: int = DEEPEST) -> Any:
        """A value that may satisfy `schema`, or None."""
        parts = list(self._parts(schema, DEEPEST))
        if any(part.get("nullable") is True for part in parts) and self._dice.randrange(4) == 0:
            return None
        listed = [part["enum"] for part in parts if part.get("enum")]
        if listed:
            return self._dice.choice(min(listed, key=len))
        return self._of_kind(self._kind(parts), parts, levels)

    def _of_kind(self, kind: str, parts: list[Part], levels: int) -> Any:
        match kind:
            case "array":
                return self._array(parts, levels - 1)
            case "object":
                return self._object(parts, levels - 1)
            case "string":
                return self._text(parts)
            case "boolean":
                return self._dice.randrange(2) == 1
            case _:
                return self._number(parts, kind == "integer")

    def _parts(self, schema: Any, references: int) -> Iterator[Part]:
        """The schemas that a value has to satisfy together: one of each list of alternatives."""
        if not isinstance(schema, dict):
            return
        if "$ref" in schema:
            if references:
                yield from self._parts(self._document.resolve(schema), references - 1)
            return
        yield schema
        for inner in schema.get("allOf", []):
            yield from self._parts(inner, references)
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                yield from self._parts(self._dice.choice(schema[key]), references)

    def _kind(self, parts: list[Part]) -> str:
        named = [part["type"] for part in parts if "type" in part]
        if "integer" in named:
            return "integer"
        if any("properties" in part or "required" in part for part in parts):
            named.append("object")
        return str(named[0] if named else self._dice.choice(KINDS))

    def _number(self, parts: list[Part], is_integer: bool) -> float:
        step = max((part["multipleOf"] for part in parts if "multipleOf" in part), default=1 if is_integer else 0.5)
        reach = max((FAR[part["format"]] for part in parts if part.get("format") in FAR), default=10**4)
        low, high = _end(parts, "minimum", max, step), _end(parts, "maximum", min, step)
        low = low if low is not None else min(-reach, high or 0)
        high = high if high is not None else max(reach - 1, low)
        between = low + (high - low) * self._dice.randrange(8) / 8
        point = self._dice.choice((low, low + step, high, high - step, between, between, 0, 1, step))
        number = math.floor(point / step) * step if step != 1 else math.floor(point)
        return int(number) if number == int(number) else number

    def _text(self, parts: list[Part]) -> str:
        formats = [FORMATS[part["format"]] for part in parts if part.get("format") in FORMATS]
        if formats:
            return self._dice.choice(formats[0])
        length = self._count(parts, "Length", 10**4)
        own = tuple(sorted({part["pattern"] for part in parts if "pattern" in part}))
        text = _matching(own, length) if own and self._dice.randrange(3) else None
        if text is None:
            start = "".join(self._dice.choice("abc1") for _ in range(min(length, 4)))
            text = start.ljust(length, "b")
        return text

    def _count(self, parts: list[Part], of: str, limit: int) -> int:
        """A number of characters, items or properties, up to `limit` unless the schemas require more."""
        lowest = max((part[f"min{of}"] for part in parts if f"min{of}" in part), default=0)
        maxima = [part[f"max{of}"] for part in parts if f"max{of}" in part]
        highest = min([*maxima, limit if maxima else lowest + 6])
        return int(self._dice.choice((lowest, lowest + 1, highest, self._dice.randint(lowest, max(lowest, highest)))))

    def _array(self, parts: list[Part], levels: int) -> list[Any]:
        inner = {"allOf": [part["items"] for part in parts if "items" in part]}
        length = self._count(parts, "Items", LONGEST) if levels > 0 else self._count(parts, "Items", 0)
        if not any(part.get("uniqueItems") for part in parts):
            repeated = [self.of(inner, levels) for _ in range(min(length, 2))]
            return (repeated * length)[:length]
        items: list[Any] = []
        for _ in range(3 * length):
            if len(items) < length and (value := self.of(inner, levels)) not in items:
                items.append(value)
        return items

    def _object(self, parts: list[Part], levels: int) -> dict[str, Any]:
        required = {name for part in parts for name in part.get("required", [])}
        declared = {name for part in parts for name in part.get("properties", {})}
        chance = self._dice.choice((0, 4, 7, 8)) if levels > 0 else 0
        names = [name for name in sorted(required | declared) if name in required or self._dice.randrange(8) < chance]
        names += self._others(parts) if chance else []
        count = len(names)
        if any("maxProperties" in part or "minProperties" in part for part in parts):
            count = max(self._count(parts, "Properties", LONGEST), len(required))
            names += [*sorted(declared), *(f"zz{index}" for index in range(count))]
        names = sorted(dict.fromkeys(names), key=lambda name: name not in required)[:count]
        return {name: self.of({"allOf": list(_within(parts, name))}, levels) for name in names}

    def _others(self, parts: list[Part]) -> list[str]:
        """Undeclared names, unless they are forbidden; with a schema for them, also a name that others may declare."""
        schemas = [part["additionalProperties"] for part in parts if "additionalProperties" in part]
        if False in schemas or self._dice.randrange(3):
            return []
        return ["zz0", "added"] if any(schemas) and True not in schemas else ["zz0"]


def _within(parts: list[Part], name: str) -> Iterator[Any]:
    for part in parts:
        yield part.get("properties", {}).get(name, part.get("additionalProperties", True))


def _end(parts: list[Part], key: str, choose: Any, step: float) -> Any:
    """The bound `key`, or the value next to it if it is excluded; None if absent."""
    excluding, sign = _ONE_SIDED[key]
    ends = [part[key] + sign * step * (part.get(excluding) is True) for part in parts if key in part]
    return choose(ends) if ends else None


@cache
def _matching(own: tuple[str, ...], length: int) -> str | None:
    """A text that matches `own`, of that length if possible; None if absent."""
    for minimum, maximum in ((length, length), (0, None)):
        try:
            text = patterns.example(own, (), minimum, maximum)
        except patterns.UndecidedError:
            return None
        if text is not None:
            return text
    return None
