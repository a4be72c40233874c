"""The faults of compared pairs of schemas, and the assumption that proves recursive schemas (coinduction).

Both documents have `A = {properties: {next: {$ref: A}}}`. The new `A` accepts all that the old `A` accepts if the new
`next` accepts all that the old `next` accepts, and these are the same pair again. A proof by induction never ends. A
pair is therefore assumed to hold while it is compared: it holds unless a fault is found elsewhere in it.

If the new `A` also requires `id`, the assumption was wrong: the pair has a fault, but `next` seemed to have none.
Usually that does no harm, because the fault of the pair is reported, and it is a fault of every pair around it. But if
one alternative of several is tried, its faults are dropped. A conclusion from the wrong assumption would then remain
for the next alternative, which reports no fault. Such conclusions are forgotten.
"""

import itertools
from typing import Any

from openapi.schemas.faults import Fault, Pair


class Memo:
    """Keeps the faults of each pair, and the pairs themselves: the identities of their schemas are the keys."""

    def __init__(self) -> None:
        self.is_trying = False
        """True if the faults of the pairs that are being compared may be dropped."""
        self._faults: dict[tuple[Any, ...], list[Fault]] = {}
        self._recalled: set[tuple[Any, ...]] = set()
        self._pairs: list[Pair] = []

    def recall(self, pair: Pair) -> list[Fault] | None:
        """The faults of `pair`, empty while it is being compared; None if it is unknown."""
        if pair.key not in self._faults:
            return None
        self._recalled.add(pair.key)
        return self._faults[pair.key]

    def assume(self, pair: Pair) -> None:
        """Assume that `pair`, which is about to be compared, holds."""
        self._pairs.append(pair)
        self._faults[pair.key] = []

    def conclude(self, pair: Pair, faults: list[Fault]) -> None:
        """Keep `faults` of `pair`; if the assumption was wrong, forget the conclusions since `assume`."""
        if self.is_trying and pair.key in self._recalled and any(fault.is_break for fault in faults):
            for later in list(itertools.takewhile(lambda key: key != pair.key, reversed(self._faults))):
                if not any(fault.is_break for fault in self._faults[later]):
                    del self._faults[later]
        self._faults[pair.key] = faults
