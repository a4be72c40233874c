"""A report as Markdown, for a comment on a pull request: by operation, and never longer than a comment may be."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from openapi.diff.findings import Finding
from openapi.diff.reports.groups import Group, grouped
from openapi.diff.reports.report import NO_CHANGE, Report, promise, repetition
from openapi.diff.rules import Severity
from openapi.rendering import markdown

LONGEST = 60_000
"""Limit on the characters of a report: GitHub takes comments of 65,536."""
_RESERVED = 600
"""Characters for the sentence that says what is left out."""
_NAMED = 300
"""Limit on the characters that name the groups of what is left out."""
_CLASSES = ("breaking", "major", "minor", "patch", "none", "announced", "acknowledged")
_NOTES = 10
"""Limit on the notes beside the findings."""


def markdown_report(report: Report, with_texts: bool = False, longest: int = LONGEST) -> str:
    """The report in at most `longest` characters.

    If not all fits, what fails goes first, over all groups, then what is major, then the rest. What does not fit is
    counted at the end.
    """
    head = f"# {markdown.line(report.title)}\n\n" + "".join(f"{note}\n\n" for note in _notes(report))
    if not report.findings:
        return f"{head}{NO_CHANGE}\n"
    head += f"{markdown.line(report.summary)}.\n\n"
    groups = grouped(report.shown(with_texts))
    room = longest - _RESERVED - len(head)
    for with_proofs in (True, False):
        blocks = [_Block(group, *_block(report, group, with_proofs)) for group in groups]
        if sum(map(_length, blocks)) <= room:
            break
    shown = _fitting(blocks, room)
    body = "".join(
        block.title + "".join(text for text, finding in block.items if id(finding) in shown)
        for block in blocks
        if any(id(finding) in shown for _, finding in block.items)
    )
    left_out = [(block.group, finding) for block in blocks for _, finding in block.items if id(finding) not in shown]
    return head + body + "\n\n".join(_endings(report, with_texts, with_proofs, left_out)) + "\n"


class _Block(NamedTuple):
    """The title of a group, and its findings, each as Markdown."""

    group: Group
    title: str
    items: list[tuple[str, Finding]]


def _length(block: _Block) -> int:
    return len(block.title) + sum(len(text) for text, _ in block.items)


def _fitting(blocks: list[_Block], room: int) -> set[int]:
    """The identities of the findings that fit into `room` characters, the gravest first."""
    ordered = sorted(
        ((_rank(finding), index, text, finding) for index, block in enumerate(blocks) for text, finding in block.items),
        key=lambda item: item[:2],
    )
    shown, begun = set[int](), set[int]()
    for _, index, text, finding in ordered:
        room -= len(text) + (0 if index in begun else len(blocks[index].title))
        if room < 0:
            break
        begun.add(index)
        shown.add(id(finding))
    return shown


def _rank(finding: Finding) -> int:
    """0 for what fails, 1 for what else needs a major version, 2 for the rest."""
    if finding.fails:
        return 0
    return 1 if finding.severity is Severity.MAJOR and not finding.acknowledged else 2


def _notes(report: Report) -> list[str]:
    """The first notes beside the findings, and how many more there are."""
    notes = [markdown.line(note) for note in report.notes[:_NOTES]]
    more = len(report.notes) - len(notes)
    return [*notes, f"{more} more notes do not fit here: the formats text and JSON list all."] if more else notes


def _block(report: Report, group: Group, with_proofs: bool) -> tuple[str, list[tuple[str, Finding]]]:
    """The title of a group, and its findings, each as Markdown."""
    repeated = group.repeated()
    items = []
    for finding in group.findings:
        text = f"- **{finding.label.capitalize()}**: {markdown.line(group.sentence(finding))}. {_judgement(finding)}"
        text += f" {' to '.join(map(markdown.code, report.lines(finding.change)))}\n\n"
        if with_proofs and finding.change.witness:
            text += "\n".join(f"  {line}".rstrip() for line in _proof(finding, id(finding) in repeated)) + "\n\n"
        items.append((text, finding))
    return f"## {markdown.line(group.title)}\n\n", items


def _proof(finding: Finding, is_repeated: bool) -> list[str]:
    """The proof of a finding in lines; empty if it has none."""
    witness = finding.change.witness
    if witness is None or is_repeated:
        return [repetition(finding.change)] if witness else []
    return [promise(finding.change), "", *markdown.block(witness.short).splitlines()]


def _judgement(finding: Finding) -> str:
    names = f"{markdown.code(finding.change.rule)}, {markdown.code(finding.fingerprint)}"
    return f"{markdown.line(finding.why)} ({finding.severity.name.lower()}, {finding.certainty}, {names})"


def _endings(
    report: Report, with_texts: bool, with_proofs: bool, left_out: list[tuple[Group, Finding]]
) -> Iterator[str]:
    if left_out:
        yield f"{_left_out(left_out)}. The formats text and JSON list all."
    elif not with_proofs:
        yield "The proofs do not fit here: the formats text and JSON have them."
    if counted := report.texts_not_listed(with_texts):
        yield counted


def _left_out(left_out: list[tuple[Group, Finding]]) -> str:
    """What does not fit, by class; and where, if these are few groups."""
    counts = Counter("breaking" if finding.fails else finding.label for _, finding in left_out)
    number = "1 more change does" if len(left_out) == 1 else f"{len(left_out)} more changes do"
    classes = ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=_by_class))
    words = f"{number} not fit here ({classes})"
    titles = "; ".join(dict.fromkeys(markdown.line(group.title) for group, _ in left_out))
    return f"{words}: {titles}" if len(titles) <= _NAMED else words


def _by_class(count: tuple[str, int]) -> int:
    return _CLASSES.index(count[0])
