"""The history of the contracts as Markdown: the changes of each version from the previous one."""

import itertools
from collections.abc import Callable, Sequence

from openapi.contract import Contract, ContractError
from openapi.diff.comparison.changes import Change
from openapi.diff.reports.report import NO_CHANGE, Report
from openapi.diff.rules import judge
from openapi.diff.sentences import sentence
from openapi.rendering import markdown

Section = Callable[[Contract, Contract], str]
"""Returns the section of the second of two contracts: its changes from the first."""


def section(before: Contract, contract: Contract) -> str:
    """The changes from `before` to `contract`, or the reason why they cannot be compared.

    Text changes are only counted: each would have the same line.
    """
    try:
        report = Report.of(before, contract, (before.version, contract.version))
    except ContractError as error:
        return f"## {contract.version}\n\nIt cannot be compared with {before.version}: {markdown.line(str(error))}\n"
    changes = [change for change in report.changes if judge(change).audience != "text"]
    texts = len(report.changes) - len(changes)
    lines = list(dict.fromkeys(map(_bullet, changes)))  # several operations may share a change
    if texts:
        lines.append(f"- {texts} descriptive texts changed.")
    severity = report.severity.name.lower() if report.severity else "no"
    heading = f"## {contract.version}: {severity} change from {before.version}"
    return "\n".join([heading, "", *(lines or [NO_CHANGE]), ""])


def changelog(contracts: Sequence[Contract], section: Section = section) -> str:
    """The sections of `contracts`, which are in ascending order of version; the newest section first."""
    if not contracts:
        return ""
    first = f"## {contracts[0].version}\n\nThe first version.\n"
    sections = [first, *(section(before, contract) for before, contract in itertools.pairwise(contracts))]
    title = markdown.line(str(contracts[-1].document["info"].get("title", "")))
    return "\n".join([f"# Changelog of {title}\n", *reversed(sections)])


def _bullet(change: Change) -> str:
    """A change as a list item in Markdown."""
    breaks = " (breaking)" if change.is_break else ""
    return f"- {markdown.line(sentence(change))}{breaks}: {markdown.line(judge(change).why)}"
