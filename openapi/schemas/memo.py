"""The faults of compared pairs of schemas, and the assumption that proves recursive schemas (coinduction).

Both documents have `A = {properties: {next: {$ref: A}}}`. The new `A` accepts all that the old `A` accepts if the new
`next` accepts all that the old `next` accepts, and these are the same pair again. A proof by induction never ends. A
pair is therefore assumed to hold while it is compared: it holds unless a fault is found elsewhere in it.

If the new `A` also requires `id`, the assumption was wrong. A pair within `A` that leads back to it has that fault,
too: another operation may begin there. So the assumption leaves a LOOP among the faults of the pair that made it, and
when `A` is known, the faults of `A` take its place.

What was concluded after a limit cut the comparison is forgotten at its end: from another place there may be more left.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from openapi.schemas.faults import LOOP, UNDECIDED, Fault, Pair, Step, limited

FAULTS = 8
"""Faults, each carried to another pair, that cost as much as one comparison."""


class Memo:
    """Keeps the faults of each pair, and the pairs themselves: the identities of their schemas are the keys."""

    def __init__(self, spend: Callable[[float], bool]) -> None:
        """`spend` is called for faults that are carried to another pair, and returns False beyond a limit."""
        self._spend = spend
        self._faults: dict[tuple[Any, ...], list[Fault]] = {}
        self._compared: set[tuple[Any, ...]] = set()
        self._looping: set[tuple[Any, ...]] = set()
        self._fresh: list[tuple[Any, ...]] = []
        self._cut_at: int | None = None
        self._pairs: list[Pair] = []

    @property
    def is_cut(self) -> bool:
        """True if a limit cut the comparison that is going on."""
        return self._cut_at is not None

    def begin(self) -> None:
        """Begin with the comparison of an outermost pair."""
        self._fresh, self._cut_at = [], None

    def recall(self, pair: Pair) -> list[Fault] | None:
        """The faults of `pair`, a LOOP while it is being compared; None if it is unknown."""
        if pair.key in self._compared:
            return [Fault(LOOP, is_break=False, steps=(Step(pair),))]
        if pair.key in self._looping:
            self._resolve(pair)
        return self._faults.get(pair.key)

    def assume(self, pair: Pair) -> None:
        """Assume that `pair`, which is about to be compared, holds."""
        self._pairs.append(pair)
        self._compared.add(pair.key)

    def conclude(self, pair: Pair, faults: list[Fault]) -> list[Fault]:
        """Keep `faults` of `pair`, and return them without loops to the pair itself: these add nothing."""
        self._compared.discard(pair.key)
        faults = [fault for fault in faults if fault.keyword != LOOP or fault.steps[0].pair.key != pair.key]
        self._keep(pair, faults)
        self._fresh.append(pair.key)
        return faults

    def cut(self) -> None:
        """Note that a limit cuts the comparison here."""
        if self._cut_at is None:
            self._cut_at = len(self._fresh)

    def end(self) -> None:
        """Forget what a limit may have cut, and what leads there."""
        if self._cut_at is not None:
            for key in (*self._fresh[self._cut_at :], *(key for key in self._fresh if key in self._looping)):
                self._faults.pop(key, None)
                self._looping.discard(key)

    def _keep(self, pair: Pair, faults: list[Fault]) -> None:
        self._faults[pair.key] = faults
        if any(fault.keyword == LOOP for fault in faults):
            self._looping.add(pair.key)
        else:
            self._looping.discard(pair.key)

    def _resolve(self, pair: Pair) -> None:
        """Replace each loop of `pair` to a pair that is known by the faults of that pair."""
        resolved: list[Fault] = []
        self._looping.discard(pair.key)
        for fault in self._faults[pair.key]:
            target = fault.steps[0].pair
            if fault.keyword != LOOP or target.key in self._compared:
                resolved.append(fault)
            elif (known := self.recall(target)) is None or not self._spend(len(known) / FAULTS):
                self.cut()
                self._fresh.append(pair.key)
                resolved.append(replace(fault, keyword=UNDECIDED, is_break=True, is_cut=True))
            else:
                resolved += [_through(fault, inner) for inner in known]
        self._keep(pair, limited(resolved, pair))


def _through(loop: Fault, fault: Fault) -> Fault:
    """`fault` of a pair as a fault of the pair that `loop` leads back from."""
    return replace(
        fault,
        path=(*loop.path, *fault.path),
        steps=(*fault.steps, *loop.steps[1:]),
        is_always_sent=loop.is_always_sent if len(fault.steps) == 1 else fault.is_always_sent,
        is_of_child=fault.is_of_child or loop.is_of_child,
    )
