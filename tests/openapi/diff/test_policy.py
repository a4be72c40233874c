"""The policy, with severities that a file changes."""

import pytest

from openapi.diff import policy
from openapi.diff.policy import Policy, PolicyError
from openapi.diff.rules import RULES, UNDECIDED, WITHOUT_ROW, Severity
from tests.openapi.diff.pairs import NEVER_NAMED


def test_a_file_changes_the_severities_that_it_names() -> None:
    """The reason then names the file; all other rows stay as they are."""
    changed = Policy.read("response-property-added: minor", "ours.yaml")
    row = changed.row("response-property-added")
    assert (row.severity, row.changed_by) == (Severity.MINOR, "ours.yaml")
    assert row.why == f"{RULES['response-property-added'].why} Its severity was major, changed by ours.yaml."
    others = RULES.keys() - {"response-property-added"}
    assert all(changed.row(rule) is RULES[rule] for rule in others)


def test_a_severity_that_is_already_so_is_not_changed() -> None:
    """The row does not name the file, which changes nothing there."""
    assert Policy.read("operation-removed: major", "f").row("operation-removed") is RULES["operation-removed"]


def test_a_name_goes_before_wildcards_and_a_later_wildcard_before_an_earlier_one() -> None:
    """The order of the others has no effect."""
    text = "{response-enum-widened: patch, response-*: none, response-*-widened: minor}"
    changed = Policy.read(text, "f")
    names = ("response-enum-widened", "response-type-widened", "response-type-narrowed", "request-type-widened")
    severities = [changed.row(name).severity.name for name in names]
    assert severities == ["PATCH", "MINOR", "NONE", "MINOR"]


def test_undecided_changes_have_names_too() -> None:
    """A reader may let them pass, and each rule has one row."""
    assert Policy.read("'*-undecided-*': minor", "f").row(WITHOUT_ROW[0]).severity is Severity.MINOR
    assert list(Policy().rows) == [*RULES, *WITHOUT_ROW]
    assert all(Policy().rows[rule] is UNDECIDED and rule.endswith(NEVER_NAMED) for rule in WITHOUT_ROW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("operation-remove: minor", "'operation-remove' is not a rule; the nearest one is 'operation-removed'"),
        ("respons-*: minor", "is not a rule"),
        ("'': minor", "is not a rule"),
        ("operation-removed: small", "operation-removed: 'small' is not a severity: none, patch, minor or major"),
        ("operation-removed: 3", "'3' is not a severity"),
        ("operation-removed: [minor]", "is not a severity"),
        ("operation-removed:", "the severity is missing"),
        ("[operation-removed]", "it must be a mapping"),
        ("", "it must be a mapping"),
        ("a: &a minor\nb: *a", "YAML aliases are not accepted"),
        ("{operation-removed: minor, operation-removed: major}", "occurs twice"),
        (f"{'a*' * 51}: minor", "no rule has such a long name"),
        ("#" + "x" * policy.MAX_BYTES, "larger than"),
    ],
)
def test_another_file_is_refused(text: str, words: str) -> None:
    """The error names the place and the remedy."""
    with pytest.raises(PolicyError) as refused:
        Policy.read(text, "f")
    assert words in str(refused.value)
