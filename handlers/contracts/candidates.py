"""A document that may become a contract: what is wrong with it, and what it changes."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from db.contracts import ContractRow
from db.errors import Refused
from handlers.contracts.lifecycle import LISTED, application, followed, is_published, require_readable, supported
from handlers.contracts.serving_plan import read, require_free_path
from handlers.operations import OPERATIONS
from openapi.contract import Contract, ContractError
from openapi.diff.comparison.changes import Change
from openapi.diff.findings import OPEN, certainty, fingerprint
from openapi.diff.reports.report import Report
from openapi.diff.versioning import Violation, unacknowledged, violations
from openapi.lint.rules import Finding, lint


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document next to the `rows` of the database.

    `fault` says why it can never be published as it is; `findings` are the house rules that it breaks, and
    `violating` the changes that its version number does not allow. `report` has its changes from the served contract
    that it follows, if there is one. All of it is found only of a document without faults before.
    """

    rows: Sequence[ContractRow]
    contract: Contract | None = None
    fault: str | None = None
    is_published: bool = False
    findings: Sequence[Finding] = ()
    violating: Sequence[Violation] = field(default=())
    report: Report | None = None

    @property
    def is_sound(self) -> bool:
        """True if nothing but its version number can stand in its way."""
        return self.contract is not None and self.fault is None and not self.broken

    @property
    def broken(self) -> list[Finding]:
        """The findings that are no warnings, at most LISTED."""
        return [finding for finding in self.findings if finding.severity == "error"][:LISTED]

    @property
    def undecided(self) -> dict[str, tuple[str, Change]]:
        """The changes that can be acknowledged, by fingerprint, each with the version that it is a change from."""
        changes = [(violation.old, change) for violation in self.violating for change in violation.changes]
        return {fingerprint(change): (old, change) for old, change in changes if certainty(change) in OPEN}

    def too_low(self, acknowledged: Set[str]) -> list[Violation]:
        """Why its version number is too low, if the changes with the fingerprints in `acknowledged` are accepted."""
        return unacknowledged(self.violating, acknowledged)


def examine(text: str, rows: Sequence[ContractRow], served: Sequence[Contract]) -> Candidate:
    """The document in `text` next to `rows`; `served` are the contracts that are served now. It takes a second."""
    try:
        contract = Contract.read(text)
    except ContractError as error:
        return Candidate(rows, fault=str(error))
    try:
        if is_published(rows, contract):
            return Candidate(rows, contract, is_published=True)
        findings = lint(contract, OPERATIONS)
        if any(finding.severity == "error" for finding in findings):
            return Candidate(rows, contract, findings=findings)
        require_free_path(contract)
        application(contract)
        require_readable(contract, rows)
        violating = violations(contract, map(read, supported(rows, contract.major)))
        before = followed(served, contract)
        report = Report.of(before, contract, (before.version, contract.version)) if before else None
    except (ContractError, Refused) as error:
        return Candidate(rows, contract, fault=str(error))
    return Candidate(rows, contract, findings=findings, violating=violating, report=report)
