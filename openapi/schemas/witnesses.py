"""Witnesses: values that one schema accepts and another one refuses, as proof of a fault.

Candidates are generated at the bounds of both schemas at the fault, and wrapped, outward, in values of the schemas
around it. Compiled validators check each candidate at every step, so a witness proves its fault.
"""

import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

from openapi import decimals, sample_texts
from openapi.budget import Budget, Limit
from openapi.schemas import patterns
from openapi.schemas.containment import Containment
from openapi.schemas.conversion import Node
from openapi.schemas.faults import OTHER, Fault, Step, index_of
from openapi.schemas.forms import COUNTS, Form, TooMuchError
from openapi.schemas.keywords import WHOLE_NUMBER
from openapi.schemas.validators import Validators

MOST_TRIED = 300
"""Limit on the candidates at one place."""
KEPT = 3
"""Limit on the values that are wrapped in values of the schemas around them."""
LONGEST = 100_000
"""Limit on the characters, items or properties of a value."""
LARGEST = 1_000_000
"""Limit on the total of these in a value and all its parts."""
MOST_OPTIONAL = 2_000
"""Limit on the values in the properties of an object that it need not have."""
MOST_WORK = Limit(300_000, 1)
"""Limit on the sought examples, and the values in tried ones, for one fault."""
MOST_WORK_TOGETHER = Limit(300_000, 10)
"""The same limit for all faults together."""
DEEPEST = 25
"""Limit on the nested examples that are being sought."""
MOST_WEIGHED = 30
"""Limit on the values that are tried for one that the keyword of a fault refuses, behind the first."""
_NAMED = frozenset(
    (*itertools.chain(*COUNTS.values()), "minimum", "maximum", "multipleOf", "pattern", "format", "uniqueItems", "enum")
)
"""Keywords whose faults validators name likewise; `exclusiveMinimum` belongs to `minimum`."""
_READ_AS = {"true": [True], "false": [False]}
_FEW = 20
"""Limit on the values that only another schema lists, before any other is tried."""


class Witnesses:
    """Finds values by the forms that `containment` knows."""

    def __init__(self, containment: Containment, validators: Validators, budget: Budget, is_text: bool = False) -> None:
        """With `is_text` values are sent as text: `1` is both a number and a string."""
        self._containment = containment
        self._validators = validators
        self._readings = _as_text if is_text else _as_is
        self._examples: dict[tuple[int, ...], Any] = {}
        self._unsought: list[tuple[int, ...]] = []
        self._held: list[Node] = []
        self._budget = budget
        self._depth = 0
        self._sampled: set[tuple[int, ...]] = set()

    def of(self, fault: Fault, fits: Callable[[Any], bool] | None = None) -> list[Any]:
        """Values that the outermost schema of `fault` accepts and its counterpart refuses; empty if none is found.

        All of them satisfy `fits`, if it is given. Raises TooMuchError if nothing is left of the work for all faults.
        """
        self._begin()
        values: Iterable[Any] = self._candidates(fault)
        for step in fault.steps:
            fit = fits if fits and step is fault.steps[-1] else _fits
            if step.form:
                values = self._around(step, step.form, values)
            tried = itertools.islice(values, MOST_TRIED)
            is_outside = fault.is_of_child and step is not fault.steps[0]  # validators know nothing of children
            proves = self._is_accepted if is_outside else self._proves
            proved = (value for value in tried if proves(step, value) and fit(value))
            values = self._by_reason(fault, proved) if step is fault.steps[0] else list(itertools.islice(proved, KEPT))
        if not values and self._budget.is_out_for_all:
            raise TooMuchError
        return list(values)

    def _by_reason(self, fault: Fault, proved: Iterator[Any]) -> list[Any]:
        """The first of `proved`, before them one or two that the keyword of `fault` refuses, it alone if possible."""
        values = list(itertools.islice(proved, KEPT))
        if fault.keyword not in _NAMED:
            return values
        best: dict[bool, Any] = {}
        for value in itertools.chain(values, itertools.islice(proved, MOST_WEIGHED)):
            reasons = self._validators.refusals(fault.steps[0].pair.big, value)
            if any(reason.lower().endswith(fault.keyword.lower()) for reason in reasons):
                best.setdefault(len(reasons) == 1, value)
            if True in best:
                break
        named = [best[is_alone] for is_alone in (True, False) if is_alone in best]
        return [*named, *(value for value in values if not any(value is other for other in named))]

    def example(self, node: Node, fits: Callable[[Any], bool] | None = None) -> list[Any]:
        """Values that satisfy `node`, and `fits` if it is given; empty if none is found."""
        self._begin()
        if fits:
            return [value for value in self._example(node) if fits(value)] or self._fitting(node, fits)
        return self._example(node)

    def _begin(self) -> None:
        """Begin with another fault, and seek the examples again that there was no work left for."""
        self._budget.begin()
        for key in self._unsought:
            self._examples.pop(key, None)
        self._unsought = []

    def _example(self, node: Node) -> list[Any]:
        if node.key not in self._examples:
            self._held.append(node)
            self._examples[node.key] = []  # a schema that contains itself has no example
            self._depth += 1
            tried = itertools.islice(self._samples(node) if self._may_go_on(1) else (), MOST_TRIED)
            self._examples[node.key] = list(
                itertools.islice((value for value in tried if self._validators.accepts(node, value)), KEPT)
            )
            self._depth -= 1
            if self._budget.is_out:
                self._unsought.append(node.key)
        return list(self._examples[node.key])

    def _fitting(self, node: Node, fits: Callable[[Any], bool]) -> list[Any]:
        tried = itertools.islice(self._samples(node) if self._may_go_on(1) else (), MOST_TRIED)
        accepted = (value for value in tried if self._validators.accepts(node, value) and fits(value))
        return list(itertools.islice(accepted, KEPT))

    def _may_go_on(self, work: int) -> bool:
        """True if the search may go on after `work`."""
        return self._budget.spend(work) and self._depth <= DEEPEST

    def _forms(self, node: Node) -> list[Form]:
        return self._containment.forms(node, self._spend)

    def _spend(self, steps: float) -> None:
        if not self._budget.spend(steps):
            raise TooMuchError

    def _proves(self, step: Step, value: Any) -> bool:
        accepts = self._validators.accepts
        return (
            self._may_go_on(_size(value) // 10)
            and accepts(step.pair.small, value) is True
            and all(accepts(step.pair.big, reading) is False for reading in self._readings(value))
        )

    def _is_accepted(self, step: Step, value: Any) -> bool:
        return self._may_go_on(_size(value) // 10) and self._validators.accepts(step.pair.small, value) is True

    def _candidates(self, fault: Fault) -> Iterator[Any]:
        pair = fault.steps[0].pair
        try:
            near = self._forms(pair.big)
            own = [fault.form] if fault.form else self._forms(pair.small)
        except TooMuchError:
            return
        for form in own:
            if (form.listed is not None or fault.keyword == "enum") and isinstance(fault.in_small, list):
                yield from fault.in_small
            if fault.keyword == "properties":
                for value in self._example(form.property(fault.in_small)):
                    yield from self._objects_with(form, fault.in_small, value)
            yield from self._near(form, [other for other in near if other.kind == form.kind])

    def _samples(self, node: Node) -> Iterator[Any]:
        try:
            union = self._forms(node)
        except TooMuchError:
            return
        for form in union:
            yield from self._near(form, [])

    def _near(self, form: Form, others: list[Form]) -> Iterator[Any]:
        """Possible values of `form`, at its bounds and those of `others`, which are of the same type."""
        spellings = [value for other in others for value in self._containment.spellings(other)]
        if form.listed is not None:
            yield from _new_first(self._containment.spellings(form), spellings)
            return
        yield from spellings[:_FEW]
        makers = {"number": _numbers, "string": _texts}
        if form.kind in makers:
            yield from makers[form.kind](form, others)
        elif form.kind == "array":
            yield from self._arrays(form, others)
        else:
            yield from self._objects(form, others)
        for other in others:
            for excluded in other.excluded:
                yield from self._example(Node((*form.node.schemas, excluded)))
        yield from spellings[_FEW:]

    def _arrays_with(self, form: Form, index: int | None, value: Any) -> Iterator[list[Any]]:
        """Arrays with `value` at `index`, or without an index behind the prefix."""
        place = form.prefix if index is None else index
        if start := self._starting(form, place):
            for length in sorted({*_lengths(form, []), place + 1}):
                if length > place:
                    yield from self._filled(form, [*start[0], value], length)

    def _starting(self, form: Form, length: int) -> list[list[Any]]:
        """An array of the first `length` items of `form`; none if one of them has no example."""
        start: list[Any] = []
        for index in range(min(length, form.prefix)):
            examples = self._example(form.item(index))
            written = {repr(item) for item in start}
            if not examples:
                return []
            start.append(next((value for value in examples if repr(value) not in written), examples[0]))
        return [start]

    def _arrays(self, form: Form, others: list[Form]) -> Iterator[list[Any]]:
        if form.prefix:
            yield from self._tuples(form, others)
            return
        items = self._example(form.items)
        lengths = _lengths(form, others)
        for length in lengths:
            yield from self._filled(form, [], length)
        for item in items:
            for length in sorted({*lengths, 2}):
                if 1 < length <= LARGEST // _size(item):
                    yield [item] * length

    def _tuples(self, form: Form, others: list[Form]) -> Iterator[list[Any]]:
        """Arrays of lengths at the bounds, whose first items have schemas of their own."""
        for length in sorted({*_lengths(form, others), form.prefix, form.prefix + 1}):
            if length <= form.highest_count("maxItems"):
                for start in self._starting(form, length):
                    yield from self._filled(form, start, length)
        if form.all_of("uniqueItems") or not any(other.all_of("uniqueItems") for other in others):
            return
        for index in range(form.prefix):  # an item twice, for a schema that allows it once
            for value, start in itertools.product(self._example(form.item(index)), self._starting(form, index)):
                yield from self._filled(form, [*start, value, value], max(len(start) + 2, form.prefix))

    def _filled(self, form: Form, start: list[Any], length: int) -> Iterator[list[Any]]:
        """`start` with more items up to `length`, distinct ones if possible."""
        missing = length - len(start)
        if missing <= 0:
            if missing == 0:
                yield start
            return
        while len(start) < min(length, form.prefix):
            examples = self._example(form.item(len(start)))
            if not examples:
                return
            start = [*start, next((value for value in examples if value not in start), examples[0])]
        if len(start) == length:
            yield start
            return
        missing = length - len(start)
        written = {repr(item) for item in start}
        fresh = []
        for item in itertools.islice(self._distinct(form.items), missing + 2 * len(start) + 2):
            if repr(item) not in written:
                written.add(repr(item))
                fresh.append(item)
        if len(fresh) >= missing:
            yield [*start, *fresh[:missing]]
        elif (items := self._example(form.items)) and missing <= LARGEST // max(map(_size, items)):
            yield [*start, *(items * missing)[:missing]]

    def _distinct(self, node: Node) -> Iterator[Any]:
        """Distinct values that satisfy `node`, as many as are easy to find."""
        simple: Iterable[Any] = itertools.chain(range(LONGEST), (f"a{number}" for number in range(LONGEST)))
        plain = [value for value in (0, "a0") if self._validators.accepts(node, value)]
        if plain:
            yield from (value for value in simple if type(value) is type(plain[0]))
        if node.key in self._sampled or len(self._sampled) > DEEPEST or not self._may_go_on(1):
            return
        self._sampled.add(node.key)
        try:
            yield from (value for value in self._samples(node) if self._validators.accepts(node, value))
        finally:
            self._sampled.remove(node.key)

    def _objects(self, form: Form, others: list[Form]) -> Iterator[dict[str, Any]]:
        named = form.names.union(*(other.names for other in others))
        for base in self._bases(form):
            yield base
            for name in self._sent(form, named - base.keys()):
                for value in self._example(form.property(name))[:1]:
                    yield {**base, name: value}
        for count in _lengths(form, others):
            yield from self._with_others(form, named, count)

    def _with_others(self, form: Form, named: set[str], count: int) -> Iterator[dict[str, Any]]:
        """Objects with `count` properties, some of them undeclared if necessary."""
        for base in self._bases(form)[:1]:
            names = [
                *self._sent(form, named - base.keys()),
                *(f"other{number}" for number in range(min(count, LONGEST))),
            ]
            filled = dict(base)
            for name in names:
                if len(filled) >= count:
                    break
                if value := self._example(form.property(name)):
                    filled[name] = value[0]
            yield filled
            yield from ({**base, "other": value} for value in self._example(form.others)[:1])

    def _objects_with(self, form: Form, name: str, value: Any) -> Iterator[dict[str, Any]]:
        return ({**base, name: value} for base in self._bases(form))

    def _bases(self, form: Form) -> list[dict[str, Any]]:
        """Objects with the required properties, and with all declared ones."""
        bases: list[dict[str, Any]] = []
        if not self._may_go_on(len(form.required | form.names)):
            return bases
        values = {name: self._example(form.property(name)) for name in self._sent(form, form.required)}
        if not all(values.get(name) for name in form.required):
            return bases
        least = {name: examples[0] for name, examples in values.items()}
        return [base for base, _ in itertools.groupby((least, self._with_optional(form, least)))]

    def _with_optional(self, form: Form, least: dict[str, Any]) -> dict[str, Any]:
        """`least` with the other declared properties, as far as they are not too large."""
        size, filled = 0, dict(least)
        for name in self._sent(form, form.names - form.required):
            for value in self._example(form.property(name))[:1]:
                size += _size(value)
                if size <= MOST_OPTIONAL:
                    filled[name] = value
            if size > MOST_OPTIONAL:
                break
        return {name: filled[name] for name in sorted(filled)}

    def _sent(self, form: Form, names: Set[str]) -> list[str]:
        """The `names` of properties that messages have, in order."""
        return [name for name in sorted(names) if not self._containment.is_unsent(form, name)]

    def _around(self, step: Step, form: Form, values: Iterable[Any]) -> Iterator[Any]:
        """Values of `form` that have one of `values` at the place of `step`."""
        for value in values:
            if form.kind == "array":
                yield from self._arrays_with(form, index_of(step.name), value)
            else:
                name = "other" if step.name == OTHER else step.name
                yield from self._objects_with(form, name, value)


def _new_first(values: list[Any], others: list[Any]) -> list[Any]:
    """`values`, those that are not among `others` first."""
    written = {repr(value) for value in others}
    return sorted(values, key=lambda value: repr(value) in written)


def _fits(_: Any) -> bool:
    return True


def _as_is(value: Any) -> list[Any]:
    return [value]


def _as_text(value: Any) -> list[Any]:
    """The possible readings of `value` after it is sent as text: a list may also be one text, and a text a list."""
    if isinstance(value, list | dict):
        parts = value if isinstance(value, list) else [part for item in value.items() for part in item]
        texts = [part if isinstance(part, str) else decimals.dumps(part) for part in parts]
        return [value, *_as_single(",".join(texts))]
    readings = _as_single(value)
    return [*readings, *([reading] for reading in readings), *([value.split(",")] if isinstance(value, str) else [])]


def _as_single(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value, *_READ_AS.get(value, ()), *_numbers_of(value)]
    return [value, json.dumps(value)] if isinstance(value, bool | int | float) else [value]


def _numbers_of(text: str) -> list[float]:
    try:
        number = int(text) if re.fullmatch(WHOLE_NUMBER, text) else float(text)
    except ValueError:
        return []
    return [number] if math.isfinite(number) else []


def _size(value: Any) -> int:
    """1, and the characters, items and properties of `value` and all its parts."""
    if isinstance(value, str):
        return 1 + len(value)
    if isinstance(value, dict):
        value = [*value, *value.values()]
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1


def _lengths(form: Form, others: list[Form]) -> list[int]:
    """Counts at the bounds of `form` and `others`, the smallest first."""
    low, high = COUNTS[form.kind]
    counts = {form.lowest_count(low), form.highest_count(high), 0, 1}
    for other in others:
        lowest, highest = max(other.all_of(low), default=0), min(other.all_of(high), default=math.inf)
        counts |= {lowest, lowest - 1, highest, highest + 1}
    return sorted(
        int(count) for count in counts if form.lowest_count(low) <= count <= min(form.highest_count(high), LONGEST)
    )


def _numbers(form: Form, others: list[Form]) -> Iterator[float]:
    ends = {bound.value for each in (form, *others) for bound in (each.lowest, each.highest)}
    points = {point for end in ends if not math.isinf(end) for point in (end, end - 1, end + 1, (2 * end + 1) / 2)}
    points |= {0, 1, -1, 1.5, 0.25}
    for divisor in form.divisors:
        points |= {divisor * factor for factor in (1, 2, 3, 5, 7)}
        points |= {divisor * (end // divisor + step) for end in ends if not math.isinf(end) for step in (0, 1)}
    ordered = sorted(points, key=lambda point: (abs(point), point))
    for point in ordered:
        number = int(point) if point == int(point) else float(point)
        yield int(number) if number == int(number) else number  # large fractions become integers as floats
    if not form.is_integer and any(other.is_integer for other in others):
        yield from (float(point) for point in ordered)


def _texts(form: Form, others: list[Form]) -> Iterator[str]:
    own = tuple(dict.fromkeys(form.all_of("pattern")))
    for name in sorted(form.formats):
        yield from sample_texts.BY_FORMAT.get(name, ())
    low, high = int(form.lowest_count("minLength")), form.highest_count("maxLength")
    longest = None if math.isinf(high) else int(high)
    for pattern in [pattern for other in others for pattern in other.all_of("pattern")]:
        yield from _matching(own, (pattern,), low, longest)
    lengths = _lengths(form, others)
    yield from (
        text for name in sorted(form.formats) for length in lengths if (text := sample_texts.of_length(name, length))
    )
    if "byte" in form.formats and not own:
        yield from ("YWFh" * whole for length in lengths if (whole := -(-length // 4)) and 4 * whole <= high)
    for length in lengths:
        if own:
            yield from _matching(own, (), length, length)
        else:
            yield "a" * length
    yield from _matching(own, (), low, longest)
    for pattern in own + tuple(pattern for other in others for pattern in other.all_of("pattern")):
        if patterns.looks_around(pattern):
            yield from _matching(own, (), low, longest, is_rough=True)
            yield from sample_texts.guesses(pattern, lengths)
    yield "not of any format"


def _matching(
    own: tuple[str, ...], others: tuple[str, ...], shortest: int, longest: int | None, *, is_rough: bool = False
) -> Iterator[str]:
    try:
        text = patterns.example(own, others, shortest, longest, is_rough=is_rough)
    except patterns.UndecidedError:
        return
    if text is not None:
        yield text
