"""The differences in keywords between two forms of the same type: demands that only one of them makes."""

import math
from collections.abc import Iterator
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
