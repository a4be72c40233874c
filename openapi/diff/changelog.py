"""The history of the contracts as Markdown: what each version changed of the one before."""

import itertools
from collections.abc import Sequence

from openapi import markdown
from openapi.contract import Contract
from openapi.diff.report import Report, bullet
from openapi.diff.rules import judge

_NOTHING = "Nothing changed that is sent or read."


def changelog(contracts: Sequence[Contract]) -> str:
    """What each of `contracts`, which are in the order of versions, changed; the newest first.

    Changes of texts are counted: each of them would say no more than that it is one. ContractError if two of them
    cannot be compared.
    """
    if not contracts:
        return ""
    sections = [f"## {contracts[0].version}\n\nThe first version.\n"]
    for before, contract in itertools.pairwise(contracts):
        sections.append(_section(before, contract))
    title = markdown.line(str(contracts[-1].document["info"].get("title", "")))
    return "\n".join([f"# Changelog of {title}\n", *reversed(sections)])


def _section(before: Contract, contract: Contract) -> str:
    report = Report.of(before, contract, (before.version, contract.version))
    told = [change for change in report.changes if judge(change).audience != "text"]
    texts = len(report.changes) - len(told)
    lines = list(map(bullet, told))
    if texts:
        lines.append(f"- {texts} texts for readers changed.")
    kind = report.kind.name.lower() if report.kind else "no"
    heading = f"## {contract.version}: {kind} change from {before.version}"
    return "\n".join([heading, "", *(lines or [_NOTHING]), ""])
