"""The first fault of a text that is not JSON (RFC 8259), in words that do not depend on the Python version.

The words are those of Python 3.11, which clients already know; later versions word and place some faults differently.
"""

import re
from typing import NoReturn

DEEP = 1000
"""A depth that Python 3.11 cannot read; a version that can read it reports another fault there."""

_B = r"[ \t\n\r]*+"
_LITERAL = r"(?>null|true|false|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)"
_ESCAPE = r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}(?=[\s\S]))'  # a \u escape at the end of the text counts as too short
_BEGUN = rf'"(?:[^"\\\x00-\x1f]++|{_ESCAPE})*+'


def _flat(value: str) -> str:
    """The pattern of `value`, or of an array or an object of such values."""
    member = f'{_BEGUN}"{_B}:{_B}{value}{_B}'
    items, members = (f"(?:{part}(?:,{_B}{part})*+)?+" for part in (value + _B, member))
    return rf"(?>{value}|\[{_B}{items}\]|\{{{_B}{members}\}})"


_FLAT = _flat(_flat(f'(?>{_LITERAL}|{_BEGUN}")'))
_BLANKS, _ATOM, _STRING = map(re.compile, (_B, _LITERAL, _BEGUN))
_RUNS = {
    "]": re.compile(f"(?:{_FLAT}{_B},{_B})*+"),
    "}": re.compile(f'(?:{_BEGUN}"{_B}:{_B}{_FLAT}{_B},{_B})*+'),
}
"""Patterns that skip most faultless values of an array or an object at once: a body may have millions."""
_CLOSED_BY = {"{": "}", "[": "]"}


class TooDeep(ValueError):
    """The text is nested more than `DEEP` levels deep before its first other fault."""


class _Fault(Exception):
    """A fault in words, and its place in the text."""


def fault(text: str) -> str:
    """Return the first fault of `text`, which is not JSON, and its place; TooDeep if nested too deep before it."""
    try:
        _read(text)
    except _Fault as error:
        words, place = error.args
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    return f"{words} at line {line}, column {column}"


def _read(text: str) -> NoReturn:
    """Read the text up to its first fault, and raise it. Not recursive: a hostile text may be deep."""
    closers: list[str] = []  # the closing brackets that are due
    place = _past_blanks(text, 0)
    while True:
        if (bracket := text[place : place + 1]) in _CLOSED_BY:
            closers.append(_CLOSED_BY[bracket])
            if len(closers) > DEEP:
                raise TooDeep
            place = _past_blanks(text, place + 1)
            if not text.startswith(closers[-1], place):
                place = _past_run(text, closers[-1], place)
                continue
        else:
            place = _past_blanks(text, _past_atom(text, place))
        while closers and text.startswith(closers[-1], place):
            closers.pop()
            place = _past_blanks(text, place + 1)
        if not closers:
            raise _Fault("Extra data", place)
        place = _past_run(text, closers[-1], _past(text, ",", place))


def _past_blanks(text: str, place: int) -> int:
    return _BLANKS.match(text, place).end()  # type: ignore[union-attr] # always matches


def _past_run(text: str, closing: str, place: int) -> int:
    """Skip faultless values; return the place of the next value to read."""
    place = _RUNS[closing].match(text, place).end()  # type: ignore[union-attr] # always matches
    return _past_name(text, place) if closing == "}" else place


def _past(text: str, delimiter: str, place: int) -> int:
    if not text.startswith(delimiter, place):
        raise _Fault(f"Expecting '{delimiter}' delimiter", place)
    return _past_blanks(text, place + 1)


def _past_name(text: str, place: int) -> int:
    if not text.startswith('"', place):
        raise _Fault("Expecting property name enclosed in double quotes", place)
    return _past(text, ":", _past_blanks(text, _past_string(text, place)))


def _past_atom(text: str, place: int) -> int:
    if text.startswith('"', place):
        return _past_string(text, place)
    if not (atom := _ATOM.match(text, place)):
        raise _Fault("Expecting value", place)
    return atom.end()


def _past_string(text: str, start: int) -> int:
    place = _STRING.match(text, start).end()  # type: ignore[union-attr] # it starts at a quote
    ending = text[place : place + 2]
    if ending.startswith('"'):
        return place + 1
    if ending in ("", "\\"):
        raise _Fault("Unterminated string starting at", start)
    if not ending.startswith("\\"):
        raise _Fault("Invalid control character at", place)
    if ending == "\\u":
        raise _Fault("Invalid \\uXXXX escape", place + 1)
    raise _Fault("Invalid \\escape", place)
