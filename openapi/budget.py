"""What a comparison may spend: on one thing, and on all things together. Larger documents may spend more."""

from collections.abc import Callable
from typing import NamedTuple


class Limit(NamedTuple):
    """A limit on steps, and how much higher it is for each schema of the documents."""

    fixed: int
    per_schema: int = 0

    def of(self, schemas: int) -> float:
        """The limit for documents with so many schemas."""
        return self.fixed + self.per_schema * schemas


class Budget:
    """Counts the steps for one thing at a time. `schemas` returns the number of schemas of the documents."""

    def __init__(self, one: Limit, together: Limit, schemas: Callable[[], int]) -> None:
        self._one, self._together, self._schemas = one, together, schemas
        self._spent = self._remaining = 0.0

    def begin(self) -> None:
        """Begin with the next thing: it may cost as much as one may, unless all of them have cost too much."""
        count = self._schemas()
        self._remaining = min(self._one.of(count), self._together.of(count) - self._spent)

    def spend(self, steps: float) -> bool:
        """Spend `steps`; False if they are more than are left."""
        self._spent += steps
        self._remaining -= steps
        return self._remaining >= 0

    @property
    def is_out(self) -> bool:
        """True if nothing is left for this thing."""
        return self._remaining <= 0

    @property
    def is_out_for_all(self) -> bool:
        """True if nothing is left for any other thing either."""
        return self._spent >= self._together.of(self._schemas())
