"""The alternatives of two unions: which of them stand for the same one, and which have no value in common."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from openapi.schemas.forms import Form


class Counterpart(NamedTuple):
    """The alternative that may stand for one of another union."""

    form: Form
    is_namesake: bool
    """True if a name or a tag shows it, False if only its place among the others does."""


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
