"""JSON of values that contain Decimals: each digit is written, where an IEEE 754 double would lose some."""

import json
import re
from decimal import Decimal
from typing import Any

import orjson

_MARKED = r'"\u0000decimal:'
_MARK = re.compile(re.escape(_MARKED) + '([-0-9.e]+)"')
"""A Decimal in a text of `json.dumps`: no other string contains U+0000, because PostgreSQL stores none."""


def dumps(value: Any, **options: Any) -> str:
    """`value` as `json.dumps` with `options` writes it, each Decimal as a number, anything else as its text."""
    text = json.dumps(value, default=_as_mark, **options)
    return _MARK.sub(r"\1", text) if _MARKED in text else text  # most texts have none, and `in` is fast


def fragment(value: Any) -> orjson.Fragment:
    """The number that orjson writes for a Decimal; TypeError for any other value."""
    if isinstance(value, Decimal):
        return orjson.Fragment(_spelt(value))
    raise TypeError


def _as_mark(value: Any) -> str:
    return f"\0decimal:{_spelt(value)}" if isinstance(value, Decimal) else str(value)


def _spelt(number: Decimal) -> str:
    return str(number).lower().replace("+", "")
