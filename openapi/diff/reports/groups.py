"""The findings of a comparison by what they concern: the whole document, one operation, or what several share."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from openapi.diff.comparison.changes import Change
from openapi.diff.findings import Finding, by_path
from openapi.diff.sentences import sentence
from openapi.standards.json_pointer import split

DOCUMENT = "The document"
SHOWN = 2
"""Limit on the operations that the title of a group names."""
_COUNTED = ("major", "minor", "patch", "texts", "none", "announced", "acknowledged")
"""What is counted in words, beside breaks."""
_KINDS = {
    "schemas": "Schema",
    "responses": "Response",
    "parameters": "Parameter",
    "requestBodies": "Request body",
    "headers": "Header",
    "callbacks": "Callback",
}
_OF_OPERATIONS = {"operation-added": "New operations", "operation-removed": "Removed operations"}
_OF_OPERATIONS["operation-removed-after-sunset"] = _OF_OPERATIONS["operation-removed"]
_OF_ALL = ("/servers", "/security")
"""Places that concern all operations without one of their own."""
_STEP = re.compile(r"\[\]|/[^/\[]*")


class _Component(NamedTuple):
    """A component in one direction."""

    kind: str
    name: str
    direction: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one title, the breaks first."""

    title: str
    findings: Sequence[Finding]
    is_shared: bool = False
    """True if they are in a schema of several operations."""
    most_operations: int | None = None
    """The most operations that one of them concerns, if that is not the same for all; else None."""

    def sentence(self, finding: Finding) -> str:
        """A finding in words; the place is in the component, if the group is of one."""
        words = sentence(finding.change, _place_in_component(finding.change) if self.is_shared else None)
        operations = finding.change.operations
        if self.most_operations in (None, len(operations)):
            return words
        return f"{words} (in {f'{len(operations)} operations' if len(operations) > 1 else ''.join(operations)})"

    def repeated(self) -> frozenset[int]:
        """The identities of the findings that the message of an earlier one of the group proves, too."""
        proved, repeated = set[tuple[str | None, str]](), set[int]()
        for finding in self.findings:
            if witness := finding.change.witness:
                proof = finding.change.direction, witness.message
                if proof in proved:
                    repeated.add(id(finding))
                proved.add(proof)
        return frozenset(repeated)


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """The groups: those with breaks first, then by their highest severity, the document before its operations.

    What is in a component that several operations share is one group for each direction.
    """
    findings = sorted(findings, key=lambda finding: finding.order)
    shared = {_component(finding.change) for finding in findings if len(finding.change.operations) > 1}
    by_title: dict[str | _Component, list[Finding]] = {}
    for finding in findings:
        component = _component(finding.change)
        title = component if component and component in shared else _title(finding.change)
        by_title.setdefault(title, []).append(finding)
    return sorted((_group(title, members) for title, members in by_title.items()), key=_order)


def _group(title: str | _Component, findings: list[Finding]) -> Group:
    if isinstance(title, str):
        return Group(title, findings)
    numbers = {len(finding.change.operations) for finding in findings}
    where = f" in {title.direction}s" if title.direction else ""
    limit, most = ("up to ", max(numbers)) if len(numbers) > 1 else ("", None)
    words = f"{_KINDS[title.kind]} {title.name}{where} of {limit}{max(numbers)} operations"
    return Group(words, findings, title.kind == "schemas", most)


def counted(findings: Sequence[Finding]) -> str:
    """The numbers of findings in words, such as `5 changes: 2 breaking (1 proved, 1 certain), 2 minor, 1 text`."""
    breaks = Counter(finding.certainty for finding in findings if finding.fails)
    rest = Counter("texts" if finding.is_text else finding.label for finding in findings if not finding.fails)
    words = [f"{rest[name]} {name}" for name in _COUNTED if rest[name]]
    if breaks:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(breaks.items()))
        words.insert(0, f"{breaks.total()} breaking ({kinds})")
    if not words:
        return "no changes"
    total = "1 change" if len(findings) == 1 else f"{len(findings)} changes"
    return f"{total}: {re.sub('(?<![0-9])1 texts', '1 text', ', '.join(words))}"


def _title(change: Change) -> str:
    """The title of the group of `change`, unless that is a component."""
    operations = change.operations
    if change.rule in _OF_OPERATIONS:
        return _OF_OPERATIONS[change.rule]
    if not operations:
        return DOCUMENT
    rest = f" and {len(operations) - SHOWN} more" if len(operations) > SHOWN else ""
    return ", ".join(operations[:SHOWN]) + rest


def _component(change: Change) -> _Component | None:
    """The component that has the place of `change`; None if it is in none."""
    parts = split(change.pointer)
    if change.rule in _OF_OPERATIONS or parts[:1] != ("components",) or len(parts) <= SHOWN or parts[1] not in _KINDS:
        return None
    if parts[1] != "schemas" and len(change.operations) <= 1:
        return None  # it may be the operation that refers to the component now, or no longer
    return _Component(parts[1], parts[2], change.direction)


def _order(group: Group) -> tuple[object, ...]:
    first = group.findings[0]
    is_of_all = group.title == DOCUMENT or first.change.pointer in _OF_ALL
    rank = 0 if is_of_all else 1 if group.title in _OF_OPERATIONS.values() else 2
    return first.acknowledged is not None, not first.fails, -first.severity, rank, by_path(group.title)


def _place_in_component(change: Change) -> str:
    """The component of a change, and the steps from there to the changed value."""
    name, *rest = split(change.pointer)[2:]
    depth, waiting = 0, iter(rest)
    for part in waiting:
        if (part == "properties" and next(waiting, None) is not None) or part in ("items", "additionalProperties"):
            depth += 1
        elif part in ("allOf", "anyOf", "oneOf"):
            next(waiting, None)
    depth += change.rule.endswith(("-property-required", "-property-optional"))
    steps = _STEP.findall(change.subject.partition(" ")[2]) if depth else []
    return f"{name} {''.join(steps[-depth:])}" if steps else name
