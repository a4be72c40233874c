"""A report as Markdown, for a comment on a pull request: by operation, and never longer than a comment may be."""

from collections.abc import Iterator

from openapi.diff.findings import Finding
from openapi.diff.reports.groups import Group, grouped
from openapi.diff.reports.report import NO_CHANGE, Report, promise
from openapi.rendering import markdown

LONGEST = 60_000
"""Limit on the characters of a report: GitHub takes comments of 65,536."""
_RESERVED = 300
"""Characters for the sentence that says what is left out."""
_NOTES = 10
"""Limit on the notes beside the findings."""


def markdown_report(report: Report, with_texts: bool = False, longest: int = LONGEST) -> str:
    """The report in at most `longest` characters; what does not fit is counted at its end."""
    head = f"# {markdown.line(report.title)}\n\n" + "".join(f"{note}\n\n" for note in _notes(report))
    if not report.findings:
        return f"{head}{NO_CHANGE}\n"
    head += f"{markdown.line(report.summary)}.\n\n"
    groups = grouped(report.shown(with_texts))
    for with_proofs in (True, False):
        blocks = [block for group in groups for block in _blocks(report, group, with_proofs)]
        if len(head) + sum(len(text) for text, _ in blocks) <= longest - _RESERVED:
            break
    body, left_out = "", list[Finding]()
    for text, finding in blocks:
        if not left_out and len(head) + len(body) + len(text) <= longest - _RESERVED:
            body += text
        elif finding:
            left_out.append(finding)
    return head + body + "\n\n".join(_endings(report, with_texts, with_proofs, left_out)) + "\n"


def _notes(report: Report) -> list[str]:
    """The first notes beside the findings, and how many more there are."""
    notes = [markdown.line(note) for note in report.notes[:_NOTES]]
    more = len(report.notes) - len(notes)
    return [*notes, f"{more} more notes do not fit here: the formats text and JSON list all."] if more else notes


def _blocks(report: Report, group: Group, with_proofs: bool) -> Iterator[tuple[str, Finding | None]]:
    """The title of a group, and its findings, each as Markdown."""
    yield f"## {markdown.line(group.title)}\n\n", None
    for finding in group.findings:
        text = f"- **{finding.label.capitalize()}**: {markdown.line(group.sentence(finding))}. {_judgement(finding)}"
        text += f" {' to '.join(map(markdown.code, report.lines(finding.change)))}\n\n"
        if with_proofs and finding.change.witness:
            lines = [promise(finding.change), "", *markdown.block(finding.change.witness.short).splitlines()]
            text += "\n".join(f"  {line}".rstrip() for line in lines) + "\n\n"
        yield text, finding


def _judgement(finding: Finding) -> str:
    names = f"{markdown.code(finding.change.rule)}, {markdown.code(finding.fingerprint)}"
    return f"{markdown.line(finding.why)} ({finding.severity.name.lower()}, {finding.certainty}, {names})"


def _endings(report: Report, with_texts: bool, with_proofs: bool, left_out: list[Finding]) -> Iterator[str]:
    if left_out:
        breaks = sum(finding.fails for finding in left_out)
        yield (
            f"{len(left_out)} more changes do not fit here, {breaks or 'none'} of them breaking: "
            "the formats text and JSON list all."
        )
    elif not with_proofs:
        yield "The proofs do not fit here: the formats text and JSON have them."
    if counted := report.texts_not_listed(with_texts):
        yield counted
