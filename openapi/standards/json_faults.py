"""The first fault of a text that is not JSON (RFC 8259), in words that do not depend on the version of Python.

They are those of Python 3.11, which clients have read; later ones word, and place, some faults otherwise.
"""

import re
from typing import NoReturn

DEEP = 1000
"""Levels that no Python 3.11 reads; one that reads them meets another fault there."""

_B = r"[ \t\n\r]*+"
_LITERAL = r"(?>null|true|false|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][-+]?[0-9]++)?+)"
_ESCAPE = r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}(?=[\s\S]))'  # an escape at the end of the text is one too short
_BEGUN = rf'"(?:[^"\\\x00-\x1f]++|{_ESCAPE})*+'


def _flat(value: str) -> str:
    """A value, or an array or an object of such values."""
    member = f'{_BEGUN}"{_B}:{_B}{value}{_B}'
    items, members = (f"(?:{part}(?:,{_B}{part})*+)?+" for part in (value + _B, member))
    return rf"(?>{value}|\[{_B}{items}\]|\{{{_B}{members}\}})"


_FLAT = _flat(_flat(f'(?>{_LITERAL}|{_BEGUN}")'))
_BLANKS, _ATOM, _STRING = map(re.compile, (_B, _LITERAL, _BEGUN))
_RUNS = {
    "]": re.compile(f"(?:{_FLAT}{_B},{_B})*+"),
    "}": re.compile(f'(?:{_BEGUN}"{_B}:{_B}{_FLAT}{_B},{_B})*+'),
}
"""What begins an array or an object and has no fault, for the most part: a body may have millions of values."""
_CLOSED_BY = {"{": "}", "[": "]"}


class TooDeep(ValueError):
    """The text is nested more than `DEEP` levels deep before anything else is wrong with it."""


class _Fault(Exception):
    """A fault in words, and the place in the text."""


def fault(text: str) -> str:
    """The first fault of `text`, which is not JSON, and its place; TooDeep if it is nested too deep before."""
    try:
        _read(text)
    except _Fault as error:
        words, place = error.args
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    return f"{words} at line {line}, column {column}"


def _read(text: str) -> NoReturn:
    """Read a value and the rest of the text until there is a fault. Not recursive, because depth is hostile."""
    is_open: list[str] = []  # the brackets that close what was begun
    place = _past_blanks(text, 0)
    while True:
        if (opened := text[place : place + 1]) in _CLOSED_BY:
            is_open.append(_CLOSED_BY[opened])
            if len(is_open) > DEEP:
                raise TooDeep
            place = _past_blanks(text, place + 1)
            if not text.startswith(is_open[-1], place):
                place = _past_run(text, is_open[-1], place)
                continue
        else:
            place = _past_blanks(text, _past_atom(text, place))
        while is_open and text.startswith(is_open[-1], place):
            is_open.pop()
            place = _past_blanks(text, place + 1)
        if not is_open:
            raise _Fault("Extra data", place)
        place = _past_run(text, is_open[-1], _past(text, ",", place))


def _past_blanks(text: str, place: int) -> int:
    return _BLANKS.match(text, place).end()  # type: ignore[union-attr] # it matches anywhere


def _past_run(text: str, closing: str, place: int) -> int:
    """The place of the next value that is to be looked into."""
    place = _RUNS[closing].match(text, place).end()  # type: ignore[union-attr] # likewise
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
    place = _STRING.match(text, start).end()  # type: ignore[union-attr] # a quote stands there
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
