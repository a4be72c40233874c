"""One change for what two of a schema say: a property that comes or goes and is required, and a replaced union."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from openapi.diff.comparison.changes import Change

_DEMANDS = {"added": "required", "removed": "optional"}
"""For the end of a rule of a property that comes or goes: the end of the rule for its place in `required`."""


def joined(changes: Sequence[Change]) -> Iterator[Change]:
    """`changes` of one schema, without those of `required` that another one includes, and each union once.

    A property that comes and is required has a rule of its own. One that goes is a break if it was required.
    """
    changes = list(_without_exclusions(list(_unions_once(changes))))
    demands: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        kind, _, end = change.rule.rpartition("-")
        if end in _DEMANDS.values() and kind.endswith("-property"):
            demands.setdefault((change.subject, end), []).append(change)
    whole, included = [], set[int]()
    for change in changes:
        kind, _, end = change.rule.rpartition("-")
        waiting = demands.get((change.subject, _DEMANDS.get(end, "")), []) if kind.endswith("-property") else []
        if waiting:
            included.add(id(waiting[0]))
            change = _with(change, waiting.pop(0))  # noqa: PLW2901 (it replaces what it includes)
        whole.append(change)
    return (change for change in whole if id(change) not in included)


def _unions_once(changes: Sequence[Change]) -> Iterator[Change]:
    """`changes`, without those that come with a union that breaks a client.

    These are its other alternatives, and the properties that its alternatives have.
    """
    breaking = tuple({change.subject for change in changes if change.is_break and "-anyOf-" in change.rule})
    for change in changes:
        of_union = "-anyOf-" in change.rule and change.subject in breaking
        of_alternative = "-property-" in change.rule and any(_is_within(change.subject, union) for union in breaking)
        if change.is_break or not (of_union or of_alternative):
            yield change


def _without_exclusions(changes: Sequence[Change]) -> Iterator[Change]:
    """`changes`, without what an alternative of a `oneOf` that changed means for the others, unless a client breaks."""
    for change in changes:
        follows = "-not-" in change.rule and "/oneOf/" in change.pointer
        if change.is_break or not follows or not any(_has_place(other, change) for other in changes):
            yield change


def _has_place(other: Change, exclusion: Change) -> bool:
    """True if `other`, no exclusion itself, is at the place of `exclusion` or in what has that place."""
    is_there = other.subject == exclusion.subject or _is_within(other.subject, exclusion.subject)
    return "-not-" not in other.rule and is_there


def _is_within(subject: str, union: str) -> bool:
    """True if the place `subject` is in what has the place `union`."""
    return subject.startswith(union) and subject.removeprefix(union).lstrip().startswith(("/", "["))


def _with(change: Change, demand: Change) -> Change:
    """`change` of a property, with what `demand` says of its place in `required`."""
    rule = f"{change.rule}-required" if change.rule.endswith("added") else change.rule
    proved = demand if demand.is_break else change
    return replace(
        change, rule=rule, is_break=proved.is_break, find_witness=proved.find_witness, old=change.old, new=change.new
    )
