"""JSON that people see: nothing in it is hidden, and it is the same JSON."""

import json

import pytest

from openapi.rendering.visible_text import visible


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\ufeff", "\x85", "\u2028", "\U000e0041", "\x7f", "\u00a0"])
def test_a_hidden_character_becomes_an_escape(hidden: str) -> None:
    """Also one beyond the first plane; a parser reads the same."""
    value = {f"a{hidden}": [f"{hidden}é"]}
    text = visible(json.dumps(value, ensure_ascii=False, indent=2))
    assert hidden not in text
    assert json.loads(text) == value


def test_other_characters_stay() -> None:
    """Letters of any script, pictures, and the ends of lines."""
    text = json.dumps({"é": "日本 😀 שלום"}, ensure_ascii=False, indent=2)
    assert visible(text) == text
