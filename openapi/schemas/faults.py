"""The faults between two schemas, and the path to each."""

import json
import re
from dataclasses import dataclass
from typing import Any

from openapi.schemas.conversion import Node
from openapi.schemas.forms import Form

UNDECIDED = "undecided"
ITEM, OTHER = "[]", "*"
"""The steps in a path for an item, and for an undeclared property."""
_AT = re.compile(r"\[(\d+)\]")


def item_at(index: int) -> str:
    """The step for the item at `index`, which has a schema of its own."""
    return f"[{index}]"


def index_of(step: str) -> int | None:
    """The index of an item that has a schema of its own; None for another step."""
    match = _AT.fullmatch(step)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two schemas: `big` should accept every value that `small` accepts."""

    small: Node
    big: Node

    @property
    def key(self) -> tuple[Any, ...]:
        """The identity of the pair, valid while it is kept alive."""
        return self.small.key, self.big.key


@dataclass(frozen=True, slots=True)
class Step:
    """A pair on the path to a fault, the form of its `small` on that path, and the next step, `name`."""

    pair: Pair
    form: Form | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A demand of `big` that `small` does not make; or if `is_break` is false, a mere difference.

    It is in `keyword`, with the values `in_small` and `in_big`.
    """

    keyword: str
    in_small: Any = None
    in_big: Any = None
    owner: Any = None
    """The schema that has the keyword: in `big`, or else in `small`."""
    is_break: bool = True
    path: tuple[str, ...] = ()
    """The path from the value to the fault: names of properties, `ITEM` and `OTHER`."""
    steps: tuple[Step, ...] = ()
    """The same path, outward."""
    form: Form | None = None
    """The form of `small` that is not accepted."""
    is_always_sent: bool = False
    """True if the fault is in a property that `small` requires."""
    is_of_child: bool = False
    """True if it is a fault of the child that a discriminator demands, of which JSON Schema knows nothing."""

    @property
    def key(self) -> tuple[Any, ...]:
        """The identity of the fault, the same on every path to it."""
        values = json.dumps([self.in_small, self.in_big], default=str)
        return self.keyword, id(self.owner), values, self.is_break, self.is_always_sent
