"""The policy of one reader: the rows of `rules`, with severities that a file changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from openapi import document_text
from openapi.diff.comparison.changes import Change
from openapi.diff.rules import RULES, UNDECIDED, WITHOUT_ROW, Rule, Severity

MAX_BYTES = 64 * 1024
"""Limit on the bytes of a file of severities."""
_LONGEST = 100
_WILD = frozenset("*?[")


class PolicyError(ValueError):
    """A text does not change severities; the message says where, and why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The row that judges each change. The severities of `changed` stand in place of those of `rules`.

    `file` names what changed them. The effect of a change on the wire stays what it is.
    """

    changed: Mapping[str, Severity] = field(default_factory=dict)
    file: str = ""

    @classmethod
    def read(cls, text: str, file: str) -> "Policy":
        """The policy of `text`: a mapping from rules, or wildcards such as `response-*-widened`, to severities.

        The name of a rule goes before wildcards, and a later wildcard before an earlier one. Raises PolicyError.
        """
        try:
            written = document_text.read(text, MAX_BYTES)
        except document_text.TextError as error:
            raise PolicyError(str(error)) from None
        if not isinstance(written, dict):
            raise PolicyError("it must be a mapping from rules to none, patch, minor or major")
        severities = {pattern: _severity(pattern, value) for pattern, value in written.items()}
        changed: dict[str, Severity] = {}
        for is_wild in (True, False):
            for pattern, severity in severities.items():
                if is_wild is not _WILD.isdisjoint(pattern):
                    changed |= dict.fromkeys(_rules_of(pattern), severity)
        return cls(changed, file)

    def row(self, rule: str) -> Rule:
        """The row of `rule`; a changed one says so beside its reason."""
        row = RULES.get(rule, UNDECIDED)
        severity = self.changed.get(rule, row.severity)
        if severity is row.severity:
            return row
        why = f"{row.why} Its severity was {row.severity.name.lower()}, changed by {self.file}."
        return row._replace(severity=severity, why=why, changed_by=self.file)

    def judge(self, change: Change) -> Rule:
        """The row that judges `change`."""
        return self.row(change.rule)

    @property
    def rows(self) -> dict[str, Rule]:
        """The row of each rule, in the order of the table."""
        return {rule: self.row(rule) for rule in (*RULES, *WITHOUT_ROW)}


def _severity(pattern: str, value: Any) -> Severity:
    """The severity that `value` names; PolicyError if it is none."""
    names = {severity.name.lower(): severity for severity in Severity}
    if value is None:  # YAML reads `null` so, but not `none`
        raise PolicyError(f"{pattern}: the severity is missing: none, patch, minor or major")
    if not isinstance(value, str) or value not in names:
        raise PolicyError(f"{pattern}: {str(value)[:_LONGEST]!r} is not a severity: none, patch, minor or major")
    return names[value]


def _rules_of(pattern: str) -> list[str]:
    """The rules that `pattern` names; PolicyError if it names none, with the nearest one."""
    if len(pattern) > _LONGEST:
        raise PolicyError(f"{pattern[:_LONGEST]!r}...: no rule has such a long name")
    known = (*RULES, *WITHOUT_ROW)
    named = [rule for rule in known if fnmatchcase(rule, pattern)]
    if not named:
        nearest = get_close_matches(pattern, known, n=1, cutoff=0)
        raise PolicyError(f"{pattern!r} is not a rule; the nearest one is {nearest[0]!r}")
    return named
