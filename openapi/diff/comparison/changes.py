"""One change between two documents: a fact, without judgement."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from openapi.schemas.directions import Direction

LONGEST_SUNSET = 40
"""Limit on the characters of a sunset in words."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change, its place, and its effect on requests and responses.

    `rule` names the row of `rules.RULES` that judges it. `subject` names the place for people: `body`,
    `query parameter limit` or `response 200`, and the path from there to the value. `old` and `new` are the value
    before and after.
    """

    rule: str
    pointer: str
    """RFC 6901; in the new document, or in the old one if the new one lacks the place."""
    is_in_new: bool
    direction: Direction | None
    """None if it concerns both requests and responses, or neither."""
    operations: tuple[str, ...]
    """The operations with changed requests or responses; may be empty."""
    subject: str
    old: Any = None
    new: Any = None
    is_break: bool = False
    """True if a client of the old document can fail, or receive a response that was never promised."""
    find_witness: "Callable[[], Witness | None] | None" = field(default=None, compare=False, repr=False)
    """Looks for a value that proves the break; None if no schema breaks."""
    witness: "Witness | None" = None
    is_of_schema: bool = False
    is_cut: bool = False
    """True if a limit cut the comparison at this place, or the search for a proof."""
    deprecation: "Deprecation | None" = None
    """What the old document announced about what is removed; None if it was not deprecated."""

    @property
    def key(self) -> tuple[Any, ...]:
        """The identity of the change, the same in every operation; a change of an operation itself has its own."""
        operation = self.subject if self.rule.startswith("operation-") else ""
        return self.rule, self.pointer, operation, self.is_in_new, self.is_break, repr(self.old), repr(self.new)


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That something is deprecated: its sunset as it is written, and the first day after it in UTC.

    `sunset` is None if there is none; `day` also if it is no date.
    """

    sunset: Any
    day: date | None

    @property
    def words(self) -> str:
        """The fact in words."""
        if self.sunset is None:
            return "it was deprecated, without a sunset"
        fault = "" if self.day else ", which is no date"
        return f"it was deprecated, with sunset {str(self.sunset)[:LONGEST_SUNSET]}{fault}"


@dataclass(frozen=True, slots=True)
class Witness:
    """A value that proves a break, and the message that contains it.

    In a request: the old document accepts the value, and the new one refuses it. In a response: the new document allows
    the value, and the old one excludes it.
    """

    value: Any
    """The body, parameter or header that has the changed schema."""
    message: str
    """The whole request or response in HTTP/1.1 syntax; or words, if its parts cannot carry their values."""
    short: str
    """The message for people: long values are abridged."""
    curl: str | None = None
    """The command for curl that sends the request; None if there is none."""
