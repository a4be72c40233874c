"""On which terms schemas are compared."""

from dataclasses import dataclass

from openapi.schemas.forms import MOST_FORMS
from openapi.schemas.validators import MOST_WEIGHED


@dataclass(frozen=True, slots=True)
class Effort:
    """What is taken to be sent, and what a run may cost."""

    is_undeclared_sent: bool = False
    """Whether an object that is open has any other property, or only those that are declared."""
    searches_patterns: bool = True
    """Whether a text is looked for that tells patterns apart: those that are written otherwise may mean the same."""
    most_comparisons: int = 50_000
    """Of schemas, beyond which nothing is decided."""
    most_forms: int = MOST_FORMS
    """Of one schema, likewise."""
    most_weighed: int = MOST_WEIGHED
    """Values of schemas that are brought to canonical form."""


DOCUMENTS = Effort()
"""Of two documents that somebody reviews."""
