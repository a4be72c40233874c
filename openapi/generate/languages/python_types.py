"""Types for Python 3.11 and later: a TypedDict for each object. They describe, and validate nothing."""

import builtins
import keyword
from collections.abc import Sequence

from openapi.generate import comments
from openapi.generate.identifiers import identifiers
from openapi.generate.types import (
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
    names_in,
)

IMPORTS = """
from typing import Any, Literal, NotRequired, TypeAlias, TypedDict
"""
_USED = {"str", "int", "float", "bool", "list", "dict", "Any", "Literal", "NotRequired"}
"""Names in annotations: a field of such a name would hide it from the other fields of its class."""
_RESERVED = {"Any", "Literal", "NotRequired", "TypeAlias", "TypedDict", *dir(builtins), *keyword.kwlist}
_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "any": "Any"}


def emit(declarations: Sequence[Declaration], head: str) -> str:
    """A module with the types, after `head`, a text that says where they are from."""
    known = names(declarations)
    written = [_Writer(known).declared(declaration) for declaration in declarations]
    return comments.docstring(head, "") + IMPORTS + "".join(f"\n\n{text}" for text in written)


def names(declarations: Sequence[Declaration]) -> dict[tuple[str, ...], str]:
    """The name of each declared type in the module, by its place."""
    return identifiers(declarations, _RESERVED.__contains__)


def simple(content: Simple | OneOf) -> str:
    """A type without parts as an annotation."""
    if isinstance(content, Simple):
        return _SIMPLE[content.name]
    return f"Literal[{', '.join(map(literal, content.values))}]"


class _Writer:
    """Writes declarations."""

    def __init__(self, names: dict[tuple[str, ...], str]) -> None:
        self._names = names

    def declared(self, declaration: Declaration) -> str:
        """A class, or an alias."""
        name = self._names[declaration.pointer]
        content = declaration.type
        if not isinstance(content, ObjectType):
            alias = f"{name}: TypeAlias = {self._value(content)}\n"
            return alias + comments.docstring(declaration.description, "")
        hidden = {*_USED, *self._names.values()}
        if all(_is_field(each.name) and each.name not in hidden for each in content.properties):
            described = comments.docstring(declaration.description, "    ")
            body = (described + self._fields(content)).lstrip("\n")
            return f"class {name}(TypedDict):\n{body}"
        pairs = "".join(f"        {literal(each.name)}: {self._property(each)},\n" for each in content.properties)
        described = comments.docstring(declaration.description, "")
        return f"{name} = TypedDict(\n    {literal(name)},\n    {{\n{pairs}    }},\n)\n{described}"

    def _fields(self, content: ObjectType) -> str:
        fields = [
            f"{comments.of_python(each.description, '    ')}    {each.name}: {self._property(each)}\n"
            for each in content.properties
        ]
        return "".join(f"\n{field}" for field in fields) or "    pass\n"

    def _property(self, each: Property) -> str:
        written = self._value(each.type)
        return written if each.is_required else f"NotRequired[{written}]"

    def _value(self, content: Type) -> str:
        """A type as it is, or as a text if it names a declared one, which may follow."""
        written = self._type(content)
        return literal(written) if next(names_in(content), None) else written

    def _type(self, written: Type) -> str:
        match written:
            case Simple() | OneOf():
                return simple(written)
            case ListOf(items):
                return f"list[{self._type(items)}]"
            case MapOf(values):
                return f"dict[str, {self._type(values)}]"
            case Named(pointer):
                return self._names[pointer]
            case Either(options):
                return " | ".join(self._type(option) for option in options)


def _is_field(name: str) -> bool:
    """True if a class can have a field of that name; two underscores before it would change it."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")


def literal(value: object) -> str:
    """A literal that no text can end, in double quotes where nothing in it needs others."""
    written = ascii(value)
    return written if not isinstance(value, str) or {'"', "\\"} & set(written[1:-1]) else f'"{written[1:-1]}"'
