"""One change between two documents: a fact, without judgement and almost without words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openapi.schemas.conversion import Direction


@dataclass(frozen=True, slots=True)
class Change:
    """A change, its place, and its effect on requests and answers.

    `rule` names the row of `rules.RULES` that judges it. `subject` is what a person calls the place: `body`,
    `query parameter limit`, `answer 200`, and the way from there to the value. `old` and `new` are the value
    before and after.
    """

    rule: str
    pointer: str
    """RFC 6901, in the new document, or in the old one if the new one lacks the place."""
    is_in_new: bool
    direction: Direction | None
    """None if it concerns both requests and answers, or neither."""
    operations: tuple[str, ...]
    """The operations whose requests or answers it changes; may be empty."""
    subject: str
    old: Any = None
    new: Any = None
    is_break: bool = False
    """Whether a client of the old document can fail, or receive a response that was never promised."""
    find_witness: "Callable[[], Witness | None] | None" = field(default=None, compare=False, repr=False)
    """Looks for a value that proves the break; None if no schema breaks."""
    witness: "Witness | None" = None
    is_of_schema: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """The same for the same change, whichever operation it was found in."""
        return self.rule, self.pointer, self.is_in_new, self.is_break, repr(self.old), repr(self.new)


@dataclass(frozen=True, slots=True)
class Witness:
    """A value that proves a break, in the exchange that it is a part of.

    Of a request: the old document accepts it and the new one does not. Of an answer: the new document promises that it
    may come, and the old one that it does not.
    """

    value: Any
    """The body, parameter or header whose schema changed."""
    message: str
    """The whole request, or the answer, as HTTP/1.1 writes it."""
