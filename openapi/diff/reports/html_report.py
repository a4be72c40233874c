"""A report as a page, which loads nothing and runs nothing."""

from markupsafe import Markup

from openapi.diff.findings import Finding
from openapi.diff.reports.groups import Group, grouped
from openapi.diff.reports.report import NO_CHANGE, Report, promise, repetition
from openapi.diff.reports.text_report import command
from openapi.rendering.html import Layout

LAYOUT = Layout(
    Markup(
        "table{width:100%;table-layout:fixed}th:first-child{width:7em}th:last-child{width:34%}"
        "td,th{padding:.4em;overflow-wrap:anywhere}pre{background:#f4f4f4;padding:.6em;white-space:pre-wrap}"
    )
)
_GROUP = Markup("<h2>{}</h2>\n<table><tr><th>Class<th>Change<th>Place</tr>{}</table>\n")
_ROW = Markup("<tr><td>{}</td><td>{}.<br>{} ({})<br><code>{}</code> <code>{}</code>{}</td><td>{}</td></tr>")


def html_report(report: Report, with_texts: bool = False) -> str:
    """The report as a page; changed texts are counted, and listed only `with_texts`."""
    groups = Markup("").join(_group(report, group) for group in grouped(report.shown(with_texts)))
    head, end = report.summary if report.findings else NO_CHANGE, report.texts_not_listed(with_texts)
    notes = Markup("").join(Markup("<p>{}</p>\n").format(note) for note in report.notes)
    return LAYOUT.page(report.title, Markup("{}<p>{}</p>\n{}<p>{}</p>").format(notes, head, groups, end))


def _group(report: Report, group: Group) -> Markup:
    repeated = group.repeated()
    rows = (_row(report, group, finding, id(finding) in repeated) for finding in group.findings)
    return _GROUP.format(group.title, Markup("").join(rows))


def _row(report: Report, group: Group, finding: Finding, is_repeated: bool) -> Markup:
    change, severity = finding.change, finding.severity.name.lower()
    return _ROW.format(
        Markup("<strong>breaks</strong>, {}").format(severity) if finding.fails else _class(finding),
        group.sentence(finding),
        finding.why,
        finding.certainty,
        change.rule,
        finding.fingerprint,
        _proof(finding, is_repeated),
        Markup("<br>").join(
            map(Markup("<code>{}</code>").format, dict.fromkeys([change.pointer, *report.lines(change)]))
        ),
    )


def _class(finding: Finding) -> str:
    """The class of a finding that is no break, or is acknowledged."""
    severity = finding.severity.name.lower()
    return f"{finding.label}, {severity}" if finding.label != severity else severity


def _proof(finding: Finding, is_repeated: bool) -> Markup:
    witness = finding.change.witness
    if not witness:
        return Markup("")
    if is_repeated:
        return Markup("<p>{}</p>").format(repetition(finding.change))
    proof = Markup("<p>{}</p><pre>{}</pre>").format(promise(finding.change), witness.short)
    return proof + (Markup("<pre>{}</pre>").format(curl) if (curl := command(witness)) else Markup(""))
