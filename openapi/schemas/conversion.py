"""The schemas of a document in the words of JSON Schema 2020-12, for requests or for responses.

The document is OpenAPI 3.0, or 3.1 whose references stand alone: `openapi.diff.comparison.dialects` makes it so.
Responses have no `writeOnly` properties; for the rest see `directions`.
"""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeGuard
from urllib.parse import quote, unquote

from openapi import decimals
from openapi.contract import ContractError, Document
from openapi.schemas.directions import LISTS, MARKED, Direction, Variants
from openapi.standards.json_pointer import member, parts_of, pointer

Schema = dict[str, Any] | bool
Parts = tuple[str, ...]

NUMBERS = (int, float, Decimal)
MARKS = ("default", "deprecated", "readOnly", "writeOnly", "discriminator")
"""Keywords that are kept although they do not affect which values are accepted."""
_FLAGS = {"deprecated", "readOnly", "writeOnly"}
"""Keywords that are false if absent."""
ANNOTATIONS = frozenset({"title", "description", "example", "examples", "externalDocs", "xml", "nullable"})
INTEGERS = {"int32": 2**31, "int64": 2**63}
_SHAPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"), int),
    **dict.fromkeys(("minimum", "maximum", "multipleOf"), NUMBERS),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), (bool, *NUMBERS)),
    **dict.fromkeys(("required", "enum", *LISTS), list),
    **dict.fromkeys(("pattern", "format"), str),
    **dict.fromkeys(("properties", "discriminator"), dict),
    **dict.fromkeys(("items", "not", "additionalProperties"), (dict, bool)),
    "type": (str, list),
    "uniqueItems": bool,
    "$ref": (),
}
"""Allowed types per keyword in OpenAPI 3.0; values of other types are ignored."""
SCHEMAS_OF_3_1 = (
    *("items", "not", "additionalProperties", "contains", "propertyNames", "if", "then", "else"),
    *("unevaluatedItems", "unevaluatedProperties"),
)
LISTS_OF_3_1 = (*LISTS, "prefixItems")
MAPS_OF_3_1 = ("patternProperties", "dependentSchemas")
"""Keywords of OpenAPI 3.1 with a schema, a list of schemas, and schemas by name."""
TEXTS_OF_3_1 = frozenset(
    (
        *(*ANNOTATIONS, "$comment", "$schema", "$anchor", "$dynamicAnchor", "$defs"),
        *("contentEncoding", "contentMediaType", "contentSchema"),
    )
)
"""Keywords of OpenAPI 3.1 that affect no value: texts, and what only a reference reads."""
_SHAPES_OF_3_1 = {
    **_SHAPES,
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), NUMBERS),
    **dict.fromkeys(SCHEMAS_OF_3_1, (dict, bool)),
    **dict.fromkeys(("prefixItems",), list),
    **dict.fromkeys((*MAPS_OF_3_1, "dependentRequired"), dict),
}
MOST_DISTINGUISHED = 500
"""Limit on the schemas that are searched for a discriminator of the same values."""
_LARGEST = 10**300
"""Numbers are compared up to this bound, because they are converted to floats."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """The values that satisfy every one of `schemas`."""

    schemas: tuple[Schema, ...]

    @property
    def key(self) -> tuple[int, ...]:
        """The identity of the schemas, valid while they are kept alive."""
        return tuple(map(id, self.schemas))


class Schemas:
    """The schemas of one document in one direction. `name` distinguishes its references from those of another.

    Without a direction they are those of JSON Schema 2020-12, where 2.0 is an integer.
    """

    def __init__(self, document: Document, direction: Direction | None, name: str) -> None:
        self._variants = Variants(document, direction) if direction else None
        self._document = self._variants.document if self._variants else document
        self.direction = direction
        self.name = name
        self._is_3_1 = is_3_1(document)
        self.is_fraction_ignored = direction is None or self._is_3_1
        """True if 2.0 is an integer: so it is from draft 6 of JSON Schema on, and not in OpenAPI 3.0."""
        self._converted: dict[Parts, Schema] = {}
        self._waiting: list[Parts] = []
        self.targets: dict[str, Schema] = {}
        """The converted schemas, by reference."""
        self.places: dict[int, Parts] = {}
        """The place of each converted schema in the document, by identity."""

    def at(self, parts: Parts) -> Schema:
        """The schema at `parts`; its references are in `targets`. Raises ContractError if one of them is dangling."""
        schema = self._schema(self._raw(parts), parts)
        while self._waiting:
            target = self._waiting.pop()
            self.targets[self.reference(target)] = self._schema(self._document.at(target), target)
        return schema

    def _raw(self, parts: Parts) -> Any:
        """The value at `parts`; a reference at the end is not followed."""
        try:
            parent = self._document.at(parts[:-1])
            return member(parent, parts[-1])
        except (LookupError, TypeError, ValueError):
            raise ContractError(f"the reference to {pointer(*parts)} leads through another one to nowhere") from None

    def reference(self, parts: Parts) -> str:
        """The reference to the schema at `parts`."""
        name = pointer(*parts)[1:].replace("~", "~0").replace("/", "~1")
        return f"{self.name}#/$defs/{quote(name)}"  # without encoding it could equal another name

    def _schema(self, raw: Any, parts: Parts) -> Schema:
        if parts not in self._converted:
            self._converted[parts] = self._convert(raw, parts)
            self.places[id(self._converted[parts])] = self._variants.origin(parts) if self._variants else parts
        return self._converted[parts]

    def _convert(self, raw: Any, parts: Parts) -> Schema:
        if not isinstance(raw, dict):
            return raw if isinstance(raw, bool) else {}
        if isinstance(raw.get("$ref"), str):
            return self._referring(raw)
        ignored, shapes = (TEXTS_OF_3_1, _SHAPES_OF_3_1) if self._is_3_1 else (ANNOTATIONS, _SHAPES)
        converted = {
            key: value
            for key, value in raw.items()
            if key not in ignored and not key.startswith("x-") and _is_shaped(key, value, shapes)
            if value is not False or key not in _FLAGS
        }
        if self._is_3_1:
            _translate_3_1(converted, self.name)
            self._add_maps(converted, raw, parts)
        else:
            _translate(converted, raw)
        _leave_names(converted)
        for key in LISTS_OF_3_1 if self._is_3_1 else LISTS:
            if isinstance(raw.get(key), list):
                converted[key] = [
                    self._schema(inner, (*parts, key, str(index))) for index, inner in enumerate(raw[key])
                ]
        if bounds := bounds_of_format(raw):
            converted["allOf"] = [*_list(converted.get("allOf")), bounds]
        for key in SCHEMAS_OF_3_1 if self._is_3_1 else ("items", "not", "additionalProperties"):
            if isinstance(raw.get(key), dict | bool):
                converted[key] = self._schema(raw[key], (*parts, key))
        self._add_properties(converted, raw, parts)
        if isinstance(raw.get("discriminator"), dict):
            converted["discriminator"] = self._discriminator(raw, parts)
        return converted

    def _referring(self, raw: dict[str, Any]) -> dict[str, Any]:
        parts = self._target(raw)
        reference = self.reference(parts)
        if reference not in self.targets:
            self.targets[reference] = True  # until it is converted
            self._waiting.append(parts)
        return {"$ref": reference}

    def _target(self, raw: dict[str, Any]) -> Parts:
        """The place of the schema that `raw` refers to; chained references are followed."""
        self._document.resolve(raw)  # raises if it is dangling
        parts: Parts = ()
        while isinstance(raw, dict) and isinstance(raw.get("$ref"), str):
            parts = parts_of(raw["$ref"])
            raw = self._raw(parts)
        return parts

    def _add_properties(self, converted: dict[str, Any], raw: dict[str, Any], parts: Parts) -> None:
        properties = raw.get("properties")
        if not isinstance(properties, dict):
            return
        converted["properties"] = {
            name: self._schema(inner, (*parts, "properties", name))
            for name, inner in properties.items()
            if self.direction is not Direction.RESPONSE or not self._is_write_only(inner)
        }

    def _add_maps(self, converted: dict[str, Any], raw: dict[str, Any], parts: Parts) -> None:
        """Add the schemas by name that are not of properties."""
        for key in MAPS_OF_3_1:
            if isinstance(raw.get(key), dict):
                converted[key] = {name: self._schema(inner, (*parts, key, name)) for name, inner in raw[key].items()}

    def _is_write_only(self, raw: Any) -> bool:
        schema = self._document.resolve(raw)
        return isinstance(schema, dict) and schema.get(MARKED[Direction.RESPONSE]) is True

    def _discriminator(self, raw: dict[str, Any], parts: Parts) -> dict[str, Any]:
        """The property that distinguishes alternatives, and the schema for each of its values.

        An alternative that the mapping does not name has the name of its component as its value. Without alternatives
        and a mapping these are the components that include this one by allOf.
        """
        declared = raw["discriminator"].get("mapping")
        mapping = {value: self._named(target) for value, target in declared.items()} if _is_object(declared) else {}
        mapped = [schema.get("$ref") for schema in mapping.values()]
        alternatives = [inner for key in ("oneOf", "anyOf") for inner in _list(raw.get(key))]
        for inner in alternatives:
            if isinstance(inner, dict) and isinstance(inner.get("$ref"), str):
                schema = self._referring(inner)
                if schema["$ref"] not in mapped:
                    mapping.setdefault(parts_of(inner["$ref"])[-1], schema)
        if not alternatives and not mapping:
            mapping = {child[-1]: self._referring({"$ref": "#" + pointer(*child)}) for child in self._including(parts)}
        return {"propertyName": raw["discriminator"].get("propertyName"), "mapping": mapping}

    def _including(self, parts: Parts) -> list[Parts]:
        """The components that include the schema at `parts`, also by way of others."""
        found: list[Parts] = []
        waiting = [parts]
        while waiting:
            fresh = [child for child in self._children.get(waiting.pop(), []) if child not in (*found, parts)]
            found += fresh
            waiting += fresh
        return found

    @cached_property
    def _children(self) -> dict[Parts, list[Parts]]:
        """For each schema the components that include it by a reference in allOf."""
        children: dict[Parts, list[Parts]] = {}
        for child, schema in self._components.items():
            for inner in _list(schema.get("allOf") if _is_object(schema) else None):
                if _is_object(inner) and isinstance(inner.get("$ref"), str):
                    with suppress(ContractError):
                        children.setdefault(self._target(inner), []).append(("components", "schemas", child))
        return children

    @property
    def _components(self) -> dict[str, Any]:
        """The schemas of components."""
        components = self._document.document.get("components")
        schemas = components.get("schemas") if _is_object(components) else None
        return schemas if _is_object(schemas) else {}

    def _named(self, target: Any) -> dict[str, Any]:
        """The schema that a mapping names: by the name of a component, or by a reference."""
        written = str(target)
        reference = "#" + pointer("components", "schemas", written) if written in self._components else written
        try:
            return self._referring({"$ref": reference})
        except ContractError:
            return {"$comment": written}


def distinguished(node: Node, target: Callable[[str], Schema]) -> list[dict[str, Any]]:
    """The schemas with a discriminator that distinguish the values of `node`, and not only those of a property.

    `target` returns the schema of a reference. The child of a schema is no longer distinguished by it.
    """
    found: list[dict[str, Any]] = []
    waiting, seen = list(node.schemas), set[int]()
    while waiting and len(seen) < MOST_DISTINGUISHED:
        schema = _resolved(waiting.pop(0), target)
        if isinstance(schema, bool) or id(schema) in seen:
            continue
        seen.add(id(schema))
        found += [schema] if "discriminator" in schema else []
        waiting += [inner for key in ("oneOf", "anyOf") for inner in _list(schema.get(key))]
        waiting += [inner for inner in _list(schema.get("allOf")) if not _is_child(schema, inner, target)]
    return found


def name_of(schema: Schema) -> str:
    """The name of the component that a schema in a mapping refers to, or what the mapping has in place of a name."""
    if isinstance(schema, bool) or "$ref" not in schema:
        return str(isinstance(schema, dict) and schema.get("$comment"))
    return component_of(schema["$ref"])


def component_of(reference: str) -> str:
    """The name of the component that a converted `reference` leads to, or the whole place if it is none."""
    return _place(reference).removeprefix("components/schemas/")


def _place(reference: str) -> str:
    return parts_of("#" + reference.partition("#")[2])[-1]


def _is_converted(reference: Any) -> bool:
    return isinstance(reference, str) and _CONVERTED.match(reference) is not None


def tagged(name: str, value: str) -> Schema:
    """The schema of objects whose property `name` is `value`."""
    return {"required": [name], "properties": {name: {"enum": [value]}}}


def is_parent(schema: Schema) -> bool:
    """True if `schema` has a discriminator for schemas that include it, and not for its own alternatives."""
    return isinstance(schema, dict) and "discriminator" in schema and not schema.keys() & {"oneOf", "anyOf"}


def _is_child(schema: Schema, parent: Schema, target: Callable[[str], Schema]) -> bool:
    parent = _resolved(parent, target)
    if isinstance(parent, bool) or not is_parent(parent):
        return False
    return any(_resolved(child, target) is schema for child in parent["discriminator"]["mapping"].values())


def _resolved(schema: Schema, target: Callable[[str], Schema]) -> Schema:
    return target(schema["$ref"]) if isinstance(schema, dict) and "$ref" in schema else schema


def bounds_of_format(raw: Mapping[str, Any]) -> dict[str, int] | None:
    """The integers that the format of the schema `raw` allows; None unless it is a format of integers."""
    name, types = raw.get("format"), raw.get("type")
    is_integer = "integer" in types and "number" not in types if isinstance(types, list) else types == "integer"
    if not is_integer or not isinstance(name, str) or name not in INTEGERS:
        return None
    return {"minimum": -INTEGERS[name], "maximum": INTEGERS[name] - 1}


_CONVERTED = re.compile(r"urn:[a-z]+#/\$defs/")


def is_3_1(document: Document) -> bool:
    """True if `document` is OpenAPI 3.1."""
    return str(document.document.get("openapi", "")).startswith("3.1")


def opaque(keyword: str, digest: str) -> dict[str, str]:
    """A schema that is not compared because of `keyword`. It is never compiled, and equals one of the same `digest`."""
    return {"$dynamicRef": f"{keyword} {digest}"}


def keyword_of(reference: Any) -> str:
    """The keyword of an opaque schema, by its converted `$dynamicRef`; empty if that is none."""
    return unquote(str(reference).partition("#/$defs/")[2]).partition(" ")[0]


_DOCUMENT = re.compile(r'"\$(ref|dynamicRef)":"urn:[a-z]+#')
_REFERENCE = re.compile(r'"\$ref":("#/\$defs/(?:[^"\\]|\\.)*")')


def text(schema: Any) -> str:
    """`schema` as a canonical text; references are without their document."""
    return _DOCUMENT.sub(r'"$\1":"#', decimals.dumps(schema, sort_keys=True, separators=(",", ":")))


def references(written: str) -> set[str]:
    """The names of the references in a schema that `text` wrote."""
    return {json.loads(reference).removeprefix("#/$defs/") for reference in _REFERENCE.findall(written)}


def published(value: Any) -> Any:
    """`value`, from converted schemas, with its references as the document has them."""
    if isinstance(value, list):
        return [published(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: f"#/{_place(item)}" if key == "$ref" and _is_converted(item) else published(item)
        for key, item in value.items()
    }


def _is_shaped(key: str, value: Any, shapes: Mapping[str, Any]) -> bool:
    """True if `value` has a type that `key` allows; raises ContractError if it is too large to be compared."""
    shape = shapes.get(key, object)
    if isinstance(value, bool):
        return shape in (object, bool) or (isinstance(shape, tuple) and bool in shape)
    if isinstance(value, int | float | Decimal) and not -_LARGEST <= value <= _LARGEST:
        raise ContractError(f"{key} has a number that is too large to be compared")
    return isinstance(value, shape)


def _translate(converted: dict[str, Any], raw: Mapping[str, Any]) -> None:
    """Translate the peculiarities of OpenAPI 3.0: `nullable` and exclusive bounds."""
    if raw.get("nullable") is True and isinstance(raw.get("type"), str):
        converted["type"] = [raw["type"], "null"]
    for key, excluded in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if raw.get(excluded) is True and key in converted:
            converted[excluded] = converted.pop(key)
        elif isinstance(raw.get(excluded), bool):
            del converted[excluded]


def _translate_3_1(converted: dict[str, Any], name: str) -> None:
    """Write a list of one type as that type; an opaque schema refers to nothing in the document `name`."""
    if isinstance(converted.get("type"), list):
        types = [each for each in converted["type"] if isinstance(each, str)]
        converted["type"] = types[0] if len(types) == 1 else types
    if "$dynamicRef" in converted:
        converted["$dynamicRef"] = f"{name}#/$defs/{quote(str(converted['$dynamicRef']))}"


def _leave_names(converted: dict[str, Any]) -> None:
    """Leave only names of properties in `required`."""
    if "required" in converted:
        converted["required"] = [name for name in converted["required"] if isinstance(name, str)]


def _is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
