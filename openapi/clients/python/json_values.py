"""JSON (RFC 8259) as every service reads it: I-JSON (RFC 7493) without what cannot be stored as text."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from openapi.clients.python.errors import InvalidItem

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ESCAPED_NUL = "\\u0000"


def encoded(value: Any) -> bytes:
    """`value` as JSON in UTF-8; InvalidItem, with the place, for what JSON or the service cannot keep."""
    try:
        text = _ENCODER.encode(value)
        result = text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise _first_fault(value) or InvalidItem("", str(error)) from None
    if _ESCAPED_NUL in text and (fault := _first_fault(value)):  # else it is a backslash and a word
        raise fault
    return result


def _first_fault(value: Any) -> InvalidItem | None:
    """What is wrong with `value`, and where; None if nothing is found."""
    try:
        return next(_faults("", value), None)
    except RecursionError:
        return InvalidItem("", "it is nested too deeply, or contains itself")


def _faults(pointer: str, value: Any) -> Iterator[InvalidItem]:
    """What no JSON text can hold in `value`, which is at `pointer`."""
    if isinstance(value, str):
        yield from _faults_of_text(pointer, value)
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield InvalidItem(pointer, f"{value} is no number of JSON")
    elif isinstance(value, Mapping):
        for name, inner in cast("Mapping[object, object]", value).items():
            inner_pointer = f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
            if not isinstance(name, str):
                yield InvalidItem(inner_pointer, "the name of a property is no text")
            yield from _faults_of_text(inner_pointer, str(name))
            yield from _faults(inner_pointer, inner)
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for index, inner in enumerate(cast("Sequence[object]", value)):
            yield from _faults(f"{pointer}/{index}", inner)
    elif not isinstance(value, bool | int | None):
        yield InvalidItem(pointer, f"{type(value).__name__} has no form in JSON")


def _faults_of_text(pointer: str, text: str) -> Iterator[InvalidItem]:
    if "\x00" in text:
        yield InvalidItem(pointer, "the text has U+0000, which no database keeps")
    if any("\ud800" <= character <= "\udfff" for character in text):
        yield InvalidItem(pointer, "the text has half of a surrogate pair")
