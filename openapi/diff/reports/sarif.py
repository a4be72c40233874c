"""A report as SARIF 2.1.0 (OASIS), for the programs that show the results of static analysis."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from openapi.diff.findings import Finding
from openapi.diff.reports.places import Place
from openapi.diff.reports.report import Report, json_text
from openapi.diff.rules import Severity
from openapi.diff.sentences import named

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_TOOL = "interaction-reporting"
_FINGERPRINT = "interactionReporting/v1"
_LEVELS: Mapping[Severity, str] = {Severity.MAJOR: "warning", Severity.MINOR: "note", Severity.PATCH: "note"}


def sarif(report: Report, with_texts: bool = False) -> str:
    """The report in JSON: a break is an error, and a change that needs a major version is a warning."""
    shown = report.shown(with_texts)
    rules = sorted({finding.change.rule: finding for finding in shown}.items())
    driver = {
        "name": _TOOL,
        "semanticVersion": version(_TOOL),
        "rules": [_rule(name, finding) for name, finding in rules],
    }
    indexes = {name: index for index, (name, _) in enumerate(rules)}
    results = [_result(report, finding, indexes[finding.change.rule]) for finding in shown]
    run: dict[str, Any] = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    if report.notes:
        notes = [{"level": "warning", "message": {"text": note}} for note in report.notes]
        run["invocations"] = [{"executionSuccessful": True, "toolExecutionNotifications": notes}]
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, errors="replace")


def _rule(name: str, finding: Finding) -> dict[str, Any]:
    return {
        "id": name,
        "shortDescription": {"text": name.replace("-", " ").capitalize() + "."},
        "fullDescription": {"text": finding.rule.why},
        "defaultConfiguration": {"level": _LEVELS.get(finding.severity, "none")},
        "properties": {"class": finding.severity.name.lower(), "audience": finding.rule.audience},
    }


def _result(report: Report, finding: Finding, index: int) -> dict[str, Any]:
    change = finding.change
    places = report.places(change)
    shown = places[True].position is not None or change.is_in_new  # code scanning shows only files of the new revision
    own, other = places[shown], places[not shown]
    result = {
        "ruleId": change.rule,
        "ruleIndex": index,
        "level": "error" if finding.is_break and not finding.is_announced else _LEVELS.get(finding.severity, "none"),
        "message": {"text": f"{named(change, 2)}. {finding.why}"},
        "locations": [_location(own, change.operations)],
        "partialFingerprints": {_FINGERPRINT: finding.fingerprint},
        "properties": {"breaking": finding.is_break, "certainty": finding.certainty},
    }
    if finding.acknowledged:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": finding.acknowledged.words}
        ]
    if other.position:
        name = "old" if shown else "new"
        result["relatedLocations"] = [
            {"id": 1, **_location(other), "message": {"text": f"The place in the {name} document."}}
        ]
    return result


def _location(place: Place, operations: tuple[str, ...] = ()) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if place.position:
        position = place.position
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(position.file)},
            "region": {"startLine": position.line, "startColumn": position.column},
        }
    names = [{"fullyQualifiedName": place.pointer or "/", "kind": "element"}]
    location["logicalLocations"] = names + [{"fullyQualifiedName": name, "kind": "function"} for name in operations[:2]]
    return location
