"""Characters that mislead a reader of a name."""

import pytest

from openapi import characters


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("clicked\u200b", "character U+200B"),
        ("cli\u00a0cked", "character U+00A0"),
        ("\u202eclicked", "character U+202E"),
        ("\ufeffclicked", "character U+FEFF"),
        ("fail\u00aded", "character U+00AD"),
        ("clicked ", "character U+0020"),
        (" clicked", "character U+0020"),
        ("cli\tcked", "character U+0009"),
        ("\x7fclicked", "character U+007F"),
        ("\u3164", "character U+3164"),
        ("a\U000e0041", "character U+E0041"),
        ("\u200ba\u200b\u2028", "characters U+200B, U+2028"),
        ("\u200b\u200c\u200d\u2060", "characters U+200B, U+200C, U+200D and more"),
    ],
)
def test_invisible_characters_are_named_by_code_point(text: str, points: str) -> None:
    """Each one once, and at most three of them."""
    assert characters.sentence("The name", text) == f"The name has the {points}."


@pytest.mark.parametrize("text", ["", "clicked", "flagged confusing", "größe", "नाम", "\u0441licked", "a-b.c/d"])
def test_visible_characters_are_not_named(text: str) -> None:
    """A blank between words is visible, and so is a letter or a mark of any script."""
    assert characters.sentence("The name", text) == ""


@pytest.mark.parametrize(
    ("text", "point"), [("\u0441licked", "U+0441"), ("clicked\u0301", "U+0301"), ("cl\uff49cked", "U+FF49")]
)
def test_a_character_that_the_intended_text_lacks_is_named(text: str, point: str) -> None:
    """A letter of another script, a combining mark, or a wide letter."""
    assert characters.sentence("The name", text, "clicked") == f"The name has the character {point}."


@pytest.mark.parametrize(
    "name",
    ["CLICKED", " clicked\t", "cli\u200bcked", "\u0441licked", "cl\u00efcked", "clicked\u0301", "ｃlicked", "cli-cked"],  # noqa: RUF001
)
def test_names_that_look_alike_fold_to_the_same(name: str) -> None:
    """Case, blanks, marks, width, and letters of other scripts make no difference."""
    assert characters.folded(name) == "clicked"
