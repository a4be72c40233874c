"""A changed document keeps the layout and the comments of what stays."""

import json
from difflib import unified_diff
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi import document_text
from openapi.contract import DOCUMENTS, Document
from openapi.overlays.layout import rewritten

TEXT = """\
# The head.
info:
  title: A   # a comment
  version: "1.0"
  description: |
    Two

    lines.

# About tags.
tags:
  - name: x
    x-n: 1  # kept
  - {name: y, n: [1, 2]}  # one line
  # The third.
  - name: z
required: [a, b]
empty:
"""


def changed(new: dict[str, Any], text: str = TEXT) -> list[str]:
    """The lines that are taken out and put in; the result holds `new`."""
    base = Document.read(text)
    result = rewritten(base, new)
    assert Document.read(result).document == new
    lines = unified_diff(text.splitlines(), result.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:3] not in ("---", "+++") and not line.startswith("@@")]


def edited(**members: Any) -> dict[str, Any]:
    """The document of TEXT with other members; None removes one."""
    document = Document.read(TEXT).copy() | members
    return {name: value for name, value in document.items() if value is not ...}


INFO = Document.read(TEXT).document["info"]
TAGS = Document.read(TEXT).document["tags"]


@pytest.mark.parametrize(
    ("new", "lines"),
    [
        (edited(), []),
        (edited(info=INFO | {"title": "B"}), ["-  title: A   # a comment", "+  title: B   # a comment"]),
        (edited(info=INFO | {"version": "1.1"}), ['-  version: "1.0"', '+  version: "1.1"']),
        (edited(info=INFO | {"x-a": {"b": [1]}}), ["+  x-a:", "+    b:", "+      - 1"]),
        (edited(info=INFO | {"description": "C\nD\n"}), ["-    Two", "-", "-    lines.", "+    C", "+    D"]),
        (edited(required=["a", "b", "no"]), ["-required: [a, b]", "+required: [a, b, 'no']"]),
        (edited(required=["b"]), ["-required: [a, b]", "+required: [b]"]),
        (edited(required=...), ["-required: [a, b]"]),
        (edited(tags=TAGS[:2]), ["-  # The third.", "-  - name: z"]),
        (edited(tags=[*TAGS, {"name": "w"}]), ["+  - name: w"]),
        (edited(tags=[{"name": "w"}, *TAGS]), ["+  - name: w"]),
        (edited(tags=[{"x-n": 1}, *TAGS[1:]]), ["-  - name: x", "-    x-n: 1  # kept", "+  - x-n: 1  # kept"]),
        (
            edited(tags=[TAGS[0], {"name": "y", "n": [1, 2, 3], "o": None}, TAGS[2]]),
            ["-  - {name: y, n: [1, 2]}  # one line", "+  - {name: y, n: [1, 2, 3], o: null}  # one line"],
        ),
        (edited(empty={"a": 1}), ["-empty:", "+empty:", "+  a: 1"][2:]),
        (edited(more="x"), ["+more: x"]),
    ],
)
def test_only_the_changed_lines_differ(new: dict[str, Any], lines: list[str]) -> None:
    """Members and items that are changed, added and removed, in blocks and on one line."""
    assert changed(new) == lines


def test_line_ends_and_a_missing_one_are_kept() -> None:
    """CRLF stays CRLF; what is added after a last line without an end stands on its own line."""
    base = Document.read("info: {a: 1}\r\nb:\r\n  c: 1")
    assert rewritten(base, {"info": {"a": 1}, "b": {"c": 1, "d": 2}}) == "info: {a: 1}\r\nb:\r\n  c: 1\r\n  d: 2\r\n"


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_keeps_its_indentation(indent: int | str | None) -> None:
    """And its last line end."""
    base = Document.read(json.dumps({"info": {"a": ["é"]}}, indent=indent) + "\n")
    new = {"info": {"a": ["é", 1]}}
    assert rewritten(base, new) == json.dumps(new, indent=indent) + "\n"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["1", "no", "a\nb\n", "# x"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=4),
    max_leaves=12,
)


@given(
    VALUES, VALUES, st.sampled_from([document_text.write, lambda value: "\n".join(document_text.write_lines(value))])
)
def test_the_result_holds_the_new_value(old: Any, new: Any, write: Any) -> None:
    """Whatever the two documents are."""
    base = Document.read(write({"info": {"x": old}}))
    assert Document.read(rewritten(base, {"info": {"x": new}})).digest == Document("", {"info": {"x": new}}).digest


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.yaml")), ids=lambda path: path.name)
def test_a_released_document_stays_as_it_is(path: Any) -> None:
    """Without a change there is no difference."""
    base = Document.of_file(path)
    assert rewritten(base, base.copy()) == base.text
