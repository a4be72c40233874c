"""The terms on which a comparison is read: its policy, its part, and what its reader lets pass on a given day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from openapi.contract import Document
from openapi.diff.acknowledgements import Acknowledgement
from openapi.diff.comparison.changes import Change
from openapi.diff.findings import Finding, fingerprint
from openapi.diff.policy import Policy
from openapi.diff.selection import Selection


@dataclass(frozen=True, slots=True)
class Judged:
    """The findings of a comparison in order, and what there is to say beside them."""

    findings: Sequence[Finding] = ()
    expired: Sequence[Acknowledgement] = ()
    """Those of changes that count again, because the last day is over."""
    unused: Sequence[Acknowledgement] = ()
    """Those of changes that the comparison does not have."""
    only: str = ""
    """The filters that left other findings out, in words."""

    @property
    def notes(self) -> list[str]:
        """The sentences for people."""
        expired = [
            f"The acknowledgement of {entry.fingerprint} expired on {entry.until}: {entry.reason}"
            for entry in self.expired
        ]
        unused = [
            f"The acknowledgement of {entry.fingerprint} is unused, because no change has this fingerprint"
            + (f": {entry.sentence}" if entry.sentence else ".")
            for entry in self.unused
        ]
        return [*([f"Only: {self.only}."] if self.only else []), *expired, *unused]

    @property
    def as_json(self) -> dict[str, Any]:
        """The same for programs; `acknowledged` lists those of changes that count for nothing."""
        acknowledged = (finding.acknowledged for finding in self.findings)
        kinds = {"acknowledged": filter(None, acknowledged), "expired": self.expired, "unused": self.unused}
        listed = {kind: [entry.as_json for entry in entries] for kind, entries in kinds.items()}
        return {"only": self.only or None, **listed}


NOTHING = Judged()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reader says about a comparison. `today` is a day in UTC; without one, no date is over."""

    policy: Policy = field(default_factory=Policy)
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """By fingerprint."""
    today: date = date.min
    selection: Selection = field(default_factory=Selection)

    def judged(self, changes: Sequence[Change], old: Document, new: Document) -> Judged:
        """`changes` from `old` to `new` as findings; SelectionError if a filter fits no operation of them."""
        present = set(map(fingerprint, changes)) if self.acknowledged else set[str]()
        selected = self.selection.selected(changes, old, new) if self.selection else changes
        findings = sorted(map(self._finding, selected), key=lambda finding: finding.order)
        listed = [entry for _, entry in sorted(self.acknowledged.items())]
        return Judged(
            findings,
            [entry for entry in listed if entry.fingerprint in present and entry.is_expired(self.today)],
            [entry for entry in listed if entry.fingerprint not in present],
            self.selection.words,
        )

    def _finding(self, change: Change) -> Finding:
        rule = self.policy.judge(change)
        entry = self.acknowledged.get(fingerprint(change)) if self.acknowledged else None
        if entry and entry.is_expired(self.today):
            return Finding(change, rule, None, (f"Its acknowledgement expired on {entry.until}.",))
        return Finding(change, rule, entry)
