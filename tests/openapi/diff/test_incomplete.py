"""Where a limit cuts the comparison, each report says that it is incomplete, and a reviewer decides."""

import json
from typing import Any

import pytest

from openapi.contract import Contract, Document
from openapi.diff.findings import NOT_DECIDABLE, NOT_FOUND, NOT_LOOKED_FOR, fingerprint
from openapi.diff.reports.changelog import section
from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.incomplete import MOST_PLACES
from openapi.diff.reports.report import Report
from openapi.diff.reports.text_report import text_report
from openapi.diff.versioning import violations
from tests.openapi.diff.documents import document, with_body

TEXT: dict[str, Any] = {"type": "string"}
POINTER = "/paths/~1x/post/requestBody/content/application~1json/schema"


def deep(levels: int, **last: Any) -> dict[str, Any]:
    """Lists within lists, and a text with `last`."""
    schema: dict[str, Any] = {**TEXT, **last}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def report(old: Any, new: Any) -> Report:
    """The report of two schemas of a body."""
    return Report.of(with_body(old), with_body(new), ("old", "new"))


def certainties(found: Report) -> list[str]:
    """The certainty of each change."""
    return [change["certainty"] for change in found.as_json["changes"]]


def test_an_incomplete_report_says_so_in_each_format() -> None:
    """With the operation and the place."""
    found = report(deep(85), deep(85, maxLength=5))
    incomplete = found.as_json["incomplete"]
    assert (found.as_json["class"], found.as_json["breaking"], incomplete["count"]) == ("major", True, 1)
    place = incomplete["places"][0]
    assert (place["operation"], place["document"]) == ("POST /x", "new")
    assert place["pointer"].startswith(POINTER + "/items")
    words = "This report is incomplete: a limit cut the comparison at 1 place: POST /x, "
    for form in Format:
        assert (form is Format.JSON) or words in rendered(found, form).replace("\\", "").replace("1 place:", "1 place:")
    assert certainties(found) == [NOT_LOOKED_FOR]


def test_a_complete_report_says_nothing_of_it() -> None:
    """The same change where it is found."""
    found = report(deep(3), deep(3, maxLength=5))
    assert found.as_json["incomplete"] is None
    assert not any("is incomplete" in rendered(found, form) for form in Format)


def test_many_places_are_counted() -> None:
    """The list is bounded."""
    old, new = (
        document(
            **{
                f"p{number}": {"get": {"responses": {"200": {"content": {"text/a": {"schema": deep(85, **last)}}}}}}
                for number in range(30)
            }
        )
        for last in ({}, {"maxLength": 5})
    )
    found = Report.of(old, new, ("old", "new"))
    assert (found.as_json["incomplete"]["count"], len(found.as_json["incomplete"]["places"])) == (30, MOST_PLACES)
    assert f"; and {30 - MOST_PLACES} more." in text_report(found)


def test_what_cannot_be_decided_has_another_word() -> None:
    """A schema that refers to itself, and patterns that are too hard to compare: no proof is found."""
    endless = {"components": {"schemas": {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}}}}
    root = {"$ref": "#/components/schemas/A"}
    old, new = (Document("", {**with_body(schema).document, **endless}) for schema in (root, TEXT))
    assert NOT_DECIDABLE in certainties(Report.of(old, new, ("old", "new")))
    hard = [{**TEXT, "pattern": pattern} for pattern in ("^(a|b)*a(a|b){12}$", "^(b|a)*a(b|a){12}$")]
    assert certainties(report(*hard))[0] == NOT_FOUND


def contract(version: str, schema: Any) -> Contract:
    """A contract with a body."""
    return Contract.read(json.dumps({**with_body(schema).document, "info": {"title": "A", "version": version}}))


@pytest.mark.parametrize("last", [{"maxLength": 5}, {"minLength": 0}])
def test_an_incomplete_comparison_is_not_compatible_by_itself(last: Any) -> None:
    """A reviewer acknowledges the place, whether there is a break or not."""
    old, new = contract("1.0", deep(85, pattern="a")), contract("1.1", deep(85, pattern="b|[^b]*a", **last))
    (violation,) = violations(new, [old])
    names = {fingerprint(change) for change in violation.changes}
    assert violations(new, [old], names) == []
    assert "This report is incomplete" in section(old, new).replace("\\", "")
