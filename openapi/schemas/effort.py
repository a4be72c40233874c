"""The limits on the work of a comparison of schemas."""

from dataclasses import dataclass

from openapi.schemas.forms import MOST_FORMS
from openapi.schemas.validators import MOST_WEIGHED


@dataclass(frozen=True, slots=True)
class Effort:
    """The limits of one run; beyond them the comparison is undecided."""

    searches_patterns: bool = True
    """True to search for a text that only one of two patterns matches: different patterns may be equivalent."""
    most_comparisons: int = 50_000
    """Limit on comparisons of schemas."""
    most_forms: int = MOST_FORMS
    """Limit on forms per schema."""
    most_weighed: int = MOST_WEIGHED
    """Limit on the values in schemas that are canonicalized."""


DOCUMENTS = Effort()
"""For two documents that a person reviews."""
