"""The text of one file, and the places of its values."""

import json
from typing import Any

import pytest

from openapi.contract import ContractError
from openapi.document_text import Parts
from openapi.sources.text import Position, SourceText

YAML = """\
a: &a
  b: 1
  c: [2,
    3]
d:
  <<: *a
  e: {f: 1, "g/h": 2}
i: *a
"""
JSON = """\
{
  "a": {"b": [1, {"c": 2,
    "\\u0064": [[], {}, "}]\\"", 3]}],
    "": 4, "e/f": null},
  "g": 1.5e3
}
"""


def places(text: str, *wanted: Parts) -> list[tuple[int, int]]:
    """The line and column of each of `wanted`."""
    positions = SourceText.read("f", text.encode()).positions(wanted)
    return [(positions[parts].line, positions[parts].column) for parts in wanted]


def test_the_place_of_a_member_in_yaml_is_that_of_its_name() -> None:
    """What is merged, or behind an alias, stands at the anchor; an item has its own place."""
    wanted = (("a", "c", "1"), ("d", "b"), ("d", "e", "g/h"), ("i",), ("i", "b"), ())
    assert places(YAML, *wanted) == [(4, 5), (2, 3), (7, 13), (8, 1), (2, 3), (1, 1)]


def test_the_place_of_a_member_in_json_is_that_of_its_name() -> None:
    """Names are unescaped, and brackets within strings are none."""
    wanted = (("a", "b", "1", "d", "3"), ("a", "b", "1", "d"), ("a", ""), ("a", "e/f"), ("g",), ())
    assert places(JSON, *wanted) == [(3, 32), (3, 5), (4, 5), (4, 12), (5, 3), (1, 1)]


@pytest.mark.parametrize("text", [YAML, JSON])
def test_an_absent_value_has_the_place_of_what_is_around_it(text: str) -> None:
    """A change can concern what a document does not have."""
    assert places(text, ("a", "no", "b"), ("no",), ("a", "b", "7"))[:2] == [places(text, ("a",))[0], (1, 1)]
    assert places(text, ("a", "b", "7")) == places(text, ("a", "b"))


def test_every_value_of_a_document_has_its_place() -> None:
    """In JSON of random layout, the text at the place begins with the name or the value."""
    value: Any = {"a": [{"b": {"c": [1, "x", None, {"d": []}]}}, 2], "e": {"f": "[", "g": {}}}
    for indent in (None, 0, 3):
        text = json.dumps(value, indent=indent)
        for parts, inner in walk(value):
            (line, column), *_ = places(text, parts)
            expected = json.dumps(inner) if not parts or parts[-1].isdigit() else json.dumps(parts[-1])
            assert text.splitlines()[line - 1][column - 1 :].startswith(expected[:1]), (indent, parts)


def walk(value: Any, parts: Parts = ()) -> list[tuple[Parts, Any]]:
    """Each value within `value`, with its parts."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(parts, value), *(pair for name, inner in members for pair in walk(inner, (*parts, str(name))))]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1,\n "b" 2}', "f.yaml:2:6: it is neither JSON nor YAML: Expecting ':' delimiter"),
        (b'{"a": 1,\n "a": 2}', "f.yaml:2:2: the key 'a' occurs twice"),
        (b"a: 1\nb: c: d", "f.yaml:2:5: it is not YAML"),
        (b"a: 1\n\xff\xfe", "f.yaml:2:1: it is not a text in UTF-8"),
        (b"a: 1\nb\0", "f.yaml:2:2: it is not a text: it has a byte 0"),
        (b"\x89PNG\r\n\x1a\n", "f.yaml:1:1: it is not a text in UTF-8"),
        (b"[" * 100_000, "f.yaml:1:1: the document is nested more than 100 levels deep"),
        (b"[" * 150 + b"]" * 150, "f.yaml:1:1: the document is nested more than 100 levels deep"),
        (b"a: 1e999", "f.yaml: Out of range float values"),
    ],
)
def test_an_error_has_file_line_and_column(content: bytes, words: str) -> None:
    """The words for what looks like JSON are those for JSON."""
    with pytest.raises(ContractError) as caught:
        SourceText.read("f.yaml", content)
    assert str(caught.value).startswith(words)


def test_yaml_may_begin_like_json_and_json_may_begin_with_blanks() -> None:
    """A byte order mark counts for nothing."""
    assert SourceText.read("f", b"{a: &x 1, b: *x}").value == {"a": 1, "b": 1}
    text = SourceText.read("f", b'\xef\xbb\xbf\r\n {"a": 1}')
    assert (text.value, text.is_json) == ({"a": 1}, True)
    assert text.positions([("a",)]) == {("a",): Position("f", 2, 3)}
