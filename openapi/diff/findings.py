"""What a reviewer needs of a change beside its class: how certain it is, and a name for it in other comparisons."""

import hashlib
import json

from openapi.diff.comparison.changes import Change

PROVED, CERTAIN, UNDECIDED = "proved", "certain", "not proved compatible"
"""The certainty of a change: proved by a tried value, certain by the text of the documents, or undecided."""


def certainty(change: Change) -> str:
    """The certainty of a change: PROVED, UNDECIDED or CERTAIN."""
    if change.witness:
        return PROVED
    return UNDECIDED if change.is_break and change.is_of_schema else CERTAIN


def fingerprint(change: Change) -> str:
    """Identifies a change in other comparisons: a hash of its rule, place and values, never of its sentence."""
    values = [change.rule, change.pointer, *change.operations, repr(change.old), repr(change.new)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
