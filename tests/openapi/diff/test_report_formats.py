"""Reports for the programs that read them, judged by readers that are not ours."""

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from junitparser import JUnitXml
from sarif_pydantic import Sarif

from openapi.contract import Document
from openapi.diff.reports.annotations import annotations
from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.groups import grouped
from openapi.diff.reports.junit import junit
from openapi.diff.reports.markdown_report import LONGEST, markdown_report
from openapi.diff.reports.places import Places
from openapi.diff.reports.report import Report
from openapi.diff.reports.sarif import sarif
from openapi.diff.reports.text_report import text_report
from openapi.sources.text import Position
from tests.openapi.diff.documents import document, with_body

HOSTILE = "a\x00\x1b[31m\ud800</failure>]]>::error::%0A,\nb"


class Lines:
    """Marks of `file`: the line of a place is the length of its pointer."""

    def __init__(self, file: str) -> None:
        self._file = file

    def positions(self, pointers: Iterable[str]) -> dict[str, Position]:
        """The position of each of `pointers`."""
        return {where: Position(self._file, len(where), 3) for where in pointers}


def compared(old: Document, new: Document) -> Report:
    """The report of two documents, each in a file with marks."""
    places = Places(old, new, (Lines("a b/old.yaml"), Lines("new,1.yaml")))
    return Report.of(old, new, ("old.yaml", "new.yaml"), places)


@pytest.fixture
def report() -> Report:
    """A break, a property that comes, one that goes, and a new text."""
    properties: list[dict[str, Any]] = [
        {"a": {"type": "string", "maxLength": 9}, "c": {}},
        {"a": {"type": "string", "maxLength": 5}, "b": {"type": "integer"}},
    ]
    old, new = (
        with_body({"type": "object", "properties": members}, summary=summary)
        for members, summary in zip(properties, ("Old.", "New."), strict=True)
    )
    return compared(old, new)


def test_sarif_has_each_change_at_its_line(report: Report) -> None:
    """A break is an error; what needs a major version is a warning, and all else a note."""
    (run,) = Sarif.model_validate_json(sarif(report)).runs
    results = run.results or []
    assert [(result.rule_id, str(result.level.value if result.level else "")) for result in results] == [
        ("request-maxLength-narrowed", "error"),
        ("request-property-removed", "warning"),
        ("request-property-added", "note"),
    ]
    rules = [rule.id for rule in run.tool.driver.rules or []]
    assert [rules[result.rule_index or 0] for result in results] == [result.rule_id for result in results]
    first, removed, _ = json.loads(sarif(report))["runs"][0]["results"]
    assert first["partialFingerprints"] == {"interactionReporting/v1": report.findings[0].fingerprint}
    where = report.changes[0].pointer
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "new%2C1.yaml"},
        "region": {"startLine": len(where), "startColumn": 3},
    }
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "a%20b/old.yaml"}
    assert removed["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "new%2C1.yaml"}
    (old,) = removed["relatedLocations"]
    assert old["physicalLocation"]["artifactLocation"] == {"uri": "a%20b/old.yaml"}
    assert old["message"] == {"text": "The place in the old document."}
    assert len(json.loads(sarif(report, with_texts=True))["runs"][0]["results"]) == len(results) + 1


def test_junit_fails_the_tests_of_what_breaks(report: Report) -> None:
    """Each operation is a test; its failure names the breaks, with their proofs, and its output the rest."""
    (suite,) = JUnitXml.fromstring(junit(report).encode())
    (case,) = suite
    (failure,) = case.result
    assert (suite.tests, suite.failures, suite.errors, case.name) == (1, 1, 0, "POST /x")
    assert failure.message == "1 breaking: body /a has maxLength 5; it was 9"
    assert '{"a": "aaaaaa"}' in failure.text
    assert "minor: body /b is a new property." in case.system_out
    (suite,) = JUnitXml.fromstring(junit(compared(document(), with_body({}))).encode())
    assert (suite.tests, suite.failures, [case.result for case in suite]) == (1, 0, [[]])


def test_annotations_name_the_file_and_the_line(report: Report) -> None:
    """They name the new file, also for a change whose place only the old one has."""
    error, warning, notice, summary = annotations(report).splitlines()
    where = report.changes[0].pointer
    start = (
        f"::error file=new%2C1.yaml,line={len(where)},col=3,title=breaks request-maxLength-narrowed::POST /x: body /a "
    )
    assert error.startswith(start)
    assert warning.startswith("::warning file=new%2C1.yaml,line=")
    assert re.search(
        r"POST /x: body /c is no longer a property\. .* It was at a b/old\.yaml:\d+\. \(certain, ", warning
    )
    assert "It was at" not in error + notice
    limits: tuple[dict[str, Any], dict[str, Any]] = ({"maxLength": 4}, {})
    wider = compared(*(with_body({"type": "string", **limit}) for limit in limits))
    assert not wider.changes[0].is_in_new
    assert "It was at" not in annotations(wider)
    assert notice.startswith("::notice file=new%2C1.yaml,line=")
    assert summary.startswith("::notice::old.yaml to new.yaml: major, breaking (4 changes: 1 breaking (1 proved), ")


def test_an_operation_is_named_once() -> None:
    """A change of the operation itself begins with its name; other changes have it in front."""
    removed = compared(with_body({}), document())
    for text in (annotations(removed), json.loads(sarif(removed))["runs"][0]["results"][0]["message"]["text"]):
        assert "POST /x was removed." in text
        assert text.count("POST /x") == 1


def test_hostile_texts_stay_texts() -> None:
    """In XML, in workflow commands and in JSON: no line, no element and no command more than for harmless ones."""
    printed = HOSTILE.replace("\ud800", "")
    old, new = (
        with_body({"type": "object", "properties": {name: {"enum": values}}}, path=f"/{name}", summary=name)
        for name, values in ((HOSTILE, [printed, "b"]), (HOSTILE, ["b"]))
    )
    hostile, harmless = compared(old, new), compared(with_body({"enum": ["a", "b"]}), with_body({"enum": ["b"]}))
    assert len(annotations(hostile).split("\n")) == len(annotations(harmless).split("\n"))
    assert all(line.startswith("::") for line in annotations(hostile).splitlines())
    names = [[element.tag for element in fromstring(junit(report)).iter()] for report in (hostile, harmless)]  # noqa: S314 (our own)
    assert names[0] == names[1]
    assert len(Sarif.model_validate_json(sarif(hostile)).runs[0].results or []) == 1


def many(count: int) -> tuple[Document, Document]:
    """Documents with `count` operations; each has a break with a long proof."""
    bodies = ({"type": "string", "minLength": least, "pattern": "^a*$"} for least in (100, 200))
    operations = []
    for body in bodies:
        post = with_body(body).document["paths"]["/x"]
        operations.append(document(**{f"p{number:04}": post for number in range(count)}))
    return operations[0], operations[1]


@pytest.mark.parametrize(("count", "proofs", "is_whole"), [(10, True, True), (200, False, True), (600, False, False)])
def test_markdown_fits_a_comment(count: int, proofs: bool, is_whole: bool) -> None:
    """Proofs are left out first, and then whole changes; the report says so, and how many."""
    text = markdown_report(compared(*many(count)))
    assert len(text) <= LONGEST
    assert ("The old contract accepts this" in text) is proofs
    listed = text.count("\n- **Breaks**")
    left_out = re.search(
        r"(\d+) more changes do not fit here \(\1 breaking\)\. The formats text and JSON list all", text
    )
    assert (listed == count, left_out is None) == (is_whole, is_whole)
    assert is_whole or (left_out and listed + int(left_out[1]) == count)
    assert ("The proofs do not fit here" in text) is (is_whole and not proofs)


def test_breaks_go_first_if_not_all_fits() -> None:
    """Over all groups: no group lists what is compatible while another one waits with a break."""
    paths = [f"p{number}" for number in range(9)]

    def of(least: int, **more: Any) -> Document:
        body = {"type": "object", "properties": {"a": {"type": "integer", "minimum": least}, **more}}
        return document(**{path: with_body(body).document["paths"]["/x"] for path in paths})

    long = compared(of(1), of(2, **{f"b{number}": {} for number in range(5)}))
    text = markdown_report(long, longest=5_500)
    assert len(text) <= 5_500
    assert [text.count(f"\n- **{label}**") for label in ("Breaks", "Minor")] == [9, shown := text.count("**Minor**")]
    assert 0 < shown < 45
    left_out = re.search(r"\n(\d+) more changes do not fit here \((\d+) minor\): (.*)\. The formats", text)
    assert left_out is not None
    assert int(left_out[1]) == int(left_out[2]) == 45 - shown
    assert left_out[3].split("; ")[-1] == "POST /p8"
    titles = re.findall("^## (.*)$", text, re.MULTILINE)
    assert titles == [f"POST /{path}" for path in paths]


def test_a_schema_is_one_group() -> None:
    """Its changes may concern different numbers of operations, which each line then says."""

    def of(limit: dict[str, Any]) -> Document:
        answer = {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
        member = {"a": {"type": "string", **limit}}
        responses = {path: {"get": {"responses": {"200": answer}}} for path in "qrs"}
        shared = document(**responses)
        optional = {"type": "object", "properties": {**member, "b": {"type": "string"}}}
        shared.document["components"] = {"schemas": {"A": optional}}
        if limit:
            shared.document["components"]["schemas"]["A"]["properties"]["c"] = {"type": "integer"}
        return shared

    first = Report.of(of({}), of({"maxLength": 4}), ("old", "new"))
    findings = [*first.findings]
    few = replace(findings[0], change=replace(findings[0].change, operations=("GET /q",)))
    some = replace(findings[0], change=replace(findings[0].change, operations=("GET /q", "GET /r")))
    (group,) = grouped([few, some, *findings[1:]])
    assert group.title == "Schema A in responses of up to 3 operations"
    assert [group.sentence(finding).partition(" (")[2] for finding in group.findings] == [
        "in GET /q)",
        "in 2 operations)",
        "",
    ]
    (group,) = grouped(findings)
    assert group.title == "Schema A in responses of 3 operations"


def test_operations_stand_by_path() -> None:
    """Those of one path together, behind what is removed."""

    def of(least: int) -> Document:
        post = with_body({"type": "integer", "minimum": least}).document["paths"]["/x"]["post"]
        return document(**{path: dict.fromkeys(("delete", "put"), post) for path in "qr"})

    old, new = of(1), of(2)
    old.document["paths"]["/z"] = old.document["paths"]["/y"] = old.document["paths"]["/q"]
    text = text_report(Report.of(old, new, ("old", "new")))
    assert re.findall(r"^(?:[A-Z].*|  BREAKS  .* was removed)", text, re.MULTILINE) == [
        "Removed operations",
        *(f"  BREAKS  {method} /{path} was removed" for path in "yz" for method in ("DELETE", "PUT")),
        *(f"{method} /{path}" for path in "qr" for method in ("DELETE", "PUT")),
    ]


def test_what_concerns_all_operations_stands_first() -> None:
    """Another path of the servers, before what single operations have."""

    def of(least: int, server: str) -> Document:
        post = with_body({"type": "integer", "minimum": least}).document["paths"]["/x"]
        made = document(a=post, b=post, c=post)
        made.document["servers"] = [{"url": server}]
        return made

    first, *others = grouped(Report.of(of(1, "/v1"), of(2, "/v2"), ("old", "new")).findings)
    assert [finding.change.rule for finding in first.findings] == ["server-path-changed"]
    assert [group.title for group in others] == ["POST /v2/a", "POST /v2/b", "POST /v2/c"]


def test_a_shared_parameter_is_one_line() -> None:
    """Under its own title, with the number of its operations; one that is declared in place stays apart."""

    def of(most: int, is_shared: bool) -> Document:
        limit = {"name": "l", "in": "query", "schema": {"type": "integer", "maximum": most}}
        parameters = [{"$ref": "#/components/parameters/L"} if is_shared else limit]
        made = document(**{path: {"get": {"parameters": parameters, "responses": {}}} for path in "qrs"})
        made.document["components"] = {"parameters": {"L": limit}}
        return made

    text = text_report(Report.of(of(9, True), of(5, True), ("old", "new")))
    assert "\nParameter L in requests of 3 operations\n  BREAKS  query parameter l has maximum 5; it was 9.\n" in text
    assert text.count("has maximum 5") == 1
    one = of(5, True)
    del one.document["paths"]["/q"]["get"]["parameters"]
    single = text_report(Report.of(of(9, True), one, ("old", "new")))
    assert "\nGET /q\n  major   query parameter l was removed.\n" in single
    assert text_report(Report.of(of(9, False), of(5, False), ("old", "new"))).count("has maximum 5") == 3


@pytest.mark.parametrize("form", [Format.TEXT, Format.MARKDOWN, Format.HTML, Format.JUNIT])
def test_a_proof_is_shown_once(form: Format) -> None:
    """If the same request proves another change of its group, the report says so."""
    old = with_body({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}})
    new = with_body({"type": "object", "required": ["a", "b"], "properties": old_properties(old)})
    text = rendered(Report.of(old, new, ("old", "new")), form)
    assert text.count("The old contract accepts this, the new one refuses it:") == 1
    assert text.count("The same request proves it.") == 1


def old_properties(old: Document) -> Any:
    """The properties of the body of POST /x."""
    return old.document["paths"]["/x"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]


@pytest.mark.parametrize("form", Format)
def test_texts_are_counted_unless_asked_for(form: Format, report: Report) -> None:
    """JSON always has them."""
    with_texts, without = (rendered(report, form, is_asked_for) for is_asked_for in (True, False))
    assert "POST /x summary changed" in with_texts
    assert ("summary changed" in without) is (form is Format.JSON)
    if form in {Format.TEXT, Format.MARKDOWN, Format.HTML}:
        assert "1 changed text, which only readers of the document see: not listed." in without


def test_the_findings_are_grouped() -> None:
    """Breaks first; what an operation alone has stands under its name, and a shared schema under its own."""

    def of(schema: dict[str, Any], *paths: str) -> Document:
        body = {
            "type": "object",
            "properties": {"list": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}},
        }
        posts = {path: with_body(body).document["paths"]["/x"] for path in paths}
        shared = document(**posts)
        shared.document["components"] = {"schemas": {"A": schema}}
        return shared

    old = of({"type": "object", "properties": {"b": {"type": "string"}}}, "q", "r", "s")
    new = of(
        {"type": "object", "required": ["b"], "properties": {"b": {"type": "string", "maxLength": 4}}}, "q", "r", "t"
    )
    text = text_report(Report.of(old, new, ("old", "new")))
    assert re.findall(r"^(?:\S.*|  (?:BREAKS|minor) .*)", text, re.MULTILINE) == [
        "old to new: major, breaking",
        "4 changes: 3 breaking (1 certain, 2 proved), 1 minor",
        "Removed operations",
        "  BREAKS  POST /s was removed; POST /t is new and written the same: it may have moved.",
        "Schema A in requests of 2 operations",
        "  BREAKS  A /b now has maxLength 4; it had none.",
        "  BREAKS  A /b is now required.",
        "New operations",
        "  minor   POST /t is a new operation.",
    ]
