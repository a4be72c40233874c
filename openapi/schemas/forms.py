"""The normal form of a schema: a union of forms of one type each, without references, allOf, anyOf and oneOf.

`oneOf` becomes a union of alternatives that exclude each other; `not` becomes an exclusion.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from openapi.schemas.conversion import ANNOTATIONS, MARKS, Node, Schema, component_of
from openapi.schemas.directions import LISTS

MOST_FORMS = 200
"""Limit on forms per schema; beyond it the comparison is undecided."""
MOST_OF_PREFIX = 200
"""Limit on the items with schemas of their own."""
TYPES = ("array", "boolean", "null", "number", "object", "string")
COUNTS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}
ABOUT = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern"),
    "array": ("minItems", "maxItems", "uniqueItems", "items", "prefixItems"),
    "object": ("minProperties", "maxProperties", "required", "properties", "additionalProperties"),
}
"""The keywords that apply only to values of one type."""
_UNDERSTOOD = {"type", "enum", "const", "format", "not", "$ref", "discriminator", *LISTS, *MARKS, *ANNOTATIONS}.union(
    *ABOUT.values()
)


CONTEXTS = {
    "contains": ("contains", "minContains", "maxContains"),
    "if": ("if", "then", "else"),
}
"""The keywords that apply together with one that is not compared; they have no effect without it."""
WHOLE = frozenset({"patternProperties", "unevaluatedItems", "unevaluatedProperties"})
"""Keywords that are not compared and whose effect depends on every keyword beside them."""
_WITHOUT_EFFECT = {name for names in CONTEXTS.values() for name in names[1:]}

UNIONS = {"anyOf", "oneOf"}
_KINDS: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    Decimal: "number",
    str: "string",
    list: "array",
    dict: "object",
}
_FEW: dict[str, list[Any]] = {"null": [None], "boolean": [False, True]}


class TooMuchError(Exception):
    """The comparison exceeds its limits."""


class EndlessError(TooMuchError):
    """A schema refers to itself for the same value, so that no limit is high enough."""


class Bound(NamedTuple):
    """A bound of a range of numbers; with `is_excluded` the bound itself is out of the range."""

    value: Fraction | float
    is_excluded: bool


@dataclass(frozen=True, eq=False)
class Form:
    """The values of type `kind` that satisfy every one of `schemas` and none of `excluded`.

    `kind` is array, boolean, null, number, object or string. The keywords $ref, allOf, anyOf, oneOf and not of the
    schemas have no effect here: their content is already in `schemas` and `excluded`.
    """

    kind: str
    schemas: tuple[dict[str, Any], ...]
    excluded: tuple[Schema, ...]
    reference: str | None = None
    """The reference to the component that is this alternative of a union; None if none is one."""

    @cached_property
    def node(self) -> Node:
        """The form as a schema."""
        return Node(({"type": self.kind}, *self.schemas, *({"not": schema} for schema in self.excluded)))

    @cached_property
    def is_integer(self) -> bool:
        """True if a number must be an integer."""
        return any("integer" in named and "number" not in named for named in map(_types, self.schemas))

    @cached_property
    def listed(self) -> list[Any] | None:
        """The values that a schema lists, although the others may refuse some; None if absent."""
        listings = (listed for schema in self.schemas if (listed := _listed(schema)) is not None)
        return next(listings, _FEW.get(self.kind))

    @property
    def is_whole(self) -> bool:
        """True if it accepts null, or both truth values, without a condition."""
        return self.kind in _FEW and self.lister is None and not self.excluded and not self.beyond

    def may_be(self, value: Any) -> bool:
        """True if `value` is of this type, or if that is not easily seen."""
        return _KINDS.get(type(value), self.kind) == self.kind

    def all_of(self, key: str) -> list[Any]:
        """The values of `key` in the schemas."""
        return [schema[key] for schema in self.schemas if key in schema]

    def owner(self, key: str, value: Any = None) -> dict[str, Any] | None:
        """The schema with `key`; among several the last that has or lists `value` there, else the last."""
        owners = [schema for schema in self.schemas if key in schema]
        exact_owners = [
            schema
            for schema in owners
            if schema[key] == value or (isinstance(schema[key], list) and value in schema[key])
        ]
        return next(reversed(exact_owners or owners), None)

    @property
    def lister(self) -> dict[str, Any] | None:
        """The schema that lists the values, or has the only one."""
        return self.owner("enum") or self.owner("const")

    @property
    def type(self) -> str:
        """The type by its name in a schema."""
        return "integer" if self.kind == "number" and self.is_integer else self.kind

    @property
    def is_open(self) -> bool:
        """True if an object may have any other property."""
        return all(schema in (True, {}) for schema in self.others.schemas)

    @property
    def is_closed(self) -> bool:
        """True if an object may have no other property."""
        return any(schema is False for schema in self.others.schemas)

    @property
    def summary(self) -> str:
        """An alternative in words: the name of its component, or else its properties, or else its type."""
        if self.reference:
            return component_of(self.reference)
        words = [
            f"{role} {', '.join(sorted(names))}"
            for role, names in (("required:", self.required), ("optional:", self.names - self.required))
            if names
        ]
        return f"{self.type} ({'; '.join(words)})" if self.names else self.type

    def lowest_count(self, key: str) -> float:
        """The lowest count; for an object at least the number of its required properties."""
        return float(max([*self.all_of(key), len(self.required) if key == "minProperties" else 0]))

    def highest_count(self, key: str) -> float:
        """The highest count; for a closed object at most the number of its properties."""
        closed = [len(self.names)] if key == "maxProperties" and False in self.others.schemas else []
        if key == "maxItems":
            closed = self.ends
        return float(min([*self.all_of(key), *closed], default=math.inf))

    @cached_property
    def ends(self) -> list[int]:
        """The most items of an array: no value satisfies the schema of the next one; empty if unlimited."""
        nodes = [*map(self.item, range(self.prefix)), self.items]
        return [index for index, node in enumerate(nodes) if False in node.schemas][:1]

    @cached_property
    def lowest(self) -> Bound:
        """The lower bound of a number."""
        bounds = [Bound(exact(bound), False) for bound in self.all_of("minimum")]
        bounds += [Bound(exact(bound), True) for bound in self.all_of("exclusiveMinimum")]
        low = max(bounds, default=Bound(-math.inf, False))
        if self.is_integer and isinstance(low.value, Fraction):
            return Bound(Fraction(math.floor(low.value) + 1 if low.is_excluded else math.ceil(low.value)), False)
        return low

    @cached_property
    def highest(self) -> Bound:
        """The upper bound of a number."""
        bounds = [Bound(exact(bound), False) for bound in self.all_of("maximum")]
        bounds += [Bound(exact(bound), True) for bound in self.all_of("exclusiveMaximum")]
        high = min(bounds, default=Bound(math.inf, False), key=lambda bound: (bound.value, not bound.is_excluded))
        if self.is_integer and isinstance(high.value, Fraction):
            return Bound(Fraction(math.ceil(high.value) - 1 if high.is_excluded else math.floor(high.value)), False)
        return high

    @cached_property
    def divisors(self) -> list[Fraction]:
        """The numbers that a number must be a multiple of."""
        return [exact(divisor) for divisor in self.all_of("multipleOf") if divisor] + [Fraction(1)] * self.is_integer

    @cached_property
    def formats(self) -> set[str]:
        """The formats of a string or number."""
        return {name for name in self.all_of("format") if isinstance(name, str)}

    @cached_property
    def required(self) -> set[str]:
        """The names of required properties."""
        return {name for names in self.all_of("required") if isinstance(names, list) for name in names}

    @cached_property
    def names(self) -> set[str]:
        """The names of declared properties."""
        return {name for properties in self.all_of("properties") for name in properties}

    def property(self, name: str) -> Node:
        """The schemas of the property `name`."""
        return Node(tuple(schema.get("properties", {}).get(name, _others(schema)) for schema in self.schemas))

    @cached_property
    def choices(self) -> dict[str, list[Any]]:
        """The values that the declaration of a property lists, by its name; of several lists the shortest."""
        choices: dict[str, list[Any]] = {}
        for properties in self.all_of("properties"):
            for name, inner in properties.items():
                listed = _listed(inner)
                if listed is not None and (name not in choices or len(listed) < len(choices[name])):
                    choices[name] = listed
        return choices

    @cached_property
    def others(self) -> Node:
        """The schemas of undeclared properties."""
        return Node(tuple(map(_others, self.schemas)))

    @cached_property
    def items(self) -> Node:
        """The schemas of each item beyond the prefix."""
        return Node(tuple(schema.get("items", True) for schema in self.schemas))

    @cached_property
    def prefix(self) -> int:
        """The number of items with schemas of their own."""
        return max(map(len, self.all_of("prefixItems")), default=0)

    def item(self, index: int) -> Node:
        """The schemas of the item at `index`."""
        prefixes = [schema.get("prefixItems", ()) for schema in self.schemas]
        return Node(
            tuple(
                prefix[index] if index < len(prefix) else schema.get("items", True)
                for prefix, schema in zip(prefixes, self.schemas, strict=True)
            )
        )

    @cached_property
    def beyond(self) -> dict[str, Any]:
        """The keywords that this package does not understand, with their values."""
        return {key: schema[key] for schema in self.schemas for key in beyond(schema)}

    def is_evidently_empty(self) -> bool:
        """True if the bounds of this form alone show that no value satisfies it."""
        if self.kind == "number":
            low, high = self.lowest, self.highest
            return low.value > high.value or (low.value == high.value and (low.is_excluded or high.is_excluded))
        if self.kind not in COUNTS:
            return False
        low_key, high_key = COUNTS[self.kind]
        if self.lowest_count(low_key) > self.highest_count(high_key):
            return True
        return self.kind == "object" and any(False in self.property(name).schemas for name in self.required)


@dataclass(frozen=True, slots=True)
class _Part:
    """One alternative: the schemas still to resolve, each with the references on the way to it, and the results."""

    waiting: tuple[tuple[Schema, frozenset[str]], ...]
    plain: tuple[dict[str, Any], ...] = ()
    excluded: tuple[Schema, ...] = ()
    reference: str | None = None
    """The last alternative that was a reference."""


def forms(
    node: Node, target: Callable[[str], Schema], spend: Callable[[], None], limit: int = MOST_FORMS
) -> list[Form]:
    """`node` as a union of forms; `target` returns the schema of a reference, `spend` is called for each step.

    Raises TooMuchError beyond `limit`, and EndlessError if a schema refers to itself for the same value.
    """
    union: list[Form] = []
    parts = [_Part(tuple((schema, frozenset()) for schema in node.schemas))]
    while parts:
        spend()  # impossible alternatives yield no forms, and their number is unlimited
        part = parts.pop()
        if part.waiting:
            parts += _resolved(part, target)
        else:
            kinds = [set(TYPES), *({_kind(name) for name in _types(schema)} for schema in part.plain)]
            union += [
                Form(kind, part.plain, part.excluded, part.reference) for kind in sorted(set.intersection(*kinds))
            ]
        if len(parts) + len(union) > limit:
            raise TooMuchError
    return union


def beyond(schema: dict[str, Any]) -> list[str]:
    """The keywords of `schema` that are not compared, apart from those that only apply together with another one."""
    return [key for key in schema if key not in _UNDERSTOOD and key not in _WITHOUT_EFFECT]


def exact(number: Any) -> Fraction:
    """The exact decimal value of `number`: 0.1 is a tenth."""
    return Fraction(str(number))


def _resolved(part: _Part, target: Callable[[str], Schema]) -> list[_Part]:
    """`part` with its first schema resolved: one part for each alternative, in reverse order."""
    (schema, inside), *rest = part.waiting
    if isinstance(schema, bool):
        return [replace(part, waiting=tuple(rest))] if schema else []
    if len(schema.get("prefixItems", ())) > MOST_OF_PREFIX:
        raise TooMuchError
    if "$ref" in schema:
        reference = schema["$ref"]
        if reference in inside:
            raise EndlessError
        return [replace(part, waiting=((target(reference), inside | {reference}), *rest))]
    excluded = (*part.excluded, schema["not"]) if "not" in schema else part.excluded
    return [
        _Part(
            (*((inner, inside) for inner in chosen), *rest),
            (*part.plain, schema),
            (*excluded, *others),
            _reference(chosen[-1]) if schema.keys() & UNIONS else part.reference,
        )
        for chosen, others in reversed(_alternatives(schema))
    ]


def _listed(schema: Schema) -> list[Any] | None:
    """The values that `schema` lists; None if it lists none."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if isinstance(schema.get("enum"), list) else None


def _reference(schema: Schema) -> str | None:
    return schema.get("$ref") if isinstance(schema, dict) else None


def _alternatives(schema: dict[str, Any]) -> list[tuple[list[Schema], list[Schema]]]:
    """The alternatives of `schema`, besides its own keywords: for each the satisfied and the unsatisfied schemas."""
    demanded = schema.get("allOf", [])
    some = [[branch] for branch in schema["anyOf"]] if "anyOf" in schema else [[]]
    if "oneOf" not in schema:
        return [([*demanded, *chosen], []) for chosen in some]
    return [
        ([*demanded, *chosen, branch], schema["oneOf"][:index] + schema["oneOf"][index + 1 :])
        for chosen in some
        for index, branch in enumerate(schema["oneOf"])
    ]


def _others(schema: dict[str, Any]) -> Schema:
    """The schema of undeclared properties; any is possible if its name may match a pattern."""
    return True if schema.get("patternProperties") else schema.get("additionalProperties", True)


def _types(schema: dict[str, Any]) -> set[str]:
    named = schema.get("type", [*TYPES, "integer"])
    return {named} if isinstance(named, str) else {name for name in named if isinstance(name, str)}


def _kind(name: str) -> str:
    return "number" if name == "integer" else name
