"""The reason why a text is not JSON, in our own words, whatever Python version runs."""

import json
import random
import time

import pytest

from openapi.standards.json_faults import DEEP, TooDeep, fault

PIECES = [
    *'{}[],:"\\a1-. \n\t',
    "\\u",
    "\\ud800",
    "\\u12",
    '"a":',
    "1.5e3",
    "-1e",
    "null",
    "tru",
    '{"a":1,',
    "[1,",
    "\u2028",
]
REFINED = "Illegal trailing comma"
"""The words of Python 3.13 and later for two faults that had other words before."""
NAME = "Expecting property name enclosed in double quotes"


def python_s_words(text: str) -> tuple[str, str | tuple[str, ...]]:
    """Python's own words about `text`, empty if it is JSON, and the beginning of our words for it."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg.startswith(REFINED):
            return error.msg, ("Expecting value", NAME)
        return error.msg, f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "", ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value at line 1, column 1"),
        (" \n ", "Expecting value at line 2, column 2"),
        ("[1,]", "Expecting value at line 1, column 4"),
        ("[1 , ]", "Expecting value at line 1, column 6"),
        ("[,1]", "Expecting value at line 1, column 2"),
        ("[nul]", "Expecting value at line 1, column 2"),
        ('{"a":-}', "Expecting value at line 1, column 6"),
        ("[.5]", "Expecting value at line 1, column 2"),
        ("{", f"{NAME} at line 1, column 2"),
        ('{"a":1,}', f"{NAME} at line 1, column 8"),
        ('{"a":1,\n\n}', f"{NAME} at line 3, column 1"),
        ("{a:1}", f"{NAME} at line 1, column 2"),
        ('{"a" 1}', "Expecting ':' delimiter at line 1, column 6"),
        ('{"a":[1 2]}', "Expecting ',' delimiter at line 1, column 9"),
        ('{"a":1 "b":2}', "Expecting ',' delimiter at line 1, column 8"),
        ("[1.]", "Expecting ',' delimiter at line 1, column 3"),
        ("[[]}", "Expecting ',' delimiter at line 1, column 4"),
        ("{} []", "Extra data at line 1, column 4"),
        ("[]]", "Extra data at line 1, column 3"),
        ("1e", "Extra data at line 1, column 2"),
        ('["a', "Unterminated string starting at at line 1, column 2"),
        ('["a\\', "Unterminated string starting at at line 1, column 2"),
        ('["a\tb"]', "Invalid control character at at line 1, column 4"),
        ('["a\n"]', "Invalid control character at at line 1, column 4"),
        ('["\\x41"]', "Invalid \\escape at line 1, column 3"),
        ('["\\u12"]', "Invalid \\uXXXX escape at line 1, column 4"),
        ('["\\u12zz"]', "Invalid \\uXXXX escape at line 1, column 4"),
        ('"\\u0041', "Invalid \\uXXXX escape at line 1, column 3"),
    ],
)
def test_a_fault_has_a_message_and_a_place(text: str, words: str) -> None:
    """Clients have always received these messages."""
    assert fault(text) == words


@pytest.mark.parametrize("seed", range(4))
def test_the_fault_is_the_one_that_python_reports(seed: int) -> None:
    """A text that Python refuses has a fault, in the same words unless Python changed its own."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    seen = set()
    for _ in range(5_000):
        text = "".join(dice.choices(PIECES, k=dice.randrange(12)))
        words, expected = python_s_words(text)
        seen.add(words)
        assert not words or fault(text).startswith(expected), text
    assert len(seen) >= 8


@pytest.mark.parametrize("brackets", ["[", '{"a":'], ids=["arrays", "objects"])
def test_depth_is_a_fault_of_its_own(brackets: str) -> None:
    """A text that is too deep before any other fault raises TooDeep, whatever depth Python allows."""
    assert fault(brackets * DEEP).startswith("Expecting")
    with pytest.raises(TooDeep):
        fault(brackets * (DEEP + 1))


@pytest.mark.parametrize(
    "text",
    [
        '"' + "a" * 4_000_000,
        '"' + "\\n" * 2_000_000,
        " " * 4_000_000,
        "[" + "1," * 2_000_000,
        "[" + '{"a":[1]},' * 400_000,
    ],
    ids=["a string", "escapes", "blanks", "numbers", "objects"],
)
def test_a_long_text_is_checked_in_time(text: str) -> None:
    """The largest allowed body takes no longer than Python takes with a hook for each object."""
    began = time.process_time()
    fault(text)
    assert time.process_time() - began < 1
