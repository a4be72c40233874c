"""A report as workflow commands of GitHub Actions, which annotate the changed lines of a pull request."""

import re
from collections.abc import Iterator

from openapi.diff.findings import Finding
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.diff.sentences import named
from openapi.rendering.terminal import printable
from openapi.sources.text import Position

_IN_MESSAGE = re.compile(r"[%\r\n]")
_IN_PROPERTY = re.compile(r"[%\r\n:,]")


def annotations(report: Report, with_texts: bool = False) -> str:
    """A line for each finding: a break is an error, and a change that needs a major version is a warning.

    GitHub shows ten of each level in a step; the breaks come first.
    """
    return "".join(f"{line}\n" for line in _lines(report, with_texts))


def command(level: str, message: str, title: str = "", position: Position | None = None) -> str:
    """One line; `level` is error, warning or notice."""
    where = {"file": position.file, "line": position.line, "col": position.column} if position else {}
    properties = {**where, **({"title": title} if title else {})}
    written = ",".join(f"{name}={_escaped(_IN_PROPERTY, str(value))}" for name, value in properties.items())
    return f"::{level}{' ' * bool(written)}{written}::{_escaped(_IN_MESSAGE, printable(message))}"


def _lines(report: Report, with_texts: bool) -> Iterator[str]:
    for finding in report.shown(with_texts):
        change = finding.change
        was, position = (place.position for place in report.places(change))
        is_gone = "-removed" in change.rule or "-moved" in change.rule
        gone = f" It was at {was.file}:{was.line}." if was and is_gone else ""
        message = f"{named(change, 1)}. {finding.why}{gone} ({finding.certainty}, {finding.fingerprint})"
        yield command(_level(finding), message, f"{finding.label} {change.rule}", position)
    yield from (command("warning", note) for note in report.notes)
    yield command("notice", f"{report.title} ({report.summary})")


def _level(finding: Finding) -> str:
    if finding.fails:
        return "error"
    return "warning" if finding.severity is Severity.MAJOR and not finding.acknowledged else "notice"


def _escaped(characters: re.Pattern[str], text: str) -> str:
    return characters.sub(lambda match: f"%{ord(match[0]):02X}", text)
