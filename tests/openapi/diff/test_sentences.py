"""One sentence for each change: whole, and no longer than a person reads."""

from string import Formatter
from typing import Any

import pytest

from openapi.diff.changes import Change
from openapi.diff.sentences import LONGEST, sentence


def told(rule: str, had: Any = None, has: Any = None) -> str:
    """The sentence of a change of `body /a`."""
    return sentence(Change(rule, "", True, None, (), "body /a", had, has))


@pytest.mark.parametrize(
    ("rule", "had", "has", "expected"),
    [
        ("request-maxLength-narrowed", 10, 5, "body /a has maxLength 5; it was 10"),
        ("request-maxLength-narrowed", None, 5, "body /a now has maxLength 5; it had none"),
        ("response-maxLength-widened", 5, None, "body /a no longer has a maxLength; it was 5"),
        ("request-format-narrowed", [], "date", "body /a now has format date; it had none"),
        ("request-format-widened", "date", [], "body /a no longer has a format; it was date"),
        ("request-minimum-narrowed", 0, 1, "body /a has minimum 1; it was 0"),
        ("request-enum-narrowed", ["a", 1], ["b"], 'body /a may no longer be "a", 1'),
        ("request-enum-narrowed", None, ["b"], 'body /a must be one of "b"'),
        ("response-enum-widened", ["b"], ["a"], 'body /a may now be "a"'),
        ("response-enum-widened", ["b"], None, 'body /a may now be a value other than "b"'),
        ("request-nullable-narrowed", None, None, "body /a may no longer be null"),
        ("response-nullable-widened", None, None, "body /a may now be null"),
        ("request-default-changed", None, "é", "body /a now has default é; it had none"),
        ("request-deprecated-changed", None, True, "body /a is deprecated"),
        ("request-deprecated-changed", True, None, "body /a is no longer deprecated"),
        (
            "request-type-narrowed",
            "string",
            ["integer"],
            "body /a may no longer be of type string; it may be of type integer",
        ),
        ("response-type-widened", ["string"], "integer", "body /a may now be of type integer; it was of type string"),
        ("request-property-added", None, None, "body /a is a new property"),
        ("response-undecided-widened", 1, 2, "body /a: it cannot be shown that no other value is accepted"),
        ("security-narrowed", "key", "nothing", "clients need not authenticate; previously they authenticated by key"),
        (
            "security-widened",
            "nothing",
            "key or nothing",
            "clients authenticate by key, or not at all; previously they did not have to, which is still accepted",
        ),
    ],
)
def test_what_was_and_what_is(rule: str, had: Any, has: Any, expected: str) -> None:
    """Narrowed and widened, also from and to nothing."""
    assert told(rule, had, has) == expected


def test_long_values_are_cut() -> None:
    """To what a person reads."""
    assert told("request-pattern-narrowed", "a" * LONGEST, "b" * (LONGEST + 1)) == (
        f"body /a has pattern {'b' * LONGEST}\u2026; it was {'a' * LONGEST}"
    )


def test_what_a_document_says_is_no_template() -> None:
    """Braces stand for themselves."""
    assert told("request-pattern-narrowed", "{had}", "{0.__class__}") == (
        "body /a has pattern {0.__class__}; it was {had}"
    )
    assert not [name for _, name, _, _ in Formatter().parse(told("request-not-narrowed", 1, 2)) if name]
