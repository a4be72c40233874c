"""The findings of a comparison by what they concern: the whole document, one operation, or what several share."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openapi.diff.comparison.changes import Change
from openapi.diff.findings import Finding
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
_STEP = re.compile(r"\[\]|/[^/\[]*")


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one title, the breaks first."""

    title: str
    findings: Sequence[Finding]
    is_shared: bool = False
    """True if they are in a component of several operations."""

    def sentence(self, finding: Finding) -> str:
        """A finding in words; the place is in the component, if the group is of one."""
        return sentence(finding.change, _place_in_component(finding.change) if self.is_shared else None)


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """The groups: those with breaks first, then by their highest severity, the document before its operations."""
    by_title: dict[tuple[str, bool], list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: finding.order):
        by_title.setdefault(_title(finding.change), []).append(finding)
    groups = [Group(title, members, is_shared) for (title, is_shared), members in by_title.items()]
    return sorted(groups, key=_order)


def counted(findings: Sequence[Finding]) -> str:
    """The numbers of findings in words, such as `2 breaking (1 proved, 1 certain), 3 minor, 12 texts`."""
    breaks = Counter(finding.certainty for finding in findings if finding.fails)
    rest = Counter("texts" if finding.is_text else finding.label for finding in findings if not finding.fails)
    words = [f"{rest[name]} {name}" for name in _COUNTED if rest[name]]
    if breaks:
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(breaks.items()))
        words.insert(0, f"{breaks.total()} breaking ({kinds})")
    return ", ".join(words).replace(" 1 texts", " 1 text") or "no changes"


def _title(change: Change) -> tuple[str, bool]:
    """The title of the group of `change`, and True if that is a component which several operations share."""
    operations = change.operations
    if change.rule in _OF_OPERATIONS:
        return _OF_OPERATIONS[change.rule], False
    if len(operations) <= 1:
        return (operations[0] if operations else DOCUMENT), False
    parts = split(change.pointer)
    where = f" in {change.direction}s" if change.direction else ""
    if parts[0] == "components" and len(parts) > SHOWN and parts[1] in _KINDS:
        return f"{_KINDS[parts[1]]} {parts[2]}{where} of {len(operations)} operations", parts[1] == "schemas"
    rest = f" and {len(operations) - SHOWN} more" if len(operations) > SHOWN else ""
    return ", ".join(operations[:SHOWN]) + rest, False


def _order(group: Group) -> tuple[object, ...]:
    first = group.findings[0]
    return first.acknowledged is not None, not first.fails, -first.severity, group.title != DOCUMENT, group.title


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
