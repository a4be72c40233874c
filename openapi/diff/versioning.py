"""The version that a document must have, according to its changes from each supported version."""

from collections.abc import Iterable, Set
from dataclasses import dataclass, replace

from openapi.contract import Contract
from openapi.diff.comparison.changes import Change
from openapi.diff.comparison.compare import compare
from openapi.diff.findings import OPEN, certainty, fingerprint
from openapi.diff.rules import Severity, judge
from openapi.diff.sentences import sentence

SHOWN = 10
"""Limit on the reasons in a sentence."""


@dataclass(frozen=True, slots=True)
class Violation:
    """The reason why a document cannot have its version: `old` and `new` are versions of one major version."""

    old: str
    new: str
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        """The version that the document must have, and the reasons."""
        major = int(self.new.split(".", maxsplit=1)[0])
        shown = [f"{sentence(change)} [{change.pointer or '/'}]" for change in self.changes[:SHOWN]]
        more = [f"and {len(self.changes) - SHOWN} more"] if len(self.changes) > SHOWN else []
        undecided = [fingerprint(change) for change in self.changes if certainty(change) in OPEN]
        reasons = "; ".join([*shown, *more])
        message = f"the version must be {major + 1}.0 and not {self.new}, because of changes from {self.old}: {reasons}"
        if undecided:
            message += f" (not proved compatible, but may be acknowledged with a reason: {', '.join(undecided)})"
        return message


def violations(
    contract: Contract, supported: Iterable[Contract], acknowledged: Set[str] = frozenset()
) -> list[Violation]:
    """The changes that `contract` may not make as a minor version, next to the `supported` ones of its major version.

    It is compared with each of them: a change can be compatible between neighbours but not from the first to the last.
    A change that is not proved compatible is no violation if its fingerprint is `acknowledged`.
    """
    violating = []
    for other in supported:
        if other.version == contract.version or other.major != contract.major:
            continue
        old, new = sorted((other, contract), key=lambda version: version.numbers)
        changes = tuple(change for change in compare(old, new) if judge(change).severity is Severity.MAJOR)
        violating.append(Violation(old.version, new.version, changes))
    return unacknowledged(violating, acknowledged)


def unacknowledged(violating: Iterable[Violation], acknowledged: Set[str]) -> list[Violation]:
    """What is left of violations if the changes with fingerprints in `acknowledged` count for nothing.

    A change that is proved to break a client, or certain to, cannot be acknowledged.
    """
    left = [
        replace(
            violation,
            changes=tuple(
                change
                for change in violation.changes
                if certainty(change) not in OPEN or fingerprint(change) not in acknowledged
            ),
        )
        for violation in violating
    ]
    return [violation for violation in left if violation.changes]
