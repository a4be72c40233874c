"""A report as JUnit's XML, for the programs that show test results: one test for each operation or component."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from openapi.diff.findings import Finding
from openapi.diff.reports.groups import Group, grouped
from openapi.diff.reports.report import Report, promise, repetition

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot have (section 2.2)."""


def junit(report: Report, with_texts: bool = False) -> str:
    """The report in XML: the test of what breaks a client fails, and says how."""
    groups = grouped(report.shown(with_texts))
    suite = Element("testsuite", name=_clean(f"{report.old} to {report.new}"), tests=str(len(groups)), errors="0")
    suite.set("failures", str(sum(group.findings[0].fails for group in groups)))
    for group in groups:
        _add(suite, report, group)
    if report.notes:
        SubElement(suite, "system-out").text = _clean("\n".join(report.notes))
    suites = Element("testsuites")
    suites.append(suite)
    indent(suites)
    return tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: Element, report: Report, group: Group) -> None:
    """Add the test of `group` to `suite`."""
    case = SubElement(suite, "testcase", classname="contract", name=_clean(group.title), time="0")
    old, new = report.places(group.findings[0].change)
    place = new.position or old.position
    if place:
        case.set("file", _clean(place.file))
        case.set("line", str(place.line))
    breaks = [finding for finding in group.findings if finding.fails]
    rest = [finding for finding in group.findings if not finding.fails]
    if breaks:
        failure = SubElement(case, "failure", type=breaks[0].change.rule)
        failure.set("message", _clean(f"{len(breaks)} breaking: {group.sentence(breaks[0])}"))
        repeated = group.repeated()
        words = (_in_words(group, finding, id(finding) in repeated) for finding in breaks)
        failure.text = _clean("\n\n".join(words))
    if rest:
        SubElement(case, "system-out").text = _clean(_lines(group, rest))


def _lines(group: Group, findings: Sequence[Finding]) -> str:
    return "\n".join(f"{finding.label}: {group.sentence(finding)}. {finding.why}" for finding in findings)


def _in_words(group: Group, finding: Finding, is_repeated: bool) -> str:
    witness = finding.change.witness
    proof = f"\n{promise(finding.change)}\n{witness.short}" if witness else ""
    if is_repeated:
        proof = f"\n{repetition(finding.change)}"
    words = f"{group.sentence(finding)}. {finding.why} ({finding.severity.name.lower()}, {finding.certainty}"
    return f"{words}, {finding.change.rule}, {finding.fingerprint}){proof}"


def _clean(text: str) -> str:
    """`text` with other characters in place of those that XML cannot have."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
