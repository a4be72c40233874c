"""Removals that were announced: after their sunset they need no major version, if the reader chooses so."""

from dataclasses import replace
from datetime import date

from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.sunsets import REMOVALS, day_of

AFTER_SUNSET = "-after-sunset"
"""The end of the rules of removals that were announced."""

_NEW_SUNSETS = ("sunset-changed", "sunset-earlier")


def announced(change: Change, today: date) -> Change:
    """`change`, with the rule of an announced removal if its sunset has passed on the day `today`."""
    day = change.deprecation.day if change.deprecation else None
    is_announced = change.rule in REMOVALS and day is not None and today >= day
    return replace(change, rule=change.rule + AFTER_SUNSET) if is_announced else change


def when(change: Change) -> tuple[str, ...]:
    """The sentence that says when a removal may go in a minor version; none for other changes."""
    if change.rule not in REMOVALS:
        return ()
    day = change.deprecation and change.deprecation.day
    if day:
        return (f"It may go in a minor version from {day} on.",)
    return ("It may go in a minor version only after a sunset: `deprecated: true`, and `x-sunset` with a date.",)


def late(change: Change, today: date) -> tuple[str, ...]:
    """The sentence about a new sunset that leaves clients no time; none for other changes."""
    day = day_of(change.new) if change.rule in _NEW_SUNSETS else None
    return (f"It is over on {today} already.",) if day and day <= today else ()
