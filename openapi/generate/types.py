"""The types of a document, independent of any language."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Scalar = Literal["string", "integer", "number", "boolean", "null", "any"]
Constant = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Simple:
    """A scalar without further structure; `any` is every value."""

    name: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some constants, as `enum` lists them."""

    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array."""

    items: "Type"


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with values of one type by any name."""

    values: "Type"


@dataclass(frozen=True, slots=True)
class Named:
    """A declared type, by its place in the document."""

    pointer: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """A value of any of several types."""

    options: tuple["Type", ...]


Type = Simple | OneOf | ListOf | MapOf | Named | Either
NULL, ANY = Simple("null"), Simple("any")


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an object."""

    name: str
    type: Type
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object with known properties; `others` is the type of all further ones, None if there are none."""

    properties: tuple[Property, ...]
    others: Type | None


@dataclass(frozen=True, slots=True)
class Declaration:
    """A type with a name, which no other type of the document has."""

    pointer: tuple[str, ...]
    name: str
    description: str
    type: Type | ObjectType


def either(*options: Type) -> Type:
    """A value of any of `options`, each of them once."""
    flat = [inner for option in options for inner in (option.options if isinstance(option, Either) else (option,))]
    if ANY in flat:
        return ANY
    unique = tuple(dict.fromkeys(flat))
    return unique[0] if len(unique) == 1 else Either(unique)


def names_in(content: Type) -> Iterator[Named]:
    """The declared types that `content` mentions."""
    match content:
        case Named():
            yield content
        case ListOf(inner) | MapOf(inner):
            yield from names_in(inner)
        case Either(options):
            for option in options:
                yield from names_in(option)
