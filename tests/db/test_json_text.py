"""JSON as text: numbers of any precision are written and read with each digit."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import json_text

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: abs(number.adjusted()) < 1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param([Decimal("0.10000000000000001"), 1.5, 2], b"[0.10000000000000001,1.5,2]", id="among others"),
        pytest.param({"a": Decimal("1E-400")}, b'{"a":1e-400}', id="an exponent"),
        pytest.param(Decimal("-1E+400"), b"-1e400", id="a large exponent"),
        pytest.param([2**64, Decimal("0.50")], b"[18446744073709551616, 0.50]", id="with an integer beyond 64 bits"),
        pytest.param([2**64, "decimal:1", "\\u0000decimal:1"], None, id="texts that look like its own marks"),
    ],
)
def test_a_decimal_is_written_as_a_number(value: Any, text: bytes | None) -> None:
    """With each digit, also beside integers that orjson does not write."""
    written = json_text.encoded(value)
    assert written == (json.dumps(value).encode() if text is None else text)


@settings(deadline=None)
@given(st.lists(DECIMALS | st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_is_read_as_it_is_written_without_an_exponent(numbers: list[Decimal | float]) -> None:
    """It has the same value, and is a float whenever a double holds it."""
    plain = [format(Decimal(str(number)), "f") for number in numbers]
    for text, number in zip(plain, json_text.decoded(f"[{','.join(plain)}]"), strict=True):
        assert Decimal(str(number)) == Decimal(text)
        if type(number) is Decimal:
            assert Decimal(repr(float(text))) != number
