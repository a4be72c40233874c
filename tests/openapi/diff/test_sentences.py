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
        ("request-maxLength-narrowed", 10, 5, "body /a has the maxLength 5; it was 10"),
        ("request-maxLength-narrowed", None, 5, "body /a has the maxLength 5, where there was none"),
        ("response-maxLength-widened", 5, None, "body /a has no maxLength any more; it was 5"),
        ("request-format-narrowed", [], "date", "body /a has the format date, where there was none"),
        ("request-format-widened", "date", [], "body /a has no format any more; it was date"),
        ("request-minimum-narrowed", 0, 1, "body /a has the minimum 1; it was 0"),
        ("request-enum-narrowed", ["a", 1], ["b"], 'body /a may no longer be "a", 1'),
        ("request-enum-narrowed", None, ["b"], 'body /a may only be one of "b"'),
        ("response-enum-widened", ["b"], ["a"], 'body /a may be "a"'),
        ("response-enum-widened", ["b"], None, 'body /a may be another value than "b"'),
        ("request-nullable-narrowed", None, None, "body /a may no longer be null"),
        ("response-nullable-widened", None, None, "body /a may be null now"),
        ("request-default-changed", None, "é", "body /a has default é; it was null"),
        ("request-property-added", None, None, "body /a is a new property"),
        ("response-undecided-widened", 1, 2, "body /a: it cannot be shown that nothing is accepted that was not"),
    ],
)
def test_what_was_and_what_is(rule: str, had: Any, has: Any, expected: str) -> None:
    """Narrowed and widened, also from and to nothing."""
    assert told(rule, had, has) == expected


def test_long_values_are_cut() -> None:
    """To what a person reads."""
    assert told("request-pattern-narrowed", "a" * LONGEST, "b" * (LONGEST + 1)) == (
        f"body /a has the pattern {'b' * LONGEST}\u2026; it was {'a' * LONGEST}"
    )


def test_what_a_document_says_is_no_template() -> None:
    """Braces stand for themselves."""
    assert told("request-pattern-narrowed", "{had}", "{0.__class__}") == (
        "body /a has the pattern {0.__class__}; it was {had}"
    )
    assert not [name for _, name, _, _ in Formatter().parse(told("request-not-narrowed", 1, 2)) if name]
