"""The fields that a schema for `metadata` names, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openapi import decimals
from openapi.contract import Document
from openapi.rendering.schema_text import kind, limits, objects

MOST_FIELDS = 100
_SAME = (
    *("enum", "format", "maxItems", "maxLength", "maximum", "minItems", "minLength", "minimum", "pattern"),
    "required",
)
"""Keywords that mean the same in OpenAPI 3.0."""
_MOST_LISTED = 12
_SHOWN = 60
"""Characters of a value or a name in a list."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `a.b` is nested in another object, `a[].b` in the items of an array; `limits` are a few words each."""

    name: str
    is_required: bool
    type: str
    limits: list[str]
    description: str


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a schema; `others` says what it accepts beside them. `is_cut` is True if some are left out."""

    fields: list[Field]
    others: str
    is_cut: bool


def fields(schema: dict[str, Any]) -> Fields:
    """The fields of `schema`, in which `check` finds no fault."""
    document = Document("", _as_openapi(schema))
    listed = list(_fields(document))
    others = _others(document, schema.get("additionalProperties", True))
    return Fields(listed[:MOST_FIELDS], others, len(listed) > MOST_FIELDS)


def _fields(document: Document) -> Iterator[Field]:
    for described in objects(document, document.document):
        for field in described.fields:
            name = f"{described.place}.{field.name}" if described.place else field.name
            words = [*_listed(field.schema), *limits(field.schema, str)]
            yield Field(name, field.is_required, kind(document, field.schema), words, field.schema["description"])


def _others(document: Document, schema: Any) -> str:
    """What the values of fields that no property names must be."""
    if isinstance(schema, bool):
        return "Other fields are accepted, too." if schema else "Other fields are refused."
    return f"Other fields are accepted if they are: {kind(document, _as_openapi(schema))}."


def _listed(schema: dict[str, Any]) -> list[str]:
    """The values of an enum, in words."""
    if "enum" not in schema:
        return []
    values = [decimals.dumps(value, ensure_ascii=False)[:_SHOWN] for value in schema["enum"]]
    if not values:
        return ["must be absent"]
    more = ["others"] if len(values) > _MOST_LISTED else []
    return [f"one of {', '.join([*values[:_MOST_LISTED], *more])}" if len(values) > 1 else f"always {values[0]}"]


def _as_openapi(schema: Any) -> dict[str, Any]:
    """`schema` in the form of OpenAPI 3.0; what that cannot say is left out, for the JSON says it."""
    if isinstance(schema, bool):
        return {"description": ""} if schema else {"description": "", "enum": []}
    converted = {key: schema[key] for key in _SAME if key in schema}
    converted["description"] = schema.get("description") or schema.get("title", "")
    if "const" in schema:
        converted["enum"] = [schema["const"]]
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if exclusive in schema and bound not in schema:
            converted |= {bound: schema[exclusive], exclusive: True}
    if "properties" in schema:
        converted["properties"] = {name: _as_openapi(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        converted["items"] = _as_openapi(schema["items"])
    converted |= {key: [*map(_as_openapi, schema[key])] for key in ("allOf", "anyOf") if key in schema}
    return {**converted, **_type(schema)}


def _type(schema: dict[str, Any]) -> dict[str, Any]:
    """The keywords of OpenAPI for the types of `schema`, which may be several."""
    named = schema.get("type", "string" if _is_texts(schema) else [])
    types = [named] if isinstance(named, str) else named
    others = [name for name in types if name != "null"]
    if "null" in types and not others:
        return {"enum": [None]}
    nullable = {"nullable": True} if "null" in types else {}
    if len(others) == 1:
        return {"type": others[0], **nullable}
    return {"anyOf": [{"type": name} for name in others], **nullable} if others and "anyOf" not in schema else nullable


def _is_texts(schema: dict[str, Any]) -> bool:
    """True if `schema` lists texts alone."""
    return bool(schema.get("enum")) and all(isinstance(value, str) for value in schema["enum"])
