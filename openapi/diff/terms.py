"""The terms on which a comparison is read: its policy, its part, and what its reader lets pass on a given day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from openapi.contract import Document
from openapi.diff.acknowledgements import Acknowledgement
from openapi.diff.announced import AFTER_SUNSET, announced, late, when
from openapi.diff.comparison.changes import Change
from openapi.diff.findings import Finding, fingerprint, overall
from openapi.diff.policy import Policy
from openapi.diff.selection import Selection
from openapi.diff.version_numbers import Needed, VersionError, needed

ON_THE_WIRE = ("It breaks clients that still use it, and counts as no break because it was announced.",)


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
    needed: Needed | None = None
    """The version that the new document needs; None if a version cannot be read, or if findings were left out."""
    is_version_required: bool = False

    @property
    def is_version_too_low(self) -> bool:
        """True if the version of the new document is required to be higher."""
        return self.is_version_required and self.needed is not None and not self.needed.is_met

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
        only = [f"Only: {self.only}."] if self.only else []
        version = [str(self.needed)] if self.is_version_required and self.needed else []
        return [*version, *only, *expired, *unused]

    @property
    def as_json(self) -> dict[str, Any]:
        """The same for programs; `acknowledged` lists those of changes that count for nothing."""
        acknowledged = (finding.acknowledged for finding in self.findings)
        kinds = {"acknowledged": filter(None, acknowledged), "expired": self.expired, "unused": self.unused}
        listed = {kind: [entry.as_json for entry in entries] for kind, entries in kinds.items()}
        return {"needed_version": self.needed and self.needed.least, "only": self.only or None, **listed}


NOTHING = Judged()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a reader says about a comparison. `today` is a day in UTC; without one, no date is over."""

    policy: Policy = field(default_factory=Policy)
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)
    """By fingerprint."""
    today: date = date.min
    selection: Selection = field(default_factory=Selection)
    has_sunsets: bool = False
    """True to let removals pass whose sunset has passed."""
    is_version_required: bool = False
    """True if `info.version` must be what the changes need."""

    def judged(self, changes: Sequence[Change], old: Document, new: Document) -> Judged:
        """`changes` from `old` to `new` as findings; SelectionError if a filter fits no operation of them.

        Raises VersionError if the version is required and cannot be read.
        """
        present = set(map(fingerprint, changes)) if self.acknowledged else set[str]()
        selected = self.selection.selected(changes, old, new) if self.selection else changes
        findings = sorted(map(self._finding, selected), key=lambda finding: finding.order)
        listed = [entry for _, entry in sorted(self.acknowledged.items())]
        return Judged(
            findings,
            [entry for entry in listed if entry.fingerprint in present and entry.is_expired(self.today)],
            [entry for entry in listed if entry.fingerprint not in present],
            self.selection.words,
            self._needed(findings, old, new),
            self.is_version_required,
        )

    def _needed(self, findings: Sequence[Finding], old: Document, new: Document) -> Needed | None:
        """The version that `findings` need; VersionError if that is required and cannot be read."""
        if self.selection:
            return None
        before, after = (document.document["info"].get("version") for document in (old, new))
        try:
            return needed(before, after, overall(findings))
        except VersionError:
            if self.is_version_required:
                raise
            return None

    def _finding(self, change: Change) -> Finding:
        notes = late(change, self.today)
        if self.has_sunsets:
            change = announced(change, self.today)
            notes = ON_THE_WIRE if change.rule.endswith(AFTER_SUNSET) and change.is_break else when(change)
        rule = self.policy.judge(change)
        entry = self.acknowledged.get(fingerprint(change)) if self.acknowledged else None
        if entry and entry.is_expired(self.today):
            return Finding(change, rule, None, (*notes, f"Its acknowledgement expired on {entry.until}."))
        return Finding(change, rule, entry, notes)
