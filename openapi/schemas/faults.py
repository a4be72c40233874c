"""The faults between two schemas, and the path to each."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from openapi.schemas.conversion import Node
from openapi.schemas.forms import TYPES, Form

UNDECIDED, LOOP = "undecided", "loop"
"""What stands for a keyword if the comparison cannot decide, and for the faults of a pair that is being compared."""
ANY = "any"
"""What stands for the type in the fault of a schema that accepts all types."""
MOST_FAULTS = 200
"""Limit on the faults of one pair of schemas."""
MOST_PARTS = 10
"""Limit on the faults of alternatives that may prove the fault of their union."""
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

    parts: "tuple[Fault, ...]" = ()
    """The faults of single alternatives, if it is the fault of a union."""
    is_cut: bool = False
    """True if a limit cut the comparison here, so that more effort might find no fault."""

    @property
    def key(self) -> tuple[Any, ...]:
        """The identity of the fault, the same on every path to it."""
        place = self.steps[0].pair.key if self.keyword == LOOP else id(self.owner)
        values = "" if self.in_small is self.in_big is None else json.dumps([self.in_small, self.in_big], default=str)
        return self.keyword, place, values, self.is_break, self.is_always_sent, self.is_cut

    def in_parts(self) -> "Iterator[Fault]":
        """The fault, and then those of its alternatives, each at its own place."""
        yield self
        for part in self.parts:
            yield replace(part, path=(*self.path, *part.path), steps=(*(part.steps or self.steps[:1]), *self.steps[1:]))


def united(attempts: Sequence[tuple[Form, Sequence[Fault]]], candidate: Form) -> list[Fault]:
    """The faults of alternatives, each next to `candidate`, as one, apart from those that all of them have.

    Else a single reason, that there are alternatives now, would be told again for each of their properties.
    """
    breaks = [[fault for fault in faults if fault.is_break and fault.keyword != LOOP] for _, faults in attempts]
    shared = set.intersection(*({fault.key for fault in faults} for faults in breaks))
    own = [[fault for fault in faults if fault.key not in shared] for faults in breaks]
    parts = {fault.key: fault for faults in own for fault in faults}
    every = [fault for _, faults in attempts for fault in faults]
    if len(parts) <= 1:
        return every
    failing = [form for (form, _), faults in zip(attempts, own, strict=True) if faults]
    whole = Fault(
        "anyOf",
        list(dict.fromkeys(form.summary for form in failing)),
        [candidate.summary],
        form=failing[0],
        parts=tuple(parts.values())[:MOST_PARTS],
        is_cut=any(fault.is_cut for fault in parts.values()),
    )
    return [*(fault for fault in every if fault.key not in parts), whole]


def of_any_type(small: Sequence[Form], faults: list[Fault], kinds: list[str]) -> list[Fault]:
    """`faults` between two schemas, with one for all refused types if `small` accepts every type; `kinds` are left."""
    refused = [fault for fault in faults if fault.keyword in ("type", "nullable") and fault.is_break and not fault.path]
    is_any = {form.kind for form in small} == set(TYPES) and all(form.lister is None for form in small)
    if len(refused) <= 1 or not is_any:
        return faults
    is_cut = any(fault.is_cut for fault in refused)
    whole = replace(refused[0], keyword="type", in_small=ANY, in_big=kinds, parts=tuple(refused), is_cut=is_cut)
    return [whole, *(fault for fault in faults if all(fault is not other for other in refused))]


def limited(faults: list[Fault], pair: Pair) -> list[Fault]:
    """Each of the faults of `pair` once, by its shortest path; at most MOST_FAULTS."""
    ordered = sorted(faults, key=lambda fault: len(fault.path))
    once = list({fault.key: fault for fault in reversed(ordered)}.values())[::-1]
    if len(once) <= MOST_FAULTS:
        return once
    return [*once[: MOST_FAULTS - 1], undecided(pair, is_cut=True)]  # a fault that is left out may be a break


def undecided(pair: Pair, is_cut: bool) -> Fault:
    """The fault that `pair` is not decided: a limit cut its comparison, or more effort would not help."""
    return Fault(UNDECIDED, owner=first(pair.big), steps=(Step(pair),), is_cut=is_cut)


def first(node: Node) -> dict[str, Any] | None:
    """The first schema of `node` that is an object."""
    return next((schema for schema in node.schemas if isinstance(schema, dict)), None)
