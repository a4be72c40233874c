"""JSON as text, for numbers of any precision: PostgreSQL keeps each digit, an IEEE 754 double does not.

A number that a double does not hold is a Decimal. Its text is a number that has the same digits.
"""

import json
from decimal import Decimal
from typing import Any

import orjson

from openapi import decimals

_EXACT_CHARACTERS = 16
"""The longest text of a decimal that has at most 15 digits: a double holds each of these."""


def decoded(text: str | bytes) -> Any:
    """The value of `text`, which PostgreSQL wrote: without exponents."""
    return _DECODER.decode(text if isinstance(text, str) else text.decode())


def encoded(value: Any) -> bytes:
    """`value` as JSON."""
    try:
        return orjson.dumps(value, default=decimals.fragment)
    except TypeError:  # orjson takes integers of at most 64 bits
        return decimals.dumps(value).encode()


def sorted_text(value: Any) -> bytes:
    """`value` as JSON with the names of each object in order; digests in existing databases depend on each byte."""
    try:
        return orjson.dumps(value, default=decimals.fragment, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # orjson takes integers of at most 64 bits
        return decimals.dumps(value, sort_keys=True).encode()


def _number(literal: str) -> float | Decimal:
    number = float(literal)
    if len(literal) <= _EXACT_CHARACTERS or orjson.dumps(number) == literal.encode():  # faster than `repr`
        return number
    exact = Decimal(literal)
    return number if exact == Decimal(repr(number)) else exact


_DECODER = json.JSONDecoder(parse_float=_number)
