"""The values that the senders of refused ones probably meant."""

import pytest

from openapi import intended_values
from openapi.standards.date_time_faults import EXAMPLE

NOON = "2026-03-31T12:00:00"


@pytest.mark.parametrize(
    ("text", "faults", "timestamp"),
    [
        pytest.param(f"{NOON}Z\u200b", "it has the character U+200B", f"{NOON}Z", id="invisible"),
        pytest.param(
            f"\ufeff{NOON}", "it has the character U+FEFF; it has no time zone", f"{NOON}Z", id="no zone either"
        ),
        pytest.param(f"{NOON}\u221202:00", "it has the character U+2212", f"{NOON}-02:00", id="a minus sign"),
        pytest.param(f"{NOON}\u201302:00", "it has the character U+2013", f"{NOON}-02:00", id="a dash"),
        pytest.param(
            "2026-03-31\u00a012:00:00Z",
            "it has the character U+00A0; it has no T before the time of day",
            f"{NOON}Z",
            id="a blank that does not break",
        ),
        pytest.param("2026-03-31T12:0\u0660:00Z", "it has the character U+0660", f"{NOON}Z", id="an Arabic digit"),
        pytest.param(
            "2026-0\u0417-31T12:00:00Z",
            "it has the character U+0417; it is not written as YYYY-MM-DDThh:mm:ss with a time zone",
            EXAMPLE,
            id="a Cyrillic letter",
        ),
        pytest.param(f"{NOON}Z ", "it has white space around it", f"{NOON}Z", id="a blank"),
    ],
)
def test_a_timestamp_is_repaired(text: str, faults: str, timestamp: str) -> None:
    """Each character that misleads is named by its code point, and replaced where another stands for it."""
    assert intended_values.timestamp(text) == (faults, timestamp)


def test_a_long_list_is_searched_for_equal_names_alone() -> None:
    """The effort is bounded."""
    names = [f"name_{number:03}" for number in range(500)]
    assert intended_values.nearest("Name-007", names) == "name_007"
    assert intended_values.nearest("nane_007", names) == ""
    assert intended_values.nearest("nane_007", names[:50]) == "name_007"


@pytest.mark.parametrize(
    ("text", "names", "name"),
    [
        ("c#", ["C", "C++", "C#"], "C#"),
        ("\u00e1", ["A", "a", "\u00c1"], "\u00c1"),
        ("User", ["user", "agent"], "user"),
        ("1", ["+1", "-1"], ""),
        ("a-b", ["a_b", "a.b"], ""),
    ],
)
def test_of_names_that_are_alike_none_is_meant(text: str, names: list[str], name: str) -> None:
    """But for one that is equal without case."""
    assert intended_values.nearest(text, names) == name


def test_some_letters_are_taken_for_digits() -> None:
    """Those that a reader confuses; a text of letters is no UUID."""
    digits = "5b0e3c9a-6a57-4d0b-8f6f-2b7a1c0d9e11"
    assert intended_values.uuid(digits.replace("0", "O")) == digits
    assert intended_values.uuid("o" * 32) == ""
