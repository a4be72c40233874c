"""A review as Markdown, for a comment on a pull request."""

from collections.abc import Iterator

from openapi.diff.reports.markdown_report import LONGEST, markdown_report
from openapi.diff.reports.report import Report
from openapi.rendering import markdown
from openapi.rendering.terminal import without_commands
from openapi.review.review import Fault, Review

MOST_FAULTS = 50
"""Limit on the faults that a comment lists; more are counted."""


def comment(review: Review, longest: int = LONGEST) -> str:
    """The verdict, a line for each part of the review, what has to be done, and then the faults and the changes."""
    head = "\n".join(_head(review)) + "\n\n"
    report = markdown_report(review.report, longest=longest - len(head))
    return without_commands(head + report.replace("\n## ", "\n### ").replace("# ", "## ", 1))


def failure(reason: str) -> str:
    """The comment if there is no review."""
    return f"# Contract review: not possible\n\n{markdown.line(reason)}\n"


def _head(review: Review) -> Iterator[str]:
    report = review.report
    yield f"# Contract review: {'passes' if review.passes else 'fails'}"
    yield ""
    yield markdown.table(("Part", "Result"), _rows(review))
    yield ""
    if review.reasons:
        yield "To do:"
        yield ""
        yield from (f"- {markdown.line(reason)}" for reason in review.reasons)
    else:
        yield _verdict(report)
    if review.faults:
        yield from ("", "## Lint", "")
        yield from map(_line, review.faults[:MOST_FAULTS])
        if len(review.faults) > MOST_FAULTS:
            yield f"- and {len(review.faults) - MOST_FAULTS} more: `contract lint` lists all."


def _verdict(report: Report) -> str:
    """What a review that passes means to clients of the old document."""
    old = markdown.line(report.old)
    if report.is_break:
        return f"Clients of {old} can fail: the new version number says so."
    if any(finding.is_break for finding in report.findings):
        return f"Clients of {old} can fail, but only by changes that are acknowledged or announced."
    return f"No client of {old} is known to fail."


def _rows(review: Review) -> Iterator[tuple[str, str]]:
    errors, warnings = len(review.errors), len(review.faults) - len(review.errors)
    known = f" ({review.known} that were there before do not count)" if review.known else ""
    yield "Lint", f"{errors} new errors, {warnings} new warnings{known}"
    yield "Changes", markdown.line(review.report.summary)
    needed = review.needed
    yield "Version", markdown.line(str(needed)) if needed else "info.version is no version that can be compared"
    judged = review.report.judged
    counts = {
        "acknowledged": sum(finding.acknowledged is not None for finding in review.report.findings),
        "expired": len(judged.expired),
        "unused": len(judged.unused),
    }
    yield "Acknowledgements", ", ".join(f"{number} {kind}" for kind, number in counts.items())


def _line(fault: Fault) -> str:
    finding = fault.finding
    words = f"{markdown.line(finding.message)} ({markdown.code(finding.rule)}) {markdown.code(fault.where)}"
    return f"- **{finding.severity.capitalize()}**: {words}"
