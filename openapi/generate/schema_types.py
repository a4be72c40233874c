"""Reads the types of the schemas of a document.

What no type can say, such as a pattern or a limit, is left out. What would make a type wrong is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from openapi.contract import Document
from openapi.generate.identifiers import digits_of
from openapi.generate.names import pascal
from openapi.generate.outside_profile import OutsideProfile
from openapi.generate.types import (
    ANY,
    NULL,
    Declaration,
    Either,
    ListOf,
    MapOf,
    Named,
    ObjectType,
    OneOf,
    Property,
    Simple,
    Type,
    either,
)
from openapi.standards.json_pointer import parts_of, pointer

MAX_PARTS = 50_000
"""Limit on the types and properties of a document."""
MAX_DEPTH = 100
"""Limit on the nesting of its schemas."""

_SCHEMAS = ("components", "schemas")
_SCALARS: Mapping[str, Simple] = {
    "string": Simple("string"),
    "integer": Simple("integer"),
    "number": Simple("number"),
    "boolean": Simple("boolean"),
}
_OF_OTHERS = {"enum", "oneOf", "anyOf", "not", "items"}

Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Members:
    """The properties of an object, not yet required, the names of those that are, and the type of all others."""

    properties: dict[str, Property]
    required: set[str]
    others: Type | None


class SchemaTypes:
    """Reads one document. Each type has one name, however often it is referred to."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._declared: dict[Place, Declaration] = {}
        self._referred: dict[Place, str] = {}
        self._members_at: dict[Place, _Members] = {}
        self._names: set[str] = set()
        self._parts = 0

    def begin(self) -> None:
        """Declare every schema that has a name."""
        schemas = self._document.document.get("components", {}).get("schemas", {})
        self._names.update(schemas)
        for name in schemas:
            self._declare((*_SCHEMAS, name), name)

    def finish(self) -> list[Declaration]:
        """All types of the document."""
        while self._referred:
            self._declare(*self._referred.popitem())
        declared = list(self._declared.values())
        _require_progress(declared)
        return declared

    def declare_object(self, place: Place, name: str, content: ObjectType) -> None:
        """Declare an object that no schema describes."""
        self._declared[place] = Declaration(place, self._unused(name, place), "", content)

    def _declare(self, place: Place, name: str) -> None:
        """Declare the schema at `place`."""
        schema = self._at(place)
        is_object = _has_properties(schema) and schema.get("nullable") is not True
        self._declared[place] = reserved = Declaration(place, name, text_of(schema), ANY)  # before those within it
        content = self._object(place, schema, name, 0) if is_object else self.type_of(place, schema, f"{name}Value")
        self._declared[place] = replace(reserved, type=content)

    def _at(self, place: Place) -> Any:
        """The schema at `place`, itself perhaps a reference."""
        node = self._document.at(place[:-1])
        return node[int(place[-1])] if isinstance(node, list) else node[place[-1]]

    def _unused(self, name: str, place: Place) -> str:
        """`name`; if another type has it, with digits of the digest of its place, so that no number is an order."""
        chosen = name if name and name not in self._names else f"{name}_{digits_of(pointer(*place))}"
        self._names.add(chosen)
        return chosen

    def type_of(self, place: Place, schema: Any, name: str, depth: int = 0) -> Type:
        """The type of a schema; a nested object that has no name is declared under `name`."""
        self._parts += 1
        if self._parts > MAX_PARTS or depth > MAX_DEPTH:
            raise OutsideProfile(
                place, f"the document has more than {MAX_PARTS} types, or {MAX_DEPTH} within each other"
            )
        if not isinstance(schema, dict):
            raise OutsideProfile(place, "a schema is an object")
        if isinstance(reference := schema.get("$ref"), str):
            self._document.resolve(schema)
            return self._reference(parts_of(reference))
        inner = self._not_null(place, schema, name, depth)
        return either(inner, NULL) if schema.get("nullable") is True else inner

    def _reference(self, target: Place) -> Named:
        """The type of the schema at `target`; outside of the components it has no name yet, and is declared later."""
        if target[:-1] != _SCHEMAS and target not in self._declared and target not in self._referred:
            self._referred[target] = self._unused(pascal(target[-1]), target)
        return Named(target)

    def _not_null(self, place: Place, schema: dict[str, Any], name: str, depth: int) -> Type:
        if "enum" in schema:
            return _constants(place, schema["enum"])
        if len(schema.get("allOf", [])) == 1 and not _has_own_properties(schema):
            return self.type_of((*place, "allOf", "0"), schema["allOf"][0], name, depth + 1)
        if _has_properties(schema):
            own = self._unused(name, place)
            self._declared[place] = reserved = Declaration(place, own, text_of(schema), ANY)
            self._declared[place] = replace(reserved, type=self._object(place, schema, own, depth))
            return Named(place)
        for keyword in ("oneOf", "anyOf"):
            if options := schema.get(keyword):
                return either(
                    *[
                        self.type_of((*place, keyword, str(index)), option, name + _title(option, index), depth + 1)
                        for index, option in enumerate(options)
                    ]
                )
        return self._simple(place, schema, name, depth)

    def _simple(self, place: Place, schema: dict[str, Any], name: str, depth: int) -> Type:
        kind = schema.get("type")
        if kind is not None and not isinstance(kind, str):
            raise OutsideProfile((*place, "type"), "it is not one word")
        if kind == "array":
            return ListOf(self.type_of((*place, "items"), schema.get("items", {}), f"{name}Item", depth + 1))
        if kind == "object":
            return MapOf(self._others(place, schema, name, depth) or ANY)
        return _SCALARS.get(kind or "", ANY)

    def _object(self, place: Place, schema: dict[str, Any], name: str, depth: int) -> ObjectType:
        """The object that a schema with properties, or with parts that have some, describes."""
        members = self._members(place, schema, name, depth)
        unnamed = members.required - members.properties.keys()
        listed = [replace(each, is_required=each.name in members.required) for each in members.properties.values()]
        listed += [Property(each, members.others or ANY, True, "") for each in sorted(unnamed)]
        return ObjectType(tuple(listed), members.others)

    def _members(self, place: Place, schema: dict[str, Any], name: str, depth: int) -> _Members:
        """What an object and the parts of its allOf say; a part that is referred to often is read once."""
        if place in self._members_at:
            return self._members_at[place]
        if depth > MAX_DEPTH:
            raise OutsideProfile(place, f"there are more than {MAX_DEPTH} schemas within each other")
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                raise OutsideProfile((*place, keyword), "it stands beside properties")
        properties = {
            each: Property(
                each,
                self.type_of((*place, "properties", each), inner, name + pascal(each), depth + 1),
                False,
                text_of(self._document.resolve(inner)),
            )
            for each, inner in schema.get("properties", {}).items()
        }
        members = _Members(properties, {*schema.get("required", [])}, self._others(place, schema, name, depth))
        for index, part in enumerate(schema.get("allOf", [])):
            members = self._merged(members, (*place, "allOf", str(index)), part, name, depth)
        self._members_at[place] = members
        return members

    def _merged(self, first: _Members, place: Place, part: Any, name: str, depth: int) -> _Members:
        """`first` with a part of an allOf."""
        resolved = self._document.resolve(part)
        if not isinstance(resolved, dict) or not (_has_properties(resolved) or _is_any_object(resolved)):
            raise OutsideProfile(place, "it has no properties, and stands with others")
        target = parts_of(part["$ref"]) if "$ref" in part else place
        second = self._members(target, resolved, name, depth + 1)
        for each in first.properties.keys() & second.properties.keys():
            if first.properties[each].type != second.properties[each].type:
                raise OutsideProfile((*place, "properties", each), "another part of the allOf has another type")
        others = first.others and second.others
        return _Members(first.properties | second.properties, first.required | second.required, others)

    def _others(self, place: Place, schema: dict[str, Any], name: str, depth: int) -> Type | None:
        """The type of further properties; None if there are none."""
        others = schema.get("additionalProperties", True)
        if isinstance(others, bool):
            return ANY if others else None
        return self.type_of((*place, "additionalProperties"), others, f"{name}Value", depth + 1)


def _constants(place: Place, values: Any) -> Type:
    """The type of an enum; numbers with a fraction, which no language has as types, are numbers."""
    if not isinstance(values, list) or not values:
        raise OutsideProfile((*place, "enum"), "it is not a list of values")
    if any(isinstance(value, dict | list) for value in values):
        raise OutsideProfile((*place, "enum"), "an object or an array is listed")
    exact = tuple(value for value in values if isinstance(value, str | bool | int))
    options: list[Type] = [OneOf(exact)] if exact else []
    options += [Simple("number")] if any(isinstance(value, float) for value in values) else []
    options += [NULL] if None in values else []
    return either(*options)


def _has_properties(schema: Any) -> bool:
    """True for an object that names some of its properties, itself or within an allOf."""
    return (
        isinstance(schema, dict)
        and "$ref" not in schema
        and (_has_own_properties(schema) or len(schema.get("allOf", [])) > 1)
    )


def _is_any_object(schema: dict[str, Any]) -> bool:
    """True for a schema that says nothing of an object but perhaps which properties it must have."""
    return schema.get("type", "object") == "object" and not schema.keys() & _OF_OTHERS


def _has_own_properties(schema: dict[str, Any]) -> bool:
    return bool(schema.get("properties"))


def _title(option: Any, index: int) -> str:
    """What tells an option of a choice from the others: its title, or else its index."""
    return pascal(str(option.get("title", ""))) or str(index)


def text_of(node: Any) -> str:
    """The description of a schema or a parameter, or its title."""
    return "" if not isinstance(node, dict) else str(node.get("description") or node.get("title") or "")


def _require_progress(declared: list[Declaration]) -> None:
    """OutsideProfile if a type is only itself, or a choice of itself and others."""
    choices = {each.pointer: set(_choices(each.type)) for each in declared if not isinstance(each.type, ObjectType)}
    try:
        tuple(TopologicalSorter(choices).static_order())
    except CycleError as error:
        raise OutsideProfile(error.args[1][0], "it is defined by itself alone") from None


def _choices(declared: Type) -> Iterator[Place]:
    """The types that `declared` is, without a list or an object between."""
    if isinstance(declared, Named):
        yield declared.pointer
    elif isinstance(declared, Either):
        for option in declared.options:
            yield from _choices(option)
