"""Acknowledged changes: which of them count, the notes about them, and their file."""

import json
from collections.abc import Callable
from datetime import date

import pytest
from junitparser import JUnitXml
from sarif_pydantic import Sarif

from openapi.diff import acknowledgements
from openapi.diff.acknowledgements import Acknowledgement, AcknowledgementError
from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.diff.terms import Terms
from tests.openapi.diff.documents import with_body

TODAY = date(2026, 12, 1)
OTHER = "0123456789abcdef"
WORDS = "Acknowledged until 2027-01-01: clients were asked."
PEOPLE = [Format.TEXT, Format.MARKDOWN, Format.HTML, Format.GITHUB, Format.SARIF, Format.JUNIT, Format.JSON]


def report(*entries: Acknowledgement, today: date = TODAY) -> Report:
    """The report of one break, with acknowledgements."""
    old, new = (with_body({"type": "string", "maxLength": longest}) for longest in (9, 5))
    terms = Terms(acknowledged={entry.fingerprint: entry for entry in entries}, today=today)
    return Report.of(old, new, ("old", "new"), terms=terms)


FINGERPRINT = report().findings[0].fingerprint
ENTRY = Acknowledgement(FINGERPRINT, "clients were asked", date(2027, 1, 1), "The body is shorter.")


def test_an_acknowledged_break_is_shown_and_counts_for_nothing() -> None:
    """It is counted apart; without the acknowledgement it is a break."""
    known = report(ENTRY)
    assert (report().severity, report().is_break) == (Severity.MAJOR, True)
    assert (known.severity, known.is_break, known.summary) == (Severity.NONE, False, "1 change: 1 acknowledged")
    assert known.as_json["acknowledged"] == [ENTRY.as_json]
    assert known.as_json["changes"][0]["acknowledged"]["until"] == "2027-01-01"
    assert known.as_json["changes"][0]["breaking"] is True


@pytest.mark.parametrize("form", [form for form in PEOPLE if form is not Format.JSON])
def test_each_format_says_so(form: Format) -> None:
    """With the last day and the reason."""
    assert WORDS.rstrip(".") in rendered(report(ENTRY), form)
    assert "BREAKS" not in rendered(report(ENTRY), form)


def test_programs_take_it_for_no_failure() -> None:
    """SARIF has an accepted suppression, JUnit a test that passes, and GitHub a notice."""
    known = report(ENTRY)
    (run,) = Sarif.model_validate_json(rendered(known, Format.SARIF)).runs
    (suppression,) = json.loads(rendered(known, Format.SARIF))["runs"][0]["results"][0]["suppressions"]
    assert run.results
    assert suppression == {"kind": "external", "status": "accepted", "justification": WORDS.rstrip(".")}
    (suite,) = JUnitXml.fromstring(rendered(known, Format.JUNIT).encode())
    assert (suite.tests, suite.failures) == (1, 0)
    assert "<failure" not in rendered(known, Format.JUNIT)
    assert f"{WORDS}</system-out>" in rendered(known, Format.JUNIT)
    assert rendered(known, Format.GITHUB).startswith("::notice ")


@pytest.mark.parametrize(
    ("today", "is_break"), [(date(2027, 1, 1), False), (date(2027, 1, 2), True)], ids=["last day", "day after"]
)
def test_it_counts_again_after_its_last_day(today: date, is_break: bool) -> None:
    """The last day is included."""
    assert report(ENTRY, today=today).is_break is is_break


@pytest.mark.parametrize("form", PEOPLE)
@pytest.mark.parametrize(
    ("entry", "today", "kind", "words"),
    [
        (ENTRY, date(2027, 1, 2), "expired", "expired on 2027-01-01"),
        (Acknowledgement(OTHER, "gone"), TODAY, "unused", f"acknowledgement of {OTHER} is unused"),
    ],
    ids=["expired", "unused"],
)
def test_expired_and_unused_ones_are_named(
    entry: Acknowledgement, today: date, kind: str, words: str, form: Format
) -> None:
    """In every format; GitHub shows a warning."""
    text = rendered(report(entry, today=today), form)
    if form is Format.JSON:
        assert json.loads(text)[kind] == [entry.as_json]
    else:
        assert words in text
    if form is Format.GITHUB:
        assert "::warning::The acknowledgement of" in text


def test_a_file_keeps_what_it_has() -> None:
    """Sorted, each fingerprint once, with the comments at its beginning; it reads as it was written."""
    text = f"# Ours.\n- {{fingerprint: {FINGERPRINT}, reason: old}}\n"
    changed = acknowledgements.written(text, [Acknowledgement(OTHER, "more: 'words' # and \u00e9"), ENTRY])
    assert changed.startswith("# Ours.\n- fingerprint:")
    assert list(acknowledgements.read(changed)) == sorted([OTHER, FINGERPRINT])
    assert acknowledgements.read(changed)[FINGERPRINT] == ENTRY
    assert acknowledgements.written(changed, []) == changed
    assert acknowledgements.read("") == {}


def test_comments_are_not_lost() -> None:
    """A file that has some between its acknowledgements is not written."""
    with pytest.raises(AcknowledgementError, match="would be lost"):
        acknowledgements.written(f"- fingerprint: {OTHER}\n  # Because.\n  reason: a\n", [ENTRY])


def row(**members: object) -> Callable[[], str]:
    """A file of one acknowledgement with `members`; None leaves one out."""
    members = {"fingerprint": OTHER, "reason": "a", **members}
    return lambda: json.dumps([{name: value for name, value in members.items() if value is not None}])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (row(fingerprint="0123"), "acknowledgement 1: the fingerprint must have 16"),
        (row(fingerprint=1234567890123456), "in quotes"),
        (row(reason=None), "the reason must be a text of 1 to 1000"),
        (row(reason=" "), "the reason must be"),
        (row(reason="a" * 1001), "the reason must be"),
        (row(until="2027-02-29"), "until: 2027-02-29: there is no such day"),
        (row(until="tomorrow"), "until: 'tomorrow' is not a date"),
        (row(until=20270101), "until: '20270101' is not a date"),
        (row(untill="2027-01-01"), "the member 'untill' is unknown"),
        (lambda: "[a]", "acknowledgement 1: it must have the members"),
        (lambda: "{a: b}", "it must be a list"),
        (
            lambda: json.dumps([{"fingerprint": OTHER, "reason": "a"}] * 2),
            "acknowledgement 2: 0123456789abcdef occurs twice",
        ),
        (lambda: json.dumps([0] * 10_001), "more than 10000"),
        (lambda: "a: &a 1", "it must be a list"),
        (lambda: "- *a", "aliases are not accepted"),
    ],
)
def test_another_file_is_refused(text: Callable[[], str], words: str) -> None:
    """The error names the place and the reason."""
    with pytest.raises(AcknowledgementError) as refused:
        acknowledgements.read(text())
    assert words in str(refused.value)
