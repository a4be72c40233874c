"""A report for a terminal: by operation, each finding in a few lines."""

from collections.abc import Iterator

from openapi.diff.comparison.changes import Witness
from openapi.diff.findings import Finding
from openapi.diff.reports.groups import Group, grouped
from openapi.diff.reports.report import NO_CHANGE, Report, promise, repetition
from openapi.rendering.terminal import printable

LONGEST_COMMAND = 300
"""Limit on the characters of a command that a text or a page shows."""
_INDENT = " " * 10


def text_report(report: Report, with_texts: bool = False) -> str:
    """The report in lines; changed texts are counted, and listed only `with_texts`."""
    return "\n".join(map(printable, _lines(report, with_texts))) + "\n"


def command(witness: Witness) -> str | None:
    """The command for curl, if it is short enough for people."""
    return witness.curl if witness.curl and len(witness.curl) <= LONGEST_COMMAND else None


def _lines(report: Report, with_texts: bool) -> Iterator[str]:
    yield report.title
    yield from report.notes
    if not report.findings:
        yield NO_CHANGE
        return
    yield report.summary
    for group in grouped(report.shown(with_texts)):
        yield ""
        yield group.title
        repeated = group.repeated()
        for finding in group.findings:
            yield from _of_finding(report, group, finding)
            yield from _proof(finding, id(finding) in repeated)
    if counted := report.texts_not_listed(with_texts):
        yield from ("", counted)


def _of_finding(report: Report, group: Group, finding: Finding) -> Iterator[str]:
    change, label = finding.change, "BREAKS" if finding.fails else finding.label
    yield f"  {label:7} {group.sentence(finding)}."
    judgement = f"{finding.severity.name.lower()}, {finding.certainty}, {change.rule}, {finding.fingerprint}"
    yield f"{_INDENT}{finding.why} [{judgement}]"
    yield f"{_INDENT}{' to '.join(report.lines(change))}"


def _proof(finding: Finding, is_repeated: bool) -> Iterator[str]:
    witness = finding.change.witness
    if witness and is_repeated:
        yield f"{_INDENT}{repetition(finding.change)}"
    elif witness:
        yield f"{_INDENT}{promise(finding.change)}"
        lines = [*witness.short.splitlines(), command(witness)]
        yield from (f"{_INDENT}  {line}" for line in lines if line is not None)
