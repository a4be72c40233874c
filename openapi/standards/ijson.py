"""I-JSON (RFC 7493): JSON that every parser reads alike, so that each value is stored exactly as it was sent.

Beyond the rules of RFC 8259 it rejects encodings other than UTF-8, duplicate names in an object, lone surrogates and
U+0000 (PostgreSQL stores neither), nesting beyond `MAX_DEPTH`, and numbers that are too long. A number with a point or
an exponent is a float if a double keeps each digit, else a Decimal.
"""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import orjson

from openapi.standards import json_faults

MAX_DEPTH = 32
MAX_EXPANDED_CHARACTERS = 512
"""The longest number that is read back, as PostgreSQL writes it, for a short one with an exponent such as 1e-400."""
MAX_CHARACTERS = 1100
"""The longest number that is sent with each digit: the exact value of any double takes at most 1077 characters."""
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""The characters that no string may contain."""

_CONTAINERS = frozenset({dict, list})
_BLANKS = re.compile(r"[ \t\n\r]*")
_EXACT_CHARACTERS = 16  # at most 15 digits: a double holds each decimal of these, but for the smallest and largest
_SHOWN = 40  # characters of the client's text that an error repeats
_TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"
_SHORTER = (
    "Send it as a string if each digit matters, else round it: a number has at most "
    f"{MAX_EXPANDED_CHARACTERS} characters once it is written without an exponent, or at most {MAX_CHARACTERS:,} if "
    "it is sent without one."
)


class MalformedJSON(ValueError):
    """The text is not JSON, or is ambiguous JSON."""


class UnstorableValue(ValueError):
    """The text is JSON, but the value at `parts` (of a JSON Pointer) cannot be stored as it was sent."""

    def __init__(self, parts: tuple[str | int, ...], reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.parts = parts
        self.reason = reason
        self.remedy = remedy


def loads(body: bytes) -> Any:
    """Return the value of the JSON text `body`. Raises MalformedJSON or UnstorableValue."""
    text = _text(body)
    value = _decoded(text, _STRICT)
    marked = value is _INEXACT
    if marked:
        value = _decoded(text, _MARKING)
    # Unstorable characters come from escapes alone, and depth needs brackets: most bodies need no walk.
    if marked or "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_unstorable(value)
    return value


def items(body: bytes) -> Any:
    """Return the value of `body`; check each item of an array on its own. Raises MalformedJSON or UnstorableValue.

    An item that cannot be stored as it was sent is replaced by its MalformedJSON or UnstorableValue.
    """
    text = _text(body)
    try:
        values = _decoded(text, _STRICT)
    except _NameTwice:
        values = _INEXACT
    is_suspect = values is _INEXACT or "\\u" in text
    if values is _INEXACT:
        values = _decoded(text, _MARKING)
    if not isinstance(values, list):
        return loads(body)
    return [_judged(value, is_suspect) for value in values]


def slices(body: bytes) -> list[bytes]:
    """The JSON text of each item of the array in `body`, in the order of `items`."""
    text = body.decode("utf-8")
    texts = []
    position = _BLANKS.match(text, text.index("[") + 1).end()  # type: ignore[union-attr] # always matches
    while text[position] != "]":
        _, end = _MARKING.raw_decode(text, position)
        texts.append(text[position:end].encode())
        position = _BLANKS.match(text, end).end()  # type: ignore[union-attr] # always matches
        if text[position] == ",":
            position = _BLANKS.match(text, position + 1).end()  # type: ignore[union-attr] # always matches
    return texts


class _NameTwice(MalformedJSON):
    """An object has a name twice; also replaces that object in a value that `_MARKING` decoded."""


class _Inexact(ValueError):
    """A number that is too long; also replaces that number in a value that `_MARKING` decoded."""


_INEXACT = object()
"""Stands for a whole value that contains a number that is too long."""


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJSON(f"byte {error.start} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise MalformedJSON("it begins with a byte order mark")
    return text


def _judged(value: Any, is_suspect: bool) -> Any:
    """Return `value`, or the error that says why it cannot be stored; its depth is always checked."""
    try:
        if is_suspect or not _fits(value, MAX_DEPTH):
            _refuse_unstorable(value)
    except (MalformedJSON, UnstorableValue) as error:
        return error
    return value


def _fits(value: Any, levels: int) -> bool:
    """True if `value` is nested at most `levels` deep."""
    kind = type(value)
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return True
    if not levels:
        return False
    for inner in value:  # noqa: SIM110 (a loop and a type comparison are fast: this runs for each item of a batch)
        if type(inner) in _CONTAINERS and not _fits(inner, levels - 1):
            return False
    return True


def _decoded(text: str, decoder: json.JSONDecoder) -> Any:
    """Return the value of `text`, `_INEXACT` if `decoder` meets a number too long; MalformedJSON repeats no value."""
    try:
        return decoder.decode(text)
    except _Inexact:
        return _INEXACT
    except RecursionError:
        raise MalformedJSON(_TOO_DEEP) from None
    except json.JSONDecodeError:
        raise MalformedJSON(_fault(text)) from None


def _fault(text: str) -> str:
    """Why `text` is not JSON, independent of the messages and the recursion limit of the Python version."""
    try:
        return json_faults.fault(text)
    except json_faults.TooDeep:
        return _TOO_DEEP


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _NameTwice(f"the name {json.dumps(name[:_SHOWN])} occurs more than once in an object")
            seen.add(name)
    return value


def _object_or_mark(pairs: list[tuple[str, Any]]) -> Any:
    try:
        return _object(pairs)
    except _NameTwice as mark:
        return mark


def _integer(literal: str) -> int:
    if len(literal) > MAX_CHARACTERS:
        raise _Inexact(literal)
    return int(literal)


def _decimal(literal: str) -> float | Decimal:
    number = float(literal)
    if len(literal) <= _EXACT_CHARACTERS and 1e-300 < abs(number) < 1e300:
        return number
    if orjson.dumps(number) == literal.encode():  # faster than `repr`
        return number
    try:
        exact = Decimal(literal)
        if exact == Decimal(repr(number)):
            return number
        if _plain_characters(exact) <= max(MAX_EXPANDED_CHARACTERS, min(len(literal), MAX_CHARACTERS)):
            return exact
    except ArithmeticError:  # an exponent that even Decimal does not hold
        pass
    raise _Inexact(literal)


def _plain_characters(number: Decimal) -> int:
    """The characters of `number` as PostgreSQL writes it: without an exponent."""
    decimals = -int(number.as_tuple().exponent)
    return number.is_signed() + max(1, number.adjusted() + 1) + (1 + decimals if decimals > 0 else 0)


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
    object_pairs_hook=_object_or_mark,
    parse_int=_marked(_integer),
    parse_float=_marked(_decimal),
    parse_constant=_constant,
)


def _refuse_unstorable(value: Any) -> None:
    for parts, inner in _walk(value):
        if len(parts) + isinstance(inner, dict | list) > MAX_DEPTH:
            raise MalformedJSON(_TOO_DEEP)
        if isinstance(inner, _NameTwice):
            raise inner
        if isinstance(inner, _Inexact):
            literal = str(inner)
            shown = literal if len(literal) <= _SHOWN else literal[:_SHOWN] + "\u2026"
            reason = f"the number {shown} cannot be kept exactly"
            raise UnstorableValue(parts, reason, _SHORTER)
        for text in inner if isinstance(inner, dict) else [inner] if isinstance(inner, str) else []:
            if character := UNSTORABLE.search(text):
                where = (*parts, UNSTORABLE.sub("\ufffd", text)) if isinstance(inner, dict) else parts
                reason = f"the character U+{ord(character[0]):04X} cannot be stored"
                raise UnstorableValue(where, reason, "Leave it out, or send the text in an encoding such as Base64.")


def _walk(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield `value` and every value within it, with its pointer's parts; not recursive: a hostile value may be deep."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        parts, inner = pending.pop()
        yield parts, inner
        if isinstance(inner, dict):
            pending += [((*parts, name), member) for name, member in inner.items()]
        elif isinstance(inner, list):
            pending += [((*parts, index), member) for index, member in enumerate(inner)]
