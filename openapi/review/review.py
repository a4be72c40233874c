"""A review: what is wrong with the new document, what it changes, and whether its version says so."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from openapi.contract import Document
from openapi.diff.findings import OPEN
from openapi.diff.reports.places import Marks
from openapi.diff.reports.report import Report
from openapi.diff.version_numbers import Needed
from openapi.lint.rules import Finding
from openapi.sources.text import Position

_AGREE = "acknowledge what is agreed on with `contract acknowledge`"
Lint = Callable[[Document], Sequence[Finding]]
"""Returns what is wrong with a document."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of the new document, and the place of it in a file, if it has one."""

    finding: Finding
    position: Position | None = None

    @property
    def where(self) -> str:
        """The line, or else the pointer."""
        return f"{self.position.file}:{self.position.line}" if self.position else self.finding.pointer or "/"


@dataclass(frozen=True)
class Review:
    """The changes of a document, and the faults that it did not have before; `known` counts those that it had."""

    report: Report
    faults: Sequence[Fault]
    known: int
    fails_on_breaks: bool = False
    """True if a break counts even if the version is high enough for it."""

    @property
    def passes(self) -> bool:
        """True if nothing has to be done."""
        return not self.reasons

    @property
    def needed(self) -> Needed | None:
        """The version that the changes need; None if a version cannot be read."""
        return self.report.judged.needed

    @cached_property
    def errors(self) -> list[Fault]:
        """The new faults that are no warnings."""
        return [fault for fault in self.faults if fault.finding.severity == "error"]

    @cached_property
    def reasons(self) -> list[str]:
        """What has to be done before it passes, in sentences; empty if nothing has."""
        return list(self._reasons())

    @property
    def as_json(self) -> dict[str, Any]:
        """The review for programs."""
        faults = [
            {
                "rule": fault.finding.rule,
                "severity": fault.finding.severity,
                "pointer": fault.finding.pointer,
                "message": fault.finding.message,
                "place": fault.where,
            }
            for fault in self.faults
        ]
        verdict = {"passes": self.passes, "reasons": self.reasons}
        return {**verdict, "lint": {"new": faults, "known": self.known}, "diff": self.report.as_json}

    def _reasons(self) -> Iterator[str]:
        if self.errors:
            number = "1 new fault" if len(self.errors) == 1 else f"{len(self.errors)} new faults"
            yield f"Mend {number} that lint found."
        is_too_low = self.needed is not None and not self.needed.is_met
        fails = [finding for finding in self.report.findings if finding.fails]
        if self.needed and is_too_low:
            yield f"Raise info.version to {self.needed.least}; or take back the changes that need it, or {_AGREE}."
        elif fails and (self.needed is None or self.fails_on_breaks):
            number = "the breaking change" if len(fails) == 1 else f"the {len(fails)} breaking changes"
            yield f"Take back {number}, or {_AGREE}."
        undecided = sum(not finding.acknowledged and finding.certainty in OPEN for finding in self.report.findings)
        if undecided and (is_too_low or fails):
            number = "1 change" if undecided == 1 else f"{undecided} changes"
            yield f"Read {number} without a proof: a change that breaks no client can be acknowledged."


def review(
    report: Report,
    documents: tuple[Document, Document],
    lint: Lint,
    marks: Marks | None = None,
    fails_on_breaks: bool = False,
) -> Review:
    """The review of a report and of the new one of its `documents`, whose lines `marks` knows.

    The old document is linted only if the new one has faults, to tell those that it had already.
    """
    old, new = documents
    findings = list(lint(new))
    before = {_identity(finding) for finding in lint(old)} if findings else set()
    fresh = [finding for finding in findings if _identity(finding) not in before]
    positions = marks.positions({finding.pointer for finding in fresh}) if marks else {}
    faults = [Fault(finding, positions.get(finding.pointer)) for finding in fresh]
    return Review(report, faults, len(findings) - len(fresh), fails_on_breaks)


def _identity(finding: Finding) -> tuple[str, str, str]:
    """What the same fault has in common in two documents."""
    return finding.rule, finding.pointer, finding.message
