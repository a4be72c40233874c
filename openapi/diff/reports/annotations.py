"""A report as workflow commands of GitHub Actions, which annotate the changed lines of a pull request."""

import re
from collections.abc import Iterator

from openapi.diff.findings import Finding
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.diff.sentences import sentence
from openapi.rendering.terminal import printable

_IN_MESSAGE = re.compile(r"[%\r\n]")
_IN_PROPERTY = re.compile(r"[%\r\n:,]")


def annotations(report: Report, with_texts: bool = False) -> str:
    """A line for each finding: a break is an error, and a change that needs a major version is a warning.

    GitHub shows ten of each level in a step; the breaks come first.
    """
    return "".join(f"{line}\n" for line in _lines(report, with_texts))


def _lines(report: Report, with_texts: bool) -> Iterator[str]:
    for finding in report.shown(with_texts):
        change = finding.change
        position = report.places(change)[True].position
        properties = {"title": f"{finding.label} {change.rule}"}
        if position:
            where = {"file": position.file, "line": str(position.line), "col": str(position.column)}
            properties = {**where, **properties}
        written = ",".join(f"{name}={_escaped(_IN_PROPERTY, value)}" for name, value in properties.items())
        operation = f"{change.operations[0]}: " if change.operations else ""
        message = f"{operation}{sentence(change)}. {finding.why} ({finding.certainty}, {finding.fingerprint})"
        yield f"::{_level(finding)} {written}::{_escaped(_IN_MESSAGE, printable(message))}"
    for note in report.notes:
        yield f"::warning::{_escaped(_IN_MESSAGE, printable(note))}"
    yield f"::notice::{_escaped(_IN_MESSAGE, printable(f'{report.title} ({report.summary})'))}"


def _level(finding: Finding) -> str:
    if finding.fails:
        return "error"
    return "warning" if finding.severity is Severity.MAJOR and not finding.acknowledged else "notice"


def _escaped(characters: re.Pattern[str], text: str) -> str:
    return characters.sub(lambda match: f"%{ord(match[0]):02X}", text)
