"""Removals that were announced by a sunset, as a reviewer reads them; `labels/sunsets.yaml` has their classes."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from openapi.contract import Document
from openapi.diff.acknowledgements import Acknowledgement
from openapi.diff.comparison import sunsets
from openapi.diff.comparison.compare import compare
from openapi.diff.findings import fingerprint
from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.diff.terms import Terms
from tests.openapi.diff.documents import document, with_body

BEFORE, AFTER = date(2026, 9, 30), date(2026, 10, 1)
ANNOUNCED = {"deprecated": True, "x-sunset": "2026-10-01"}


def removal(today: date, has_sunsets: bool = True, announced: Any = ANNOUNCED) -> Report:
    """The report of a removed operation, which was announced so."""
    old = document(x={"get": {"responses": {}, **announced}})
    return Report.of(old, document(x={}), ("old", "new"), terms=Terms(today=today, has_sunsets=has_sunsets))


def test_an_announced_removal_needs_a_minor_version_by_choice() -> None:
    """It still breaks on the wire, which the words and JSON say; without the choice it is a break."""
    chosen, plain = removal(AFTER), removal(AFTER, has_sunsets=False)
    assert (chosen.severity, chosen.is_break, chosen.summary) == (Severity.MINOR, False, "1 change: 1 announced")
    assert (plain.severity, plain.is_break) == (Severity.MAJOR, True)
    (change,) = chosen.as_json["changes"]
    assert (change["breaking"], change["announced"], change["sunset"]) == (True, True, "2026-10-01")
    assert change["notes"] == ["It breaks clients that still use it, and counts as no break because it was announced."]
    assert plain.as_json["changes"][0]["notes"] == []
    assert "GET /x was removed; it was deprecated, with sunset 2026-10-01." in rendered(plain, Format.TEXT)


@pytest.mark.parametrize(
    ("announced", "words"),
    [
        (
            ANNOUNCED,
            "with sunset 2026-10-01. Requests to it receive 404 or 405. It may go in a minor version from 2026-10-01",
        ),
        (
            {"deprecated": True},
            "without a sunset. Requests to it receive 404 or 405. It may go in a minor version only after",
        ),
        ({"deprecated": True, "x-sunset": [1]}, "with sunset [1], which is no date. Requests"),
        (
            {"x-sunset": "2020-01-01"},
            "was removed. Requests to it receive 404 or 405. It may go in a minor version only",
        ),
    ],
)
def test_a_removal_that_may_not_go_yet_says_when(announced: Any, words: str) -> None:
    """It is a break as always."""
    report = removal(BEFORE, announced=announced)
    assert report.is_break
    assert words in " ".join(rendered(report, Format.TEXT).split())


def test_programs_take_an_announced_removal_for_no_failure() -> None:
    """Neither JUnit, nor GitHub, nor SARIF."""
    report = removal(AFTER)
    assert 'failures="0"' in rendered(report, Format.JUNIT)
    assert rendered(report, Format.GITHUB).startswith("::notice title=announced operation-removed-after-sunset::")
    assert json.loads(rendered(report, Format.SARIF))["runs"][0]["results"][0]["level"] == "note"


def test_an_acknowledgement_stays_valid_with_sunsets() -> None:
    """The fingerprint is the same before the sunset and after it."""
    (name,) = (change["fingerprint"] for change in removal(BEFORE).as_json["changes"])
    assert [change["fingerprint"] for change in removal(AFTER).as_json["changes"]] == [name]
    old = document(x={"get": {"responses": {}, **ANNOUNCED}})
    terms = Terms(acknowledged={name: Acknowledgement(name, "agreed")}, today=AFTER, has_sunsets=True)
    assert Report.of(old, document(x={}), ("old", "new"), terms=terms).summary == "1 change: 1 acknowledged"


def test_what_was_announced_is_no_part_of_a_fingerprint() -> None:
    """The same removal has it with another sunset."""
    changes = [change for text in ("2026-10-01", "2027-01-01") for change in removed_property(text)]
    assert changes[0].deprecation != changes[1].deprecation
    assert fingerprint(changes[0]) == fingerprint(changes[1]) == fingerprint(replace(changes[0], deprecation=None))


def removed_property(sunset: str) -> list[Any]:
    """The changes when a property of a request goes that had a sunset."""
    properties = {"a": {"type": "string", "deprecated": True, "x-sunset": sunset}}
    return compare(with_body({"type": "object", "properties": properties}), with_body({"type": "object"}))


def test_sunsets_that_no_document_should_have_are_bounded() -> None:
    """A long text, dates beyond the calendar, references that lead round, and shared objects."""
    for text in ("9999-12-31T23:59:59Z", "x" * 10_000, "0000-00-00"):
        (change,) = removed_property(text)
        assert change.deprecation
        assert (change.deprecation.day, len(change.deprecation.words) < 100) == (None, True)
    shared: Any = {"deprecated": True, "x-sunset": "2026-10-01"}
    for _ in range(60):
        shared = {"a": shared, "b": shared}
    documents = [Document("", {**document().document, "tags": [shared, {"x-sunset": number}]}) for number in (1, 2)]
    assert [change.rule for change in sunsets.compare(*documents)] == ["sunset-invalid"]
