"""A change as a reviewer meets it: judged, with its certainty, and with a name for it in other comparisons."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from openapi.diff.acknowledgements import Acknowledgement
from openapi.diff.announced import AFTER_SUNSET
from openapi.diff.comparison.changes import Change
from openapi.diff.rules import Rule, Severity, judge

PROVED, CERTAIN = "proved", "certain"
"""The certainty of a change: proved by a tried value, or certain by the text of the documents."""
NOT_FOUND, NOT_DECIDABLE, NOT_LOOKED_FOR = "not found", "not decidable", "not looked for"
"""The certainty of another one: no proof was found, more effort would not help, or a limit cut the comparison."""
OPEN = frozenset({NOT_FOUND, NOT_DECIDABLE, NOT_LOOKED_FOR})
"""What a reviewer may acknowledge."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A change, the rule that judges it, and the acknowledgement of a reviewer, if there is one."""

    change: Change
    rule: Rule
    acknowledged: Acknowledgement | None = None
    notes: tuple[str, ...] = ()
    """Sentences beside the reason, such as `Its acknowledgement expired on 2027-01-01.`."""

    @classmethod
    def of(cls, change: Change) -> "Finding":
        """`change`, judged by the policy."""
        return cls(change, judge(change))

    @property
    def severity(self) -> Severity:
        """The version that the change needs."""
        return self.rule.severity

    @property
    def is_break(self) -> bool:
        """True if a client of the old document can fail."""
        return self.change.is_break

    @property
    def fails(self) -> bool:
        """True if it counts as a break: one that is neither acknowledged nor announced."""
        return self.is_break and not self.acknowledged and not self.is_announced

    @property
    def is_announced(self) -> bool:
        """True if it is a removal whose sunset has passed, and the reader lets it pass therefore."""
        return self.change.rule.endswith(AFTER_SUNSET)

    @property
    def why(self) -> str:
        """The reason of the rule, and what is known about this change."""
        words = [f"{self.acknowledged.words}."] if self.acknowledged else []
        return " ".join([self.rule.why, *self.notes, *words])

    @property
    def is_text(self) -> bool:
        """True if only readers of the document see the change."""
        return self.rule.audience == "text"

    @property
    def label(self) -> str:
        """The word that people look for: `acknowledged`, `announced`, `breaks`, or else the severity."""
        if self.acknowledged or self.is_announced:
            return "acknowledged" if self.acknowledged else "announced"
        return "breaks" if self.is_break else self.severity.name.lower()

    @property
    def certainty(self) -> str:
        """PROVED, CERTAIN, or one of OPEN."""
        return certainty(self.change)

    @property
    def fingerprint(self) -> str:
        """See `fingerprint`."""
        return fingerprint(self.change)

    @property
    def order(self) -> tuple[object, ...]:
        """The place among others: what fails first, then by severity, the acknowledged last; the same in every run."""
        change = self.change
        return (
            self.acknowledged is not None,
            not self.fails,
            -self.severity,
            tuple(map(by_path, change.operations)),
            change.pointer,
            change.rule,
            change.subject,
            self.fingerprint,
        )


def by_path(operation: str) -> tuple[str, str]:
    """The key that sorts names of operations by path, and then by method."""
    method, _, path = operation.partition(" ")
    return path, method


def overall(findings: Iterable[Finding]) -> Severity:
    """The highest severity of those of `findings` that are not acknowledged."""
    return max((finding.severity for finding in findings if not finding.acknowledged), default=Severity.NONE)


def certainty(change: Change) -> str:
    """The certainty of a change: PROVED, CERTAIN, or one of OPEN."""
    if change.witness:
        return PROVED
    if change.is_cut:
        return NOT_LOOKED_FOR
    if change.rule.endswith(("-undecided-narrowed", "-undecided-widened")):
        return NOT_DECIDABLE
    return NOT_FOUND if change.is_break and change.is_of_schema else CERTAIN


def fingerprint(change: Change) -> str:
    """Identifies a change in other comparisons: a hash of its rule, place and values, never of its sentence."""
    values = [
        change.rule.removesuffix(AFTER_SUNSET),
        change.pointer,
        *change.operations,
        repr(change.old),
        repr(change.new),
    ]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:16]
