"""The content of a rejection as a page shows it: laid out, marked, and escaped where nothing could be seen."""

import json

import pytest

from handlers.pages.payloads import DEEPEST, MOST_BYTES, MOST_CHARACTERS, Payload, payload, visible


def shown(laid_out: Payload) -> str:
    """The text, with the marked field in brackets and escapes in braces."""
    around = {
        "": "{}",
        "field": "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}{}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}",
        "escaped": "<{}>",
    }
    return "".join(around[piece.mark].format(piece.text) for piece in laid_out.pieces)


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/a", '{\n  "a": «1.50»,\n  "b": [\n    {\n      "c/d~": "\\u00e9"\n    },\n    []\n  ]\n}'),
        ("/b/0/c~1d~0", '{\n  "a": 1.50,\n  "b": [\n    {\n      "c/d~": «"\\u00e9"»\n    },\n    []\n  ]\n}'),
        ("/b/0", '{\n  "a": 1.50,\n  "b": [\n    «{\n      "c/d~": "\\u00e9"\n    }»,\n    []\n  ]\n}'),
        ("/b/1", '{\n  "a": 1.50,\n  "b": [\n    {\n      "c/d~": "\\u00e9"\n    },\n    «[]»\n  ]\n}'),
        ("", '«{\n  "a": 1.50,\n  "b": [\n    {\n      "c/d~": "\\u00e9"\n    },\n    []\n  ]\n}»'),
    ],
)
def test_the_field_at_fault_is_marked(pointer: str, text: str) -> None:
    """As it was sent: digits, escapes and the order of names stay."""
    laid_out = payload(b'{"a":1.50,"b":[{"c/d~":"\\u00e9"},[]]}', pointer)
    assert shown(laid_out) == text
    assert (laid_out.is_laid_out, laid_out.is_found) == (True, True)


@pytest.mark.parametrize("pointer", ["/x", "/a/b", "/b/7", "/b/-1", "a", "/b/00", "/" * 5000, "/b/" + "9" * 5000, None])
def test_a_pointer_that_leads_nowhere_marks_nothing(pointer: str | None) -> None:
    """The content is laid out all the same."""
    laid_out = payload(b'{"a":1,"b":[2]}', pointer)
    assert shown(laid_out) == '{\n  "a": 1,\n  "b": [\n    2\n  ]\n}'
    assert (laid_out.is_laid_out, laid_out.is_found) == (True, False)


def test_a_name_that_comes_twice_is_marked_twice() -> None:
    """Nothing says which one the hub meant."""
    assert shown(payload(b'{"a":1,"a":{"a":2}}', "/a")).count("«") == 2


@pytest.mark.parametrize(
    ("raw", "text", "foreign"),
    [
        (b"{bad \xff\xfe", "{bad <\\xff><\\xfe>", 2),
        (b"\xe2\x82", "<\\xe2><\\x82>", 2),
        (b"\xed\xa0\x80", "<\\xed><\\xa0><\\x80>", 3),
        (b'{"a":"\xff"}', '{\n  "a": "<\\xff>"\n}', 1),
        (b"a\x00\x1b[31m\x7f\tb\n", "a<\\u0000><\\u001b>[31m<\\u007f>\tb\n", 0),
        ("a\u202eb\u2066\ufeff\U000e0041".encode(), "a<\\u202e>b<\\u2066><\\ufeff><\\U000e0041>", 0),
        ("Größe \U0001f600".encode(), "Größe \U0001f600", 0),
        (b"", "", 0),
    ],
)
def test_what_cannot_be_seen_is_escaped(raw: bytes, text: str, foreign: int) -> None:
    """Bytes that are not UTF-8 are counted; nobody takes the escapes for what was sent, because they are marked."""
    laid_out = payload(raw, "/a/b")
    assert shown(laid_out) == text
    assert (laid_out.foreign, laid_out.bytes) == (foreign, len(raw))


def test_an_escape_in_the_marked_field_does_not_end_the_mark() -> None:
    """The parts before and after it are marked, too."""
    assert shown(payload(b'{"a":"b\xffc"}', "/a")) == '{\n  "a": «"b»<\\xff>«c"»\n}'


@pytest.mark.parametrize("raw", [b'{"a" 1}', b"[1,]", b"{", b"]", b"1 2", b'"a', b"[" * 60_000, b'{"a":' * 10_000])
def test_what_is_no_json_is_shown_as_it_was_sent(raw: bytes) -> None:
    """Also if it is nested so deeply that no parser reads it."""
    laid_out = payload(raw, "/a")
    assert shown(laid_out) == raw.decode()
    assert (laid_out.is_laid_out, laid_out.is_found) == (False, False)


def test_deep_json_stays_small() -> None:
    """The blanks at the beginning of a line do not grow with each level, and the text has an end."""
    deep = b"[" * 500 + b",".join([b"1"] * 30_000) + b"]" * 500
    laid_out = payload(deep, "/0" * 500 + "/29999")
    lines = "".join(piece.text for piece in laid_out.pieces).split("\n")
    assert max(map(len, lines)) <= 2 * DEEPEST + 3
    assert sum(map(len, lines)) <= MOST_CHARACTERS
    assert laid_out.is_cut


def test_a_large_content_is_cut() -> None:
    """And not laid out; its size is that of the whole."""
    raw = json.dumps(["x" * 100] * 10_000).encode()
    laid_out = payload(raw, "/9")
    assert shown(laid_out) == raw[:MOST_BYTES].decode()
    assert (laid_out.is_cut, laid_out.is_laid_out, laid_out.bytes) == (True, False, len(raw))


def test_a_text_is_made_visible() -> None:
    """As a key of a request may be."""
    assert visible("a\u202eb\x1f") == "a\\u202eb\\u001f"
