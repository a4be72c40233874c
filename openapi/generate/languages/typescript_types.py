"""Types for TypeScript: an interface for each object. They describe, and validate nothing."""

import json
import re
from collections.abc import Mapping, Sequence

from openapi.generate import comments
from openapi.generate.identifiers import identifiers
from openapi.generate.types import Declaration, Either, ListOf, MapOf, Named, ObjectType, OneOf, Property, Simple, Type

_SIMPLE = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "any": "unknown",
}
RESERVED = frozenset(
    """
    Array any arguments as asserts async await bigint boolean break case catch class const constructor continue debugger
    declare default delete do else enum eval export extends false finally for from function get if implements import
    in infer instanceof interface is keyof let module namespace never new null number object of package private
    protected public readonly require return set static string super switch symbol this throw true try type typeof
    undefined unique unknown using var void while with yield
    """.split()  # noqa: SIM905 (a list would have a line for each)
)
"""Words that name no type or variable, or hide one."""


def emit(declarations: Sequence[Declaration], head: str) -> str:
    """A module with the types, after `head`, a text that says where they are from."""
    known = names(declarations)
    written = [_Writer(known).declared(declaration) for declaration in declarations]
    return comments.of_typescript(head, "") + "".join(f"\n{text}" for text in written)


def names(declarations: Sequence[Declaration]) -> dict[tuple[str, ...], str]:
    """The name of each declared type in the module, by its place."""
    return identifiers(declarations, RESERVED.__contains__)


def annotation(content: Type, known: Mapping[tuple[str, ...], str], array: str = "Array") -> str:
    """A type as TypeScript writes it, with the names `known` of declared types, and `array` for arrays."""
    match content:
        case Simple(name):
            return _SIMPLE[name]
        case OneOf(values):
            return " | ".join(map(_constant, values))
        case ListOf(items):
            return f"{array}<{annotation(items, known, array)}>"
        case MapOf(values):
            return f"{{ [name: string]: {annotation(values, known, array)} }}"
        case Named(pointer):
            return known[pointer]
        case Either(options):
            return " | ".join(annotation(option, known, array) for option in options)


class _Writer:
    """Writes declarations."""

    def __init__(self, names: dict[tuple[str, ...], str]) -> None:
        self._names = names

    def declared(self, declaration: Declaration) -> str:
        """An interface, or another type."""
        name, content = self._names[declaration.pointer], declaration.type
        described = comments.of_typescript(declaration.description, "")
        if not isinstance(content, ObjectType):
            return f"{described}export type {name} = {annotation(content, self._names)};\n"
        others = "" if content.others is None else "  [name: string]: unknown;\n"
        return f"{described}export interface {name} {{\n{self._fields(content)}{others}}}\n"

    def _fields(self, content: ObjectType) -> str:
        return "".join(
            f"{comments.of_typescript(each.description, '  ')}  {self._property(each)};\n"
            for each in content.properties
        )

    def _property(self, each: Property) -> str:
        name = each.name if re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$]*", each.name) else _constant(each.name)
        return f"{name}{'' if each.is_required else '?'}: {annotation(each.type, self._names)}"


def _constant(value: object) -> str:
    """A literal that no text can end: JSON in ASCII is one of JavaScript (ECMA-262 since 2019)."""
    return json.dumps(value)
