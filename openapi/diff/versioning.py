"""The version that a document must have, by its changes from each supported version."""

from collections.abc import Iterable, Set
from dataclasses import dataclass

from openapi.contract import Contract
from openapi.diff.changes import Change
from openapi.diff.compare import compare
from openapi.diff.report import UNDECIDED, certainty, fingerprint
from openapi.diff.rules import Severity, judge
from openapi.diff.sentences import sentence

SHOWN = 10
"""Reasons that a sentence gives."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a document cannot have the version that it has: `old` and `new` are versions of one major version."""

    old: str
    new: str
    changes: tuple[Change, ...]

    def __str__(self) -> str:
        """The version that it is, and why."""
        major = int(self.new.split(".", maxsplit=1)[0])
        shown = [f"{sentence(change)} [{change.pointer or '/'}]" for change in self.changes[:SHOWN]]
        more = [f"and {len(self.changes) - SHOWN} more"] if len(self.changes) > SHOWN else []
        undecided = [fingerprint(change) for change in self.changes if certainty(change) == UNDECIDED]
        message = f"this is {major + 1}.0 and not {self.new}, because from {self.old}: " + "; ".join([*shown, *more])
        if undecided:
            message += f" (not proved compatible, and may be acknowledged with a reason: {', '.join(undecided)})"
        return message


def violations(
    contract: Contract, supported: Iterable[Contract], acknowledged: Set[str] = frozenset()
) -> list[Violation]:
    """The changes that `contract` may not make as a minor version beside the `supported` ones of its major version.

    It is compared with each, for a change can be compatible from one to the next and not from the first to the last.
    A change that is not proved compatible is no violation if its fingerprint is `acknowledged`.
    """
    violating = []
    for other in supported:
        if other.version == contract.version or other.major != contract.major:
            continue
        old, new = sorted((other, contract), key=lambda version: version.numbers)
        changes = [
            change
            for change in compare(old, new)
            if judge(change).severity is Severity.MAJOR
            and not (certainty(change) == UNDECIDED and fingerprint(change) in acknowledged)
        ]
        if changes:
            violating.append(Violation(old.version, new.version, tuple(changes)))
    return violating
