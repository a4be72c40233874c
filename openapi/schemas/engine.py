"""The schemas of two documents in one direction, made comparable."""

import itertools
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from openapi.budget import Budget
from openapi.contract import Document
from openapi.schemas.containment import DOCUMENTS, Allowance, Containment, Effort, Sending
from openapi.schemas.conversion import Node, Parts, Schema, Schemas, references, text
from openapi.schemas.directions import MARKED, Direction
from openapi.schemas.faults import Fault
from openapi.schemas.validators import Validators
from openapi.schemas.witnesses import MOST_WORK, MOST_WORK_TOGETHER, Witnesses

OLD, NEW = "urn:old", "urn:new"


class Engine:
    """Compares schemas of `old` and `new`, after `old.at` and `new.at` have converted them."""

    def __init__(
        self,
        old: Document,
        new: Document,
        direction: Direction | None,
        effort: Effort = DOCUMENTS,
        written: Callable[[Schema], str] = text,
    ) -> None:
        """Schemas are equal if `written` returns the same text for them; without a direction see `Schemas`."""
        self._direction = direction
        self.old = Schemas(old, direction, OLD)
        self.new = Schemas(new, direction, NEW)
        self._validators = Validators(self.old, self.new, most_weighed=effort.most_weighed)
        allowance = Allowance(effort, Budget(effort.most_comparisons, effort.most_together, self._count))
        proofs = Budget(MOST_WORK, MOST_WORK_TOGETHER, self._count)
        self._written = written
        self._texts: dict[int, str] = {}
        self._containments = {
            sending: Containment(self._target, self._validators, self._is_same, sending, allowance)
            for sending in itertools.starmap(self._sending, itertools.product((False, True), repeat=2))
        }
        for sending, containment in self._containments.items():
            containment.strict = self._containments[sending._replace(is_undeclared_sent=True)]
        self._witnesses = {
            is_text: Witnesses(self._containments[self._sending(is_text)], self._validators, proofs, is_text)
            for is_text in (False, True)
        }

    def faults(self, small: Node, big: Node, is_text: bool = False, is_undeclared_sent: bool = False) -> list[Fault]:
        """The reasons why `big` may refuse values that `small` accepts and that are sent as in `Sending`."""
        return self._containments[self._sending(is_text, is_undeclared_sent)].faults(small, big)

    def witnesses(self, fault: Fault, is_text: bool = False, fits: Callable[[Any], bool] | None = None) -> list[Any]:
        """Values that prove `fault` and fit; empty if none is found."""
        found = (self._witnesses[is_text].of(part, fits) for part in fault.in_parts())
        return next((values for values in found if values), [])

    def example(self, node: Node, fits: Callable[[Any], bool] | None = None) -> list[Any]:
        """Values that satisfy `node` and fit; empty if none is found."""
        return self._witnesses[False].example(node, fits)

    def place(self, schema: Any) -> tuple[bool, Parts] | None:
        """True if a schema is in the new document, and its place there or in the old one; None if unknown."""
        for is_new, schemas in ((True, self.new), (False, self.old)):
            if id(schema) in schemas.places:
                return is_new, schemas.places[id(schema)]
        return None

    def is_shared(self, parts: Parts) -> bool:
        """True if `parts` is in a component that both documents have, the same with all that it refers to."""
        if parts[:1] != ("components",):
            return False
        references = [(side.targets, side.reference(parts[:3])) for side in self._sides]
        return all(name in targets and _name(name) not in self._changed for targets, name in references)

    def _count(self) -> int:
        """The number of schemas in both documents."""
        return len(self.old.places) + len(self.new.places)

    def _sending(self, is_text: bool, is_undeclared_sent: bool = False) -> Sending:
        return Sending(is_text, is_undeclared_sent, MARKED[self._direction] if self._direction else None)

    def _target(self, reference: str) -> Schema:
        return (self.old if reference.startswith(OLD) else self.new).targets[reference]

    def _is_same(self, small: Node, big: Node) -> bool:
        """True if the schemas, and all schemas that they reference, are written the same."""
        texts = {self._text(schema) for schema in small.schemas}
        if texts != {self._text(schema) for schema in big.schemas}:
            return False
        return not any(references(written) & self._changed for written in texts)

    def _text(self, schema: Schema) -> str:
        if isinstance(schema, bool):
            return str(schema)
        if id(schema) not in self._texts:
            self._texts[id(schema)] = self._written(schema)
        return self._texts[id(schema)]

    @cached_property
    def _changed(self) -> set[str]:
        """The names of referenced schemas that differ between the documents, directly or through a reference."""
        old, new = ({_name(reference): schema for reference, schema in side.targets.items()} for side in self._sides)
        changed = {name for name in old.keys() | new.keys() if name not in old or name not in new}
        changed |= {name for name in old.keys() & new.keys() if self._text(old[name]) != self._text(new[name])}
        referring: dict[str, set[str]] = {}
        for name, schema in (*old.items(), *new.items()):
            for reference in references(self._text(schema)):
                referring.setdefault(reference, set()).add(name)
        return changed | _reached(changed, referring)

    @property
    def _sides(self) -> Iterable[Schemas]:
        return self.old, self.new


def _name(reference: str) -> str:
    """The name in a reference, as `references` returns it."""
    return reference.partition("#/$defs/")[2]


def _reached(start: set[str], following: dict[str, set[str]]) -> set[str]:
    reached, waiting = set(start), list(start)
    while waiting:
        fresh = following.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    return reached
