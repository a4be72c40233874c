"""In what a new schema for `metadata` may refuse what the old one accepted.

Both are brought to the same form: a union of *forms*, each of one type, with bounds. The old schema is within the new
one if each form of the old is within one of the new. That is enough and not necessary, so that what cannot be shown is
reported too. Values that a schema lists are simply tried on the new one.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import jsonschema_rs

from openapi.metadata_keywords import ANNOTATIONS, types_of
from openapi.metadata_schema import validator
from openapi.rfc7493 import pointer

_ALTERNATIVES = 64  # forms of one schema, beyond which nothing is shown
_COMPARISONS = 2000  # of schemas in one run, beyond which nothing is shown
_UNSHOWN = "it cannot be shown that it accepts all that it did"

Parts = tuple[str | int, ...]
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a new schema may refuse that the old one accepted, and where in the new one (RFC 6901)."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class _Node:
    """What satisfies every one of `schemas`; `parts` is the place, `name` how a message calls what stands there."""

    schemas: tuple[Any, ...]
    parts: Parts = ()
    name: str = "metadata"

    @property
    def key(self) -> Key:
        """What the schemas are known by while somebody holds them."""
        return tuple(map(id, self.schemas))


class _TooMuch(Exception):
    """There is more to compare than is compared."""


def narrowings(old: dict[str, Any], new: dict[str, Any]) -> list[Narrowing]:
    """In what `new` may refuse what `old` accepts; empty only if it accepts all of it.

    In both `metadata_schema.check` finds no fault.
    """
    try:
        return list(dict.fromkeys(_Comparison().within(_Node((old,)), _Node((new,)))))
    except _TooMuch:
        return [Narrowing("", f"metadata: {_UNSHOWN}; it has too many alternatives")]


class _Comparison:
    """One run, which makes a bounded number of comparisons. What it has made of a schema is kept for the next one."""

    def __init__(self) -> None:
        self._left = _COMPARISONS
        self._texts: dict[int, str] = {}  # by `id`: whoever began the run holds the schemas
        self._unions: dict[Key, list[_Merged]] = {}
        self._validators: dict[Key, jsonschema_rs.Draft202012Validator] = {}

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _TooMuch

    def within(self, old: _Node, new: _Node) -> list[Narrowing]:
        """In what `new` may refuse what `old` accepts."""
        self._spend()
        if self._canonical(old) == self._canonical(new):
            return []
        found: list[Narrowing] = []
        forms = [(kind, merged) for merged in self._merged(new) for kind in merged.kinds]
        for merged in self._merged(old):
            values = merged.values
            if values is not None:
                found += self._refused_values(values, new)
                continue
            for kind in merged.kinds:
                if kind in ("null", "boolean"):
                    found += self._refused_values(merged.accepted([None] if kind == "null" else [False, True]), new)
                elif not self._is_empty(kind, merged):
                    same = [form for other, form in forms if other == kind and not form.listed]
                    found += self._form_within(kind, merged, same, new)
        return found

    def _form_within(self, kind: str, old: "_Merged", candidates: list["_Merged"], new: _Node) -> list[Narrowing]:
        if not candidates:
            place = pointer(*new.parts)
            return [Narrowing(place, f"{new.name} may have been any {kind} of some form, and no longer may")]
        for candidate in candidates:
            self._spend()
            faults = [*_bounds_within(kind, old, candidate, new), *self._inner_within(kind, old, candidate, new)]
            if not faults:
                return []
        if len(candidates) == 1:
            return faults
        return [Narrowing(pointer(*new.parts), f"{new.name}, where it is of type {kind}: {_UNSHOWN}")]

    def _inner_within(self, kind: str, old: "_Merged", new: "_Merged", node: _Node) -> Iterator[Narrowing]:
        if kind == "array" and old.high("maxItems") > 0:
            inner = _Node(new.items(), (*node.parts, "items"), f"an item of {node.name}")
            yield from self.within(_Node(old.items()), inner)
        if kind == "object":
            for name in sorted({*old.names(), *new.names()}):
                place = ("properties", name) if name in new.names() else ("additionalProperties",)
                inner = _Node(new.field(name), (*node.parts, *place), f"{node.name}/{name}")
                yield from self.within(_Node(old.field(name)), inner)
            others = _Node(new.others(), (*node.parts, "additionalProperties"), f"a further field of {node.name}")
            yield from self.within(_Node(old.others()), others)

    def _is_empty(self, kind: str, merged: "_Merged") -> bool:
        """Whether nothing is of this form, as far as is easily seen."""
        self._spend()
        if kind == "number":
            (low, excludes_low), (high, excludes_high) = merged.lowest(), merged.highest()
            return low > high or (low == high and (excludes_low or excludes_high))
        low_key, high_key = _COUNTS[kind]
        if merged.low(low_key) > merged.high(high_key):
            return True
        return kind == "object" and any(self._accepts_nothing(_Node(merged.field(name))) for name in merged.required())

    def _accepts_nothing(self, node: _Node) -> bool:
        for merged in self._merged(node):
            values = merged.values
            if values is not None:
                if values:
                    return False
            elif any(kind in ("null", "boolean") or not self._is_empty(kind, merged) for kind in merged.kinds):
                return False
        return True

    def _canonical(self, node: _Node) -> set[str]:
        return {self._text(schema) for schema in node.schemas}

    def _text(self, schema: Any) -> str:
        if id(schema) not in self._texts:
            self._texts[id(schema)] = _text(_ordered(schema))
        return self._texts[id(schema)]

    def _merged(self, node: _Node) -> "list[_Merged]":
        key = node.key
        if key not in self._unions:
            self._unions[key] = _merged(node)
        return self._unions[key]

    def _refused_values(self, values: list[Any], new: _Node) -> Iterator[Narrowing]:
        key = new.key
        if key not in self._validators:
            self._validators[key] = validator({"allOf": [True, *new.schemas]})
        for value in values:
            if not self._validators[key].is_valid(value):
                shown = json.dumps(value, ensure_ascii=False)[:60]
                yield Narrowing(pointer(*new.parts), f"{new.name} may no longer be {shown}")


_COUNTS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


@dataclass(frozen=True)
class _Merged:
    """What satisfies every one of `schemas`, none of which has anyOf, allOf or is true or false."""

    schemas: tuple[dict[str, Any], ...]

    @cached_property
    def kinds(self) -> list[str]:
        """The types that each schema allows; integer is number with `is_integer`."""
        allowed = [{"number" if kind == "integer" else kind for kind in types_of(schema)} for schema in self.schemas]
        return sorted({"array", "boolean", "null", "number", "object", "string"}.intersection(*allowed))

    @property
    def is_integer(self) -> bool:
        """Whether a number must be an integer."""
        named = (types_of(schema) for schema in self.schemas)
        return any("integer" in types and "number" not in types for types in named)

    @property
    def listed(self) -> bool:
        """Whether the values are listed."""
        return any("enum" in schema or "const" in schema for schema in self.schemas)

    @cached_property
    def values(self) -> list[Any] | None:
        """The values that are accepted if they are listed."""
        for schema in self.schemas:
            if "const" in schema:
                return self.accepted([schema["const"]])
            if "enum" in schema:
                return self.accepted(schema["enum"])
        return None

    def accepted(self, values: list[Any]) -> list[Any]:
        """Those of `values` that satisfy every schema."""
        accepts = validator({"allOf": [True, *self.schemas]})
        return [value for value in values if accepts.is_valid(value)]

    def all_of(self, key: str) -> list[Any]:
        """What the schemas have for `key`."""
        return [schema[key] for schema in self.schemas if key in schema]

    def low(self, key: str) -> float:
        """The least count, an object's at least that of its required fields."""
        required = len(self.required()) if key == "minProperties" else 0
        return float(max([*self.all_of(key), required]))

    def high(self, key: str) -> float:
        """The greatest count, that of a closed object at most that of its fields."""
        closed = [len(self.names())] if key == "maxProperties" and False in self.others() else []
        return float(min([*self.all_of(key), *closed], default=math.inf))

    def lowest(self) -> tuple[Any, bool]:
        """The lower bound of a number, and whether it is itself excluded."""
        bounds = [(_exact(bound), False) for bound in self.all_of("minimum")]
        bounds += [(_exact(bound), True) for bound in self.all_of("exclusiveMinimum")]
        low, excluded = max(bounds, default=(-math.inf, False))
        if self.is_integer and isinstance(low, Fraction):
            return Fraction(math.floor(low) + 1 if excluded else math.ceil(low)), False
        return low, excluded

    def highest(self) -> tuple[Any, bool]:
        """The upper bound of a number, and whether it is itself excluded."""
        bounds = [(_exact(bound), 0) for bound in self.all_of("maximum")]
        bounds += [(_exact(bound), -1) for bound in self.all_of("exclusiveMaximum")]
        high, excluded = min(bounds, default=(math.inf, 0))
        if self.is_integer and isinstance(high, Fraction):
            return Fraction(math.ceil(high) - 1 if excluded else math.floor(high)), False
        return high, bool(excluded)

    def divisors(self) -> list[Fraction]:
        """What a number must be a multiple of."""
        return [_exact(divisor) for divisor in self.all_of("multipleOf")] + [Fraction(1)] * self.is_integer

    def required(self) -> set[str]:
        """The fields that must be there."""
        return {name for names in self.all_of("required") for name in names}

    def names(self) -> set[str]:
        """The fields that are named."""
        return {name for properties in self.all_of("properties") for name in properties}

    def field(self, name: str) -> tuple[Any, ...]:
        """What the field `name` must satisfy."""
        return tuple(
            schema.get("properties", {}).get(name, schema.get("additionalProperties", True)) for schema in self.schemas
        )

    def others(self) -> tuple[Any, ...]:
        """What the fields that are not named must satisfy."""
        return tuple(schema.get("additionalProperties", True) for schema in self.schemas)

    def items(self) -> tuple[Any, ...]:
        """What each item must satisfy."""
        return tuple(schema.get("items", True) for schema in self.schemas)


def _merged(node: _Node) -> list[_Merged]:
    """The union that `node` is, its anyOf multiplied out."""
    done: list[tuple[dict[str, Any], ...]] = []
    waiting: list[tuple[tuple[Any, ...], tuple[dict[str, Any], ...]]] = [(node.schemas, ())]
    while waiting:
        schemas, plain = waiting.pop()
        if not schemas:
            done.append(plain)
            if len(done) + len(waiting) > _ALTERNATIVES:
                raise _TooMuch
            continue
        first, rest = schemas[0], schemas[1:]
        if first is False:
            continue
        if first is True:
            waiting.append((rest, plain))
            continue
        own = {key: value for key, value in first.items() if key not in ("anyOf", "allOf", *ANNOTATIONS)}
        joined = (*first.get("allOf", []), *rest)
        branches = first.get("anyOf", [True])
        waiting += [((branch, *joined), (*plain, own) if own else plain) for branch in reversed(branches)]
        if len(waiting) > _ALTERNATIVES:
            raise _TooMuch
    return [_Merged(plain) for plain in done]


def _bounds_within(kind: str, old: _Merged, new: _Merged, node: _Node) -> Iterator[Narrowing]:
    def narrowed(key: str, message: str) -> Narrowing:
        place = (*node.parts, key) if new.all_of(key) else node.parts
        return Narrowing(pointer(*place), f"{node.name} {message}")

    if kind == "number":
        yield from (narrowed(key, message) for key, message in _number_bounds(old, new))
        return
    low, high = _COUNTS[kind]
    least, most = max(new.all_of(low), default=0), min(new.all_of(high), default=math.inf)
    if least > old.low(low):
        yield narrowed(low, f"must have {low} {least}; it was {old.low(low):g}")
    if most < old.high(high):
        yield narrowed(high, f"must have {high} {most}; it was {old.high(high):g}")
    if any(new.all_of("uniqueItems")) and not any(old.all_of("uniqueItems")) and kind == "array" and old.high(high) > 1:
        yield narrowed("uniqueItems", "may no longer have an item twice")
    for key in ("pattern", "format") if kind == "string" else ():
        for added in sorted({*new.all_of(key)} - {*old.all_of(key)}):
            yield narrowed(key, f"must satisfy the {key} {added[:60]}, which it did not have to")
    for name in sorted(new.required() - old.required()) if kind == "object" else ():
        yield narrowed("required", f"must have the field {name}, which could be left out")


def _number_bounds(old: _Merged, new: _Merged) -> Iterator[tuple[str, str]]:
    (low, excludes), (was, excluded) = new.lowest(), old.lowest()
    if (low, excludes) > (was, excluded):
        yield "exclusiveMinimum" if excludes else "minimum", "has a higher lower bound than it had"
    (high, excludes), (was, excluded) = new.highest(), old.highest()
    if (high, not excludes) < (was, not excluded):
        yield "exclusiveMaximum" if excludes else "maximum", "has a lower upper bound than it had"
    for divisor in new.divisors():
        if not any((had / divisor).denominator == 1 for had in old.divisors()):
            key = "type" if new.is_integer and divisor == 1 else "multipleOf"
            yield key, f"must be a multiple of {divisor}, which it did not have to"


def _exact(number: float) -> Fraction:
    return Fraction(Decimal(repr(number)))


def _ordered(schema: Any) -> Any:
    """`schema` without annotations, with what is without order in one order."""
    if isinstance(schema, bool):
        return schema
    ordered = {key: value for key, value in schema.items() if key not in ANNOTATIONS}
    for key in ("allOf", "anyOf"):
        if key in ordered:
            ordered[key] = sorted((_ordered(branch) for branch in ordered[key]), key=_text)
    for key in ("enum", "required", "type"):
        if isinstance(ordered.get(key), list):
            ordered[key] = sorted(ordered[key], key=_text)
    for key in ("items", "additionalProperties"):
        if key in ordered:
            ordered[key] = _ordered(ordered[key])
    if "properties" in ordered:
        ordered["properties"] = {name: _ordered(inner) for name, inner in ordered["properties"].items()}
    return ordered


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
