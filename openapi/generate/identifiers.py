"""Identifiers: the names of a document as names of a language, each the same in every version of the document."""

import re
from collections.abc import Callable, Collection, Iterable
from hashlib import sha256

from openapi.generate.types import Declaration

LONGEST = 100
"""Characters of an identifier; a longer name is cut, and ends with digits of its digest."""
_DIGITS = 8


def identifiers(declarations: Iterable[Declaration], is_reserved: Callable[[str], bool]) -> dict[tuple[str, ...], str]:
    """The identifier of each declared type, by its place.

    A name that is an identifier stays as it is, and so does its identifier in every later version. Any other is
    changed, and marked by digits of its digest if it was not enough to drop what an identifier cannot have.
    """
    result: dict[tuple[str, ...], str] = {}
    taken: set[str] = set()
    unfit = []
    for declaration in declarations:
        if _identifier(declaration.name) == declaration.name and not is_reserved(declaration.name):
            result[declaration.pointer] = declaration.name
            taken.add(declaration.name)
        else:
            unfit.append(declaration)
    for declaration in unfit:
        fitting = _identifier(declaration.name)
        if is_reserved(fitting) or fitting in taken:
            fitting = f"{fitting}_{digits_of(declaration.name)}"
        result[declaration.pointer] = fitting
        taken.add(fitting)
    return result


def _identifier(name: str) -> str:
    """`name` with underscores for what no language has in a name, and not too long."""
    fitting = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not re.match(r"[A-Za-z]", fitting):
        fitting = f"Type_{fitting}"
    if not name.isascii() or len(fitting) > LONGEST:
        fitting = f"{fitting[: LONGEST - _DIGITS - 1]}_{digits_of(name)}"
    return fitting


def shortened(fitting: str, name: str) -> str:
    """`fitting`, made of `name`, as the name of a member: it begins with a letter, and is not too long."""
    if not re.match(r"[A-Za-z]", fitting):
        fitting = f"x_{fitting}"
    if len(fitting) > 80 or not name.isascii():
        fitting = f"{fitting[:70]}_{digits_of(name)}"
    return fitting


def untaken(fitting: str, name: str, taken: Collection[str], suffix: str) -> str:
    """`fitting`, made of `name`; if it is in `taken`, with `suffix` or an underscore, and if that is, with digits."""
    if fitting in taken:
        fitting = f"{fitting}_{suffix}" if suffix and f"{fitting}_{suffix}" not in taken else f"{fitting}_"
    return fitting if fitting not in taken else f"{fitting}{digits_of(name)}"


def digits_of(name: str) -> str:
    """Digits that tell `name` from others."""
    return sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
