"""Random schemas with closed objects."""

import random
from typing import Any

from tests.openapi.diff.mutations import BOUNDS, KINDS, PATTERNS

NAMES = ("a", "b", "c")
ALTERNATIVES = ("anyOf", "anyOf", "oneOf", "allOf", "not")


def schema(dice: random.Random, levels: int = 3) -> dict[str, Any]:
    """A schema of at most `levels` levels, of a type or of alternatives."""
    if levels > 1 and dice.randrange(5) == 0:
        return _alternatives(dice, levels)
    kind = dice.choice(KINDS if levels > 1 else ("boolean", "integer", "number", "string"))
    result: dict[str, Any] = {"type": kind, **_bounds(dice, kind)}
    if kind == "array":
        result["items"] = schema(dice, levels - 1)
        result["uniqueItems"] = dice.randrange(3) == 0
    if kind == "object":
        result |= _properties(dice, levels)
    if kind == "string" and dice.randrange(3) == 0:
        result["pattern"] = dice.choice(PATTERNS)
    if dice.randrange(8) == 0:
        result["enum"] = _values(dice, kind)
    elif dice.randrange(5) == 0:
        result["nullable"] = True
    return result


def _alternatives(dice: random.Random, levels: int) -> dict[str, Any]:
    key = dice.choice(ALTERNATIVES)
    inner = [schema(dice, levels - 1) for _ in range(2)]
    return {"not": inner[1], "type": inner[0].get("type", "string")} if key == "not" else {key: inner}


def _bounds(dice: random.Random, kind: str) -> dict[str, Any]:
    bounds = {key: dice.choice((1, 2, 3)) for key in BOUNDS.get(kind, ()) if dice.randrange(4) == 0}
    for key in bounds.keys() & {"maxLength", "maxItems", "maxProperties", "maximum"}:
        bounds[key] += 2
    return bounds


def _properties(dice: random.Random, levels: int) -> dict[str, Any]:
    properties = {name: schema(dice, levels - 1) for name in NAMES if dice.randrange(3)}
    required = [name for name in properties if dice.randrange(3) == 0]
    closed = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**closed, "required": required} if required else closed


def _values(dice: random.Random, kind: str) -> list[Any]:
    """Values for an enum, mostly of type `kind`."""
    of: dict[str, list[Any]] = {
        "string": ["a", "b", "ab", "abc"],
        "integer": [0, 1, 2, 5],
        "number": [0.5, 1, 2, 3.5],
    }
    return dice.sample(of.get(kind, [True, [], {}, "a"]), 3)
