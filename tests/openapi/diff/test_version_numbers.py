"""The version that changes need."""

import json
from typing import Any

import pytest

from openapi.diff.reports.formats import Format, rendered
from openapi.diff.reports.report import Report
from openapi.diff.rules import Severity
from openapi.diff.terms import Terms
from openapi.diff.version_numbers import VersionError, needed
from tests.openapi.diff.documents import document


@pytest.mark.parametrize(
    ("old", "severity", "least"),
    [
        ("1.4", Severity.NONE, "1.4"),
        ("1.4", Severity.PATCH, "1.4"),
        ("1.4", Severity.MINOR, "1.5"),
        ("1.4", Severity.MAJOR, "2.0"),
        ("1.4.2", Severity.NONE, "1.4.2"),
        ("1.4.2", Severity.PATCH, "1.4.3"),
        ("1.4.2", Severity.MINOR, "1.5.0"),
        ("1.4.2", Severity.MAJOR, "2.0.0"),
        ("0.4.2", Severity.MAJOR, "0.5.0"),
        ("0.4.2", Severity.MINOR, "0.5.0"),
        ("0.4.2", Severity.PATCH, "0.4.3"),
        ("0.9", Severity.MAJOR, "0.10"),
    ],
)
def test_the_least_version(old: str, severity: Severity, least: str) -> None:
    """That version is enough, and numbers are compared as numbers."""
    wanted = needed(old, least, severity)
    assert (wanted.least, wanted.is_met) == (least, True)
    major, minor, *_ = map(int, least.split("."))
    assert needed(old, f"{major}.{minor + 10}", severity).is_met
    assert needed(old, old, severity).is_met is (old == least)


@pytest.mark.parametrize(("old", "new"), [("1.10.0", "1.9.9"), ("1.4.2", "1.4.1"), ("2.0", "1.9"), ("1.4.2", "1.4")])
def test_a_version_may_not_become_lower(old: str, new: str) -> None:
    """Without a change, too."""
    wanted = needed(old, new, Severity.NONE)
    assert not wanted.is_met
    assert str(wanted) == f"info.version is {new}, and must be at least {old}: it may not be lower than {old}."


@pytest.mark.parametrize(
    "version", ["1", "v1.0", "1.0.0-rc.1", "1.0.0+b", "01.0", "1.0.0.0", "1.\u0661", 1.0, None, ""]
)
def test_another_version_cannot_be_read(version: Any) -> None:
    """The error names the document; a report without the demand does without."""
    for before, after, which in ((version, "1.0", "old"), ("1.0", version, "new")):
        with pytest.raises(VersionError, match=f"info.version of the {which} document is "):
            needed(before, after, Severity.NONE)
    old, new = document(), document()
    new.document["info"] = {"title": "A", "version": version}
    assert Report.of(old, new, ("a", "b")).as_json["needed_version"] is None
    with pytest.raises(VersionError):
        Report.of(old, new, ("a", "b"), terms=Terms(is_version_required=True))


@pytest.mark.parametrize("form", [form for form in Format if form is not Format.JSON])
def test_each_format_says_so(form: Format) -> None:
    """If it is required; JSON always has the version."""
    pair = document(x={"get": {"responses": {}}}), document()
    required = Report.of(*pair, ("a", "b"), terms=Terms(is_version_required=True))
    assert "info.version is 1.0, and must be at least 2.0" in rendered(required, form)
    assert "info.version" not in rendered(Report.of(*pair, ("a", "b")), form)
    assert json.loads(rendered(required, Format.JSON))["needed_version"] == "2.0"
