"""I-JSON (RFC 7493): JSON that every reader reads alike, so that nothing is stored other than it was sent.

Refused besides what RFC 8259 refuses: encodings other than UTF-8, a name twice in one object, lone surrogates, U+0000
(PostgreSQL stores neither of these two), nesting beyond `MAX_DEPTH`, and numbers that would come back changed.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

MAX_DEPTH = 32
MAX_INTEGER_DIGITS = 128

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SHOWN = 40  # characters of the client's own text that an error repeats


class MalformedJSON(ValueError):
    """The text is not JSON, or not JSON that reads in only one way."""


class UnstorableValue(ValueError):
    """The text is JSON, but what stands at `parts`, those of a JSON Pointer, cannot be kept as it was sent."""

    def __init__(self, parts: tuple[str | int, ...], reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.parts = parts
        self.reason = reason
        self.remedy = remedy


def loads(body: bytes) -> Any:
    """The value that `body` holds. Raises MalformedJSON or UnstorableValue."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJSON(f"byte {error.start} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise MalformedJSON("it begins with a byte order mark")
    value = _decoded(text, _STRICT)
    marked = value is _INEXACT
    if marked:
        value = _decoded(text, _MARKING)
    # What cannot be stored comes from escapes alone, and depth needs brackets: most bodies are spared the walk.
    if marked or "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_unstorable(value)
    return value


def pointer(*parts: str | int) -> str:
    """The JSON Pointer (RFC 6901) made of `parts`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class _Inexact(ValueError):
    """A number that would come back changed; also stands for it in a value that `_MARKING` decoded."""


_INEXACT = object()
"""Stands for a whole value that has an inexact number somewhere."""


def _decoded(text: str, decoder: json.JSONDecoder) -> Any:
    """The value of `text`, `_INEXACT` if `decoder` meets an inexact number; MalformedJSON, which repeats no value."""
    try:
        return decoder.decode(text)
    except _Inexact:
        return _INEXACT
    except RecursionError:
        raise MalformedJSON(f"it is nested more than {MAX_DEPTH} levels deep") from None
    except json.JSONDecodeError as error:
        raise MalformedJSON(f"{error.msg} at line {error.lineno}, column {error.colno}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise MalformedJSON(f"the name {json.dumps(name[:_SHOWN])} stands more than once in an object")
            seen.add(name)
    return value


def _integer(literal: str) -> int:
    if len(literal.lstrip("-")) > MAX_INTEGER_DIGITS:
        raise _Inexact(literal)
    return int(literal)


def _decimal(literal: str) -> float:
    number = float(literal)
    try:
        if math.isfinite(number) and Decimal(literal) == Decimal(repr(number)):
            return number
    except ArithmeticError:  # an exponent that even Decimal does not hold
        pass
    raise _Inexact(literal)


def _constant(literal: str) -> Any:
    raise MalformedJSON(f"{literal} is not a JSON number")


def _marked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse_or_mark(literal: str) -> Any:
        try:
            return parse(literal)
        except _Inexact as inexact:
            return inexact

    return parse_or_mark


_STRICT = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)
_MARKING = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_marked(_integer), parse_float=_marked(_decimal), parse_constant=_constant
)


def _refuse_unstorable(value: Any) -> None:
    for parts, found in _walk(value):
        if len(parts) + isinstance(found, dict | list) > MAX_DEPTH:
            raise MalformedJSON(f"it is nested more than {MAX_DEPTH} levels deep")
        if isinstance(found, _Inexact):
            literal = str(found)
            shown = literal if len(literal) <= _SHOWN else literal[:_SHOWN] + "\u2026"
            reason = f"the number {shown} cannot be kept exactly"
            raise UnstorableValue(parts, reason, "Send it as a string if each digit matters, else round it.")
        for text in found if isinstance(found, dict) else [found] if isinstance(found, str) else []:
            if character := _UNSTORABLE.search(text):
                where = (*parts, _UNSTORABLE.sub("\ufffd", text)) if isinstance(found, dict) else parts
                reason = f"the character U+{ord(character[0]):04X} cannot be stored"
                raise UnstorableValue(where, reason, "Leave it out, or send the text in an encoding such as Base64.")


def _walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """`value` and every value within, each with the parts of its pointer; not recursive, for depth is hostile."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while waiting:
        parts, found = waiting.pop()
        yield parts, found
        if isinstance(found, dict):
            waiting += [((*parts, name), inner) for name, inner in found.items()]
        elif isinstance(found, list):
            waiting += [((*parts, index), inner) for index, inner in enumerate(found)]
