"""I-JSON: values are read exactly as sent; ambiguous or unstorable values are refused."""

import json
import math
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi.standards import ijson

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**1099) + 1, 10**1100 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5))


def nested(depth: int) -> bytes:
    """`depth` nested arrays."""
    return b"[" * depth + b"]" * depth


@settings(deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
def test_a_value_comes_back_as_it_was_sent(value: Any, ensure_ascii: bool, indent: int | None) -> None:
    """JSON of another program is read as the same value, with each digit and character."""
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
    assert repr(ijson.loads(text.encode())) == repr(value)


@settings(deadline=None)
@given(st.binary() | st.text('[]{}",: \\u0d8-1.ntrefalsé', max_size=60).map(str.encode))
def test_a_text_is_read_as_others_read_it_or_refused(body: bytes) -> None:
    """The value equals that of Python's json, and no other errors than the two refusals are raised."""
    try:
        value = ijson.loads(body)
    except (ijson.MalformedJSON, ijson.UnstorableValue):
        return
    assert _as_doubles(value) == repr(json.loads(body))


def _as_doubles(value: Any) -> str:
    """The value as Python's json reads it, which rounds each Decimal."""
    return re.sub(r"Decimal\('([^']+)'\)", lambda match: repr(float(match[1])), repr(value))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"9" * 1100, id="1,100 digits"),
        pytest.param(b"-" + b"9" * 1099, id="1,099 digits and a sign"),
        pytest.param(b"[0.1, 1.0, 1E2, 1e22, -2.5e-3, 1.7976931348623157e308, 5e-324]", id="doubles"),
        pytest.param(b"0.10000", id="zeros at the end"),
        pytest.param(nested(32), id="32 arrays"),
        pytest.param(b'{"a":' * 32 + b"1" + b"}" * 32, id="32 objects"),
        pytest.param(b"[" + b"[]," * 100 + b"1]", id="many arrays side by side"),
        pytest.param(rb'"\ud83d\ude00 \u00e9 \\u0000"', id="escapes of what can be stored"),
        pytest.param(rb'{"a": {"a": 1}, "b": [{"a": 2}]}', id="a name again in another object"),
    ],
)
def test_a_value_at_the_limits_is_read(body: bytes) -> None:
    """Numbers, depth, escapes and names within the contract's limits are read as by Python's json."""
    assert ijson.loads(body) == json.loads(body)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "Expecting value at line 1, column 1", id="empty"),
        pytest.param(b'{"a": 1', "Expecting ',' delimiter at line 1, column 8", id="cut off"),
        pytest.param(b"[1,\n]", "Expecting value at line 2, column 1", id="a comma too many"),
        pytest.param(b"[1] 2", "Extra data at line 1, column 5", id="two values"),
        pytest.param(b"{'a': 1}", "Expecting property name", id="single quotes"),
        pytest.param(b'"a\nb"', "Invalid control character", id="a line break in a string"),
        pytest.param(b"01", "Extra data", id="a leading zero"),
        pytest.param(b"NaN", "NaN is not a JSON number", id="NaN"),
        pytest.param(b"[Infinity]", "Infinity is not a JSON number", id="Infinity"),
        pytest.param(b'{"a": -Infinity}', "-Infinity is not a JSON number", id="-Infinity"),
        pytest.param(b"[1e999, NaN]", "NaN is not a JSON number", id="NaN after a number too large"),
        pytest.param(b'{"a": "\xff"}', "byte 7 is not UTF-8", id="not UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', "byte 1 is not UTF-8", id="a surrogate in UTF-8"),
        pytest.param("[1]".encode("utf-16"), "byte 0 is not UTF-8", id="UTF-16"),
        pytest.param("[1]".encode("utf-32-le"), "Extra data|Expecting value", id="UTF-32"),
        pytest.param(b'{"a":1e999,}', "Expecting property name", id="after a number that cannot be kept"),
        pytest.param(b"[1e999," + b"[" * 60_000, "nested more than 32", id="deep after a number that cannot be kept"),
        pytest.param(b"[1e999", "Expecting ',' delimiter", id="an end after a number that cannot be kept"),
        pytest.param(b"\xef\xbb\xbf[1]", "it begins with a byte order mark", id="a byte order mark"),
        pytest.param(b'{"a": 1, "b": 2, "a": 3}', 'the name "a" occurs more than once', id="a name twice"),
        pytest.param(b'[{"x": {"a": 1, "\\u0061": 1}}]', 'the name "a" occurs', id="a name twice, once escaped"),
        pytest.param(b'[1e999, {"a": 1, "a": 2}]', 'the name "a" occurs', id="a name twice after a number too large"),
        pytest.param(
            b'{"%(n)b": 1, "%(n)b": 2}' % {b"n": b"n" * 99}, f'the name "{"n" * 40}" occurs', id="a long name twice"
        ),
        pytest.param(nested(33), "nested more than 32 levels deep", id="33 arrays"),
        pytest.param(b'{"a":' * 33 + b"1" + b"}" * 33, "nested more than 32 levels deep", id="33 objects"),
        pytest.param(b'[[{"a":' * 11 + b"1" + b"}]]" * 11, "nested more than 32 levels deep", id="33 of both"),
        pytest.param(nested(100_000), "nested more than 32 levels deep", id="100,000 arrays"),
    ],
)
def test_malformed_json_is_refused_with_its_place(body: bytes, reason: str) -> None:
    """A text that is not JSON, or that is ambiguous, raises MalformedJSON, which says where or why."""
    with pytest.raises(ijson.MalformedJSON, match=reason):
        ijson.loads(body)


@pytest.mark.parametrize(
    ("body", "parts", "reason"),
    [
        pytest.param(rb'"\u0000"', (), "the character U+0000 cannot be stored", id="U+0000"),
        pytest.param(rb'{"a": [1, "x\ud800"]}', ("a", 1), "the character U+D800 cannot be stored", id="a surrogate"),
        pytest.param(rb'["\udfff\ud800"]', (0,), "the character U+DFFF cannot be stored", id="surrogates swapped"),
        pytest.param(
            rb'{"a": {"b\u0000": 1}}', ("a", "b\ufffd"), "the character U+0000 cannot be stored", id="in a name"
        ),
        pytest.param(b"1" + b"0" * 1100, (), f"the number 1{'0' * 39}\u2026 cannot be kept exactly", id="1,101 digits"),
        pytest.param(b"-" + b"9" * 1100, (), f"the number -{'9' * 39}\u2026 cannot", id="1,100 digits and a sign"),
        pytest.param(b'{"n": 1e512}', ("n",), "the number 1e512 cannot be kept exactly", id="too large"),
        pytest.param(b'{"n": -1e511}', ("n",), "the number -1e511 cannot be kept exactly", id="too small"),
        pytest.param(b"[1e-511]", (0,), "the number 1e-511 cannot be kept exactly", id="too near to zero"),
        pytest.param(b"1e131000", (), "the number 1e131000 cannot be kept exactly", id="131 kB in eight characters"),
        pytest.param(b"0." + b"1" * 1099, (), f"the number 0.{'1' * 38}\u2026 cannot", id="1,101 characters"),
        pytest.param(b"1" * 1000 + b"e-1200", (), f"the number {'1' * 40}\u2026 cannot", id="1,202 once expanded"),
        pytest.param(b"0e" + b"9" * 30, (), f"the number 0e{'9' * 30} cannot", id="an exponent beyond Decimal"),
        pytest.param(b"[[],0.1,[0.1,1e999]]", (2, 1), "the number 1e999 cannot be kept", id="one of many"),
    ],
)
def test_an_unstorable_value_is_refused_with_its_place(body: bytes, parts: tuple[str | int, ...], reason: str) -> None:
    """A value that would not come back as sent raises UnstorableValue, which has its place and a remedy."""
    with pytest.raises(ijson.UnstorableValue) as caught:
        ijson.loads(body)
    assert caught.value.parts == parts
    assert caught.value.reason.startswith(reason)
    remedy = "at most 512 characters once it is written without an exponent, or at most 1,100 if it is sent without one"
    assert (remedy if "number" in reason else "Base64") in caught.value.remedy


@pytest.mark.parametrize(
    "literal",
    [
        pytest.param("0.10000000000000001", id="17 digits of a double"),
        pytest.param("0.1000000000000000055511151231257827021181583404541015625", id="each digit of a double"),
        pytest.param(format(Decimal(math.ulp(0)), "f"), id="each digit of the smallest double"),
        pytest.param(format(-Decimal(math.ulp(0)), "f"), id="each digit and a sign"),
        pytest.param("9007199254740993.0", id="2**53 + 1"),
        pytest.param("123456789012345678901234567890.123", id="33 digits"),
        pytest.param("4.9406564584124654e-324", id="17 digits of the smallest double"),
        pytest.param("1.7976931348623159e308", id="beyond the largest double"),
        pytest.param("1e511", id="512 characters once expanded"),
        pytest.param("-1e-400", id="near to zero"),
        pytest.param("0." + "1" * 1098, id="1,100 characters"),
    ],
)
def test_a_number_that_a_double_does_not_hold_is_a_decimal(literal: str) -> None:
    """It has each digit that was sent, zeros at the end too."""
    (number,) = ijson.loads(f"[{literal}]".encode())
    assert type(number) is Decimal
    assert number.as_tuple() == Decimal(literal).as_tuple()


LITERALS = st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?", fullmatch=True)


@settings(deadline=None)
@given(LITERALS)
def test_every_number_is_read_with_its_value_or_refused(literal: str) -> None:
    """It is a double whenever a double holds it, as the shortest decimal for that double."""
    try:
        number = ijson.loads(literal.encode())
    except ijson.UnstorableValue:
        assert abs(Decimal(literal).adjusted()) > 400
        return
    assert Decimal(str(number)) == Decimal(literal)
    if type(number) is Decimal:
        assert Decimal(repr(float(literal))) != number


BLANKS = st.text(" \t\n\r", max_size=3)
ITEMS = st.lists(
    VALUES.map(json.dumps)
    | st.sampled_from(
        [
            "1e999",
            "1e400",
            "0.10000000000000001",
            "0.10",
            "1E2",
            '{"a":1,"a":2}',
            '"\\u0000"',
            '"]"',
            "[1e999, {}]",
            "[" * 33 + "]" * 33,
        ]
    )
)


@settings(deadline=None)
@given(ITEMS, st.lists(BLANKS, min_size=4, max_size=4))
def test_the_slices_of_an_array_are_its_items(texts: list[str], blanks: list[str]) -> None:
    """Each item has the text that was sent, with any white space between items and any fault in them."""
    first, before, after, last = blanks
    body = f"{first}[{before}{f'{after},{before}'.join(texts)}{after}]{last}".encode()
    assert ijson.slices(body) == [text.encode() for text in texts]
    for text, value in zip(texts, ijson.items(body), strict=True):
        try:
            expected = repr(ijson.loads(text.encode()))
        except (ijson.MalformedJSON, ijson.UnstorableValue) as error:
            assert (type(value), str(value)) == (type(error), str(error))  # noqa: PT017 (the error is a value there)
        else:
            assert repr(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b'{"a": 1, "a": 2}', ijson.MalformedJSON, id="a name twice"),
        pytest.param(b'{"b": [{"a": 1, "a": 2}]}', ijson.MalformedJSON, id="a name twice within"),
        pytest.param(nested(33), ijson.MalformedJSON, id="33 levels"),
        pytest.param(nested(900), ijson.MalformedJSON, id="900 levels"),
        pytest.param(b"1e999", ijson.UnstorableValue, id="a number too long"),
        pytest.param(rb'"\ud800"', ijson.UnstorableValue, id="a surrogate"),
    ],
)
def test_an_item_at_fault_leaves_the_others_as_they_are(text: bytes, expected: type[Exception]) -> None:
    """The error stands in its place, and the others have values; the limit of 32 levels counts within each item."""
    before, error, after = ijson.items(b"[1.5, " + text + b", " + nested(32) + b"]")
    assert (before, after) == (1.5, json.loads(nested(32)))
    assert type(error) in (expected, *expected.__subclasses__())
    if isinstance(error, ijson.UnstorableValue):
        assert error.parts == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(b"", "Expecting value", id="empty"),
        pytest.param(b"[1,]", "Expecting value", id="a comma too many"),
        pytest.param(b"[1, NaN]", "NaN is not a JSON number", id="NaN"),
        pytest.param(b"[1e999, NaN]", "NaN is not a JSON number", id="NaN after a number too large"),
        pytest.param(b'[{"a":1,"a":2}, NaN]', "NaN is not a JSON number", id="NaN after a name twice"),
        pytest.param(b"[1] 2", "Extra data", id="two values"),
        pytest.param(b"[\xff]", "byte 1 is not UTF-8", id="no UTF-8"),
        pytest.param(nested(100_000), "nested more than 32 levels deep", id="100,000 levels"),
        pytest.param(b'[{"a":1,"a":2},' + nested(100_000) + b"]", "nested more than 32", id="deep after a name twice"),
        pytest.param(b'{"a": 1, "a": 2}', 'the name "a" occurs more than once', id="a name twice, but no array"),
    ],
)
def test_a_body_without_separable_items_is_refused(body: bytes, reason: str) -> None:
    """If the items cannot be separated, the whole body is malformed."""
    with pytest.raises(ijson.MalformedJSON, match=reason):
        ijson.items(body)


@settings(deadline=None)
@given(VALUES)
def test_a_body_that_is_no_array_is_read_as_usual(value: Any) -> None:
    """`items` returns the value of any other body, and the values of an array."""
    text = json.dumps(value).encode()
    assert repr(ijson.items(text)) == repr(value)


@pytest.mark.parametrize("depth", range(1, 60))
def test_the_depth_of_an_item_is_limited(depth: int) -> None:
    """For arrays, for objects, and for arrays with a further item at each level."""
    for text in (
        nested(depth),
        b'{"a":' * depth + b"1" + b"}" * depth,
        b"[{}," * (depth - 1) + b"{}" + b"]" * (depth - 1),
    ):
        (item,) = ijson.items(b"[" + text + b"]")
        assert isinstance(item, ijson.MalformedJSON) is (depth > ijson.MAX_DEPTH)
