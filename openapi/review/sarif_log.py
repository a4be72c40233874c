"""A review as SARIF 2.1.0: a run for the changes, and one for the faults."""

import json
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from openapi.diff.reports.report import json_text
from openapi.diff.reports.sarif import SCHEMA, sarif
from openapi.review.review import Fault, Review

_TOOL = "interaction-reporting"


def sarif_log(review: Review) -> str:
    """The review in JSON. The runs have names, because programs that read them take one run of each name."""
    log = json.loads(sarif(review.report))
    log["runs"][0]["automationDetails"] = {"id": "contract/diff/"}
    rules = sorted({fault.finding.rule for fault in review.faults})
    driver = {"name": _TOOL, "semanticVersion": version(_TOOL), "rules": [{"id": rule} for rule in rules]}
    log["runs"].append(
        {
            "tool": {"driver": driver},
            "automationDetails": {"id": "contract/lint/"},
            "columnKind": "unicodeCodePoints",
            "results": [_result(fault, rules.index(fault.finding.rule)) for fault in review.faults],
        }
    )
    return json_text(log, errors="replace")


def failed_log(reason: str) -> str:
    """The log of a review that was not possible: it has no results, and says why."""
    notice = {"level": "error", "message": {"text": reason}}
    driver = {"name": _TOOL, "semanticVersion": version(_TOOL)}
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "contract/diff/"},
        "invocations": [{"executionSuccessful": False, "toolExecutionNotifications": [notice]}],
        "results": [],
    }
    return json_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, errors="replace")


def _result(fault: Fault, index: int) -> dict[str, Any]:
    finding = fault.finding
    location: dict[str, Any] = {"logicalLocations": [{"fullyQualifiedName": finding.pointer or "/", "kind": "element"}]}
    if position := fault.position:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": quote(position.file)},
            "region": {"startLine": position.line, "startColumn": position.column},
        }
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.severity,
        "message": {"text": finding.message},
        "locations": [location],
    }
