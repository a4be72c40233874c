"""The faults between two schemas, and the way to each."""

import json
from dataclasses import dataclass
from typing import Any

from openapi.schemas.conversion import Node
from openapi.schemas.forms import Form

UNDECIDED = "undecided"
ITEM, OTHER = "[]", "*"
"""The steps of a path to an item, and to an undeclared property."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two schemas: `big` should accept every value that `small` accepts."""

    small: Node
    big: Node

    @property
    def key(self) -> tuple[Any, ...]:
        """Identifies the pair while a reference to it is held."""
        return self.small.key, self.big.key


@dataclass(frozen=True, slots=True)
class Step:
    """A pair on the way to a fault, and the form of its `small` through which the way goes on to `name`."""

    pair: Pair
    form: Form | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What `big` demands and `small` does not; or where `is_break` is false, what it merely says otherwise.

    `keyword` is the one that says so; `in_small` and `in_big` are its values there.
    """

    keyword: str
    in_small: Any = None
    in_big: Any = None
    owner: Any = None
    """The schema that the keyword stands in: of `big`, or else of `small`."""
    is_break: bool = True
    path: tuple[str, ...] = ()
    """The way from the value to where the fault is: names of properties, `ITEM` and `OTHER`."""
    steps: tuple[Step, ...] = ()
    """The same, outward."""
    form: Form | None = None
    """The form of `small` that is not accepted."""

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for the same fault, whichever way led to it."""
        return self.keyword, id(self.owner), json.dumps([self.in_small, self.in_big], default=str), self.is_break
