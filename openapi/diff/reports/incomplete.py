"""Where a report is incomplete: the places at which a limit cut the comparison, or the search for a proof."""

from collections.abc import Sequence
from typing import Any

from openapi.diff.comparison.changes import Change
from openapi.diff.findings import NOT_LOOKED_FOR, certainty

MOST_PLACES = 20
"""Limit on the places that a report lists; more are counted."""


def places(changes: Sequence[Change]) -> list[Change]:
    """The changes at whose places more effort might find others, or prove them."""
    return [change for change in changes if certainty(change) == NOT_LOOKED_FOR]


def as_json(changes: Sequence[Change]) -> dict[str, Any] | None:
    """The number of places, and the first of them; None if a report is complete."""
    cut = places(changes)
    if not cut:
        return None
    listed = [
        {
            "operation": change.operations[0] if change.operations else None,
            "pointer": change.pointer,
            "document": "new" if change.is_in_new else "old",
        }
        for change in cut[:MOST_PLACES]
    ]
    return {"count": len(cut), "places": listed}


def notice(changes: Sequence[Change]) -> str:
    """The same in words; empty if a report is complete."""
    cut = places(changes)
    if not cut:
        return ""
    shown = [", ".join([*change.operations[:1], change.pointer or "/"]) for change in cut[:MOST_PLACES]]
    if len(cut) > MOST_PLACES:
        shown.append(f"and {len(cut) - MOST_PLACES} more")
    number = "1 place" if len(cut) == 1 else f"{len(cut)} places"
    return f"This report is incomplete: a limit cut the comparison at {number}: {'; '.join(shown)}."
