"""Two forms of the same type by their keywords: the demands that only one makes.

Also the alternatives of two unions that stand for the same one.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from openapi.schemas import patterns
from openapi.schemas.conversion import INTEGERS
from openapi.schemas.forms import COUNTS, Bound, Form, exact
from openapi.standards.ijson import MAX_CHARACTERS

HINTS = frozenset({"password", "float", "double", "binary", *INTEGERS})
"""Formats that describe the display or storage of a value, or that are already converted to bounds."""
LENGTHS = {"uuid": 36, "date": 10}
"""The number of characters of a text by its format."""

TEXT = Form("string", (), ())
INTEGER = Form("number", ({"type": "integer"},), ())
WHOLE_NUMBER = "^-?(0|[1-9][0-9]*)$"
"""An integer as JSON writes it (RFC 8259 section 6)."""


class Difference(NamedTuple):
    """The values of `keyword` in a form and in the candidate that should accept it, and the schema that has it."""

    keyword: str
    in_form: Any
    in_candidate: Any
    owner: dict[str, Any] | None


class Counterpart(NamedTuple):
    """The alternative that may stand for one of another union."""

    form: Form
    is_namesake: bool
    """True if a name or a tag shows it, False if only its place among the others does."""


def differences(
    form: Form, candidate: Form, searches: bool = True, is_fraction_ignored: bool = True
) -> Iterator[Difference]:
    """The demands of `candidate` that `form`, of the same type, does not make.

    With `searches` it looks for texts that only one of two patterns matches; otherwise a pattern implies only itself.
    With `is_fraction_ignored` 2.0 is an integer.
    """
    if form.kind == "number":
        yield from _of_numbers(form, candidate, is_fraction_ignored)
    if form.kind in COUNTS:
        yield from _of_counts(form, candidate, searches)
    if form.kind == "string":
        yield from _of_patterns(form, candidate, searches)
    if form.kind == "array" and _is_unique(candidate) and not _is_unique(form) and form.highest_count("maxItems") > 1:
        yield Difference("uniqueItems", False, True, candidate.owner("uniqueItems"))
    if form.kind == "object":
        for name in sorted(candidate.required - form.required):
            yield Difference("required", None, name, candidate.owner("required", name))
    if form.kind in ("number", "string"):
        for name in sorted(candidate.formats - form.formats - HINTS):
            yield Difference("format", sorted(form.formats), name, candidate.owner("format"))


def takes(form: Form, other: Form) -> bool:
    """True if `form` accepts all values of `other`, a form with few keywords; False if that is hard to decide."""
    is_plain = form.kind == other.kind and form.listed is None and not form.excluded and not form.beyond
    return is_plain and not any(True for _ in differences(other, form))


def is_whole_number(form: Form) -> bool:
    """True if every text of `form` is a whole number."""
    return form.kind == "string" and _is_implied(WHOLE_NUMBER, _patterns(form), 0, None)


def texts(form: Form) -> list[str] | None:
    """The texts that the patterns of `form` match, if they are few; None if not, or if that is hard to decide."""
    own = _patterns(form)
    if not own:
        return None
    lowest, highest = _range(form)
    try:
        found = patterns.texts(own, int(lowest), None if math.isinf(highest) else int(highest))
    except patterns.UndecidedError:
        return None
    return None if found is None else list(found)


def namesakes(own: Sequence[Form], candidates: Sequence[Form]) -> dict[Form, Form]:
    """For each of `own`, if there is one, the candidate that stands for the same alternative.

    It has the name of the same component, or else a tag that no other has: a required property with the same value.
    """
    pairs: dict[Form, Form] = {}
    for labels in (_names, _tags):
        taken = set(pairs.values())
        ones = _distinguished((form for form in own if form not in pairs), labels)
        others = _distinguished((form for form in candidates if form not in taken), labels)
        for label in (label for label in ones if label in others):
            if ones[label] not in pairs and others[label] not in taken:
                pairs[ones[label]] = others[label]
                taken.add(others[label])
    return pairs


def counterparts(own: Sequence[Form], candidates: Sequence[Form]) -> dict[Form, Counterpart]:
    """The `namesakes`, and the others in their order, if as many of `own` as of `candidates` have no namesake."""
    pairs = namesakes(own, candidates)
    certain = {form: Counterpart(other, True) for form, other in pairs.items()}
    taken = set(pairs.values())
    left = [form for form in own if form not in pairs]
    free = [form for form in candidates if form not in taken]
    if len(left) != len(free):
        return certain
    return certain | {form: Counterpart(other, False) for form, other in zip(left, free, strict=True)}


def are_distinct(one: Form, other: Form) -> bool:
    """True if a property, which one of them requires, lists texts in both, and none of them in common."""
    required = one.required | other.required
    return any(
        _is_apart(one.choices[name], other.choices[name])
        for name in one.choices.keys() & other.choices.keys()
        if name in required
    )


def _of_numbers(form: Form, candidate: Form, is_fraction_ignored: bool) -> Iterator[Difference]:
    is_whole = is_fraction_ignored and any(divisor.denominator == 1 for divisor in form.divisors)
    is_integer = candidate.is_integer and not form.is_integer and not is_whole
    if is_integer:
        yield Difference("type", "number", "integer", candidate.owner("type"))
    for divisor in candidate.divisors:
        if not any((other / divisor).denominator == 1 for other in form.divisors) and not (is_integer and divisor == 1):
            own = [_plain(other) for other in form.divisors]
            yield Difference("multipleOf", own, _plain(divisor), candidate.owner("multipleOf"))
    bound, demanded = form.lowest, candidate.lowest
    if (demanded.value, demanded.is_excluded) > (bound.value, bound.is_excluded):
        yield _of_bound("minimum", bound, demanded, candidate)
    bound, demanded = form.highest, candidate.highest
    if (demanded.value, not demanded.is_excluded) < (bound.value, not bound.is_excluded):
        yield _of_bound("maximum", bound, demanded, candidate)


def _of_bound(keyword: str, bound: Bound, demanded: Bound, candidate: Form) -> Difference:
    for name in candidate.formats & INTEGERS.keys():
        if abs(demanded.value) in (INTEGERS[name], INTEGERS[name] - 1):
            return Difference("format", None, name, candidate.owner("format"))
    excluding = "exclusiveM" + keyword[1:]
    return Difference(
        keyword, _as_value(bound), _as_value(demanded), candidate.owner(keyword) or candidate.owner(excluding)
    )


def _as_value(bound: Bound) -> Any:
    """A bound for display; None if absent."""
    if math.isinf(bound.value):
        return None
    return f"{_plain(bound.value)} excluded" if bound.is_excluded else _plain(bound.value)


def _plain(number: Any) -> Any:
    """`number`, a Fraction of a decimal, as it is shown."""
    if number == int(number):
        return int(number)
    nearest = float(number)
    if exact(nearest) == number:
        return nearest
    with localcontext(prec=MAX_CHARACTERS):
        return Decimal(number.numerator) / Decimal(number.denominator)


def _of_counts(form: Form, candidate: Form, searches: bool) -> Iterator[Difference]:
    low, high = COUNTS[form.kind]
    lowest, highest = _range(form)
    own = _patterns(form) if searches else ()
    if (lower := max(candidate.all_of(low), default=0)) > lowest and not _has_none(own, 0, lower - 1):
        yield Difference(low, int(lowest), lower, candidate.owner(low))
    ends = candidate.ends if form.kind == "array" else []
    upper = min([*candidate.all_of(high), *ends], default=math.inf)
    if upper < highest and not _has_none(own, upper + 1, None):
        owner = candidate.owner(high) or candidate.owner("items") or candidate.owner("prefixItems")
        yield Difference(high, None if math.isinf(highest) else int(highest), upper, owner)


def _range(form: Form) -> tuple[float, float]:
    """The lowest and the highest count of `form`."""
    low, high = COUNTS[form.kind]
    lengths = [LENGTHS[name] for name in form.formats & LENGTHS.keys()] if form.kind == "string" else []
    return max([form.lowest_count(low), *lengths]), min([form.highest_count(high), *lengths])


def _has_none(own: tuple[str, ...], shortest: float, longest: float | None) -> bool:
    """True if no text of that length matches the patterns; False without patterns."""
    if not own:
        return False
    try:
        return patterns.example(own, (), int(shortest), None if longest is None else int(longest)) is None
    except patterns.UndecidedError:
        return False


def _of_patterns(form: Form, candidate: Form, searches: bool) -> Iterator[Difference]:
    own = _patterns(form)
    lowest, highest = _range(form)
    for pattern in _patterns(candidate):
        longest = None if math.isinf(highest) else int(highest)
        if pattern not in own and not (searches and _is_implied(pattern, own, int(lowest), longest)):
            yield Difference("pattern", list(own), pattern, candidate.owner("pattern", pattern))


def _is_implied(pattern: str, own: tuple[str, ...], shortest: int, longest: int | None) -> bool:
    try:
        return patterns.example(own, (pattern,), shortest, longest) is None
    except patterns.UndecidedError:
        return False


def _patterns(form: Form) -> tuple[str, ...]:
    return tuple(dict.fromkeys(form.all_of("pattern"))) if form.kind == "string" else ()


def _is_unique(form: Form) -> bool:
    return any(form.all_of("uniqueItems"))


def _is_apart(values: list[object], others: list[object]) -> bool:
    are_texts = all(isinstance(value, str) for value in (*values, *others))
    return are_texts and set(values).isdisjoint(others)


def _distinguished(forms: Iterable[Form], labels: Callable[[Form], Iterator[str]]) -> dict[str, Form]:
    """The forms by each label that only one of them has."""
    by_label: dict[str, list[Form]] = {}
    for form in forms:
        for label in labels(form):
            by_label.setdefault(label, []).append(form)
    return {label: members[0] for label, members in by_label.items() if len(members) == 1}


def _names(form: Form) -> Iterator[str]:
    if form.reference:
        yield form.reference.partition("#")[2]


def _tags(form: Form) -> Iterator[str]:
    for name, values in form.choices.items():
        if len(values) == 1 and name in form.required:
            yield json.dumps([name, values[0]], default=str)
