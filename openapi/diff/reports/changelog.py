"""The history of the contracts as Markdown: the changes of each version from the one that it follows."""

from collections.abc import Callable, Sequence

from openapi.contract import Contract, ContractError
from openapi.diff.comparison.changes import Change
from openapi.diff.reports.report import NO_CHANGE, Report
from openapi.diff.rules import judge
from openapi.diff.sentences import sentence
from openapi.rendering import markdown

Section = Callable[[Contract, Contract], str]
"""Returns the section of the second of two contracts: its changes from the first."""
Before = Callable[[str], Contract | None]
"""Returns the contract that a version is compared with; None for a first version."""


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
    notice = [markdown.line(report.incomplete), ""] if report.incomplete else []
    return "\n".join([heading, "", *notice, *(lines or [NO_CHANGE]), ""])


def changelog(contracts: Sequence[Contract], section: Section = section, before: Before | None = None) -> str:
    """The sections of `contracts`, last one first: the changes from what is `before` each, else the previous one."""
    if not contracts:
        return ""
    previous = dict(zip([contract.version for contract in contracts], [None, *contracts], strict=False))
    sections = [_section(contract, (before or previous.get)(contract.version), section) for contract in contracts]
    title = markdown.line(str(contracts[-1].document["info"].get("title", "")))
    return "\n".join([f"# Changelog of {title}\n", *reversed(sections)])


def _bullet(change: Change) -> str:
    """A change as a list item in Markdown."""
    breaks = " (breaking)" if change.is_break else ""
    return f"- {markdown.line(sentence(change))}{breaks}: {markdown.line(judge(change).why)}"


def _section(contract: Contract, before: Contract | None, section: Section) -> str:
    return section(before, contract) if before else f"## {contract.version}\n\nThe first version.\n"
