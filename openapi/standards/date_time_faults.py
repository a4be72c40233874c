"""Why a text is no timestamp, and the timestamp that its sender probably meant."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from openapi.standards import date_times

NO_ZONE = "it has no time zone"
SPACE_SIGN = "it has a space where the offset needs + or -"
EXAMPLE = "2026-03-31T12:00:00Z"
_LONGEST = 100
"""Characters; a longer text is not searched for faults."""
_MORE_DIGITS = re.compile(r"([.,][0-9]{6})[0-9]+")
"""A fraction with digits that the service would cut off."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECONDS = 100_000_000_000
"""A Unix time from this number on is in milliseconds: in seconds it would be in the year 5138."""


class Repair(NamedTuple):
    """A fault, the pattern that finds it, and what takes the place of the match."""

    fault: str
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]


def explain(text: str) -> tuple[str, str]:
    """The faults of `text`, which `date_times.parse` refuses, and a timestamp that it accepts.

    The timestamp is `text` with its faults repaired, or an example where that is not possible. There is no fault if
    `date_times.parse` accepts `text`.
    """
    faults, repaired = _repair(text) if len(text) <= _LONGEST else ([], text)
    try:
        date_times.parse(repaired)
    except ValueError as error:
        example = _with_offset_of(repaired) if SPACE_SIGN in faults else EXAMPLE
        return "; ".join([*faults, str(error)]), example
    return "; ".join(faults), _MORE_DIGITS.sub(r"\1", repaired)


def _with_offset_of(text: str) -> str:
    """An example with the offset of `text`, or with another if there is no such offset."""
    example = EXAMPLE.removesuffix("Z") + text[text.rindex("+") :]
    return example if date_times.is_timestamp(example) else EXAMPLE.replace("Z", "+02:00")


def _repair(text: str) -> tuple[list[str], str]:
    """The faults of `text` that have a repair, and `text` without them."""
    faults = []
    for fault, pattern, replacement in _REPAIRS:
        try:
            repaired = pattern.sub(replacement, text)
        except (ValueError, OverflowError):  # it has the form, but names no instant
            continue
        if repaired != text:
            faults.append(fault)
            text = repaired
    return faults, text


def _of_unix_time(match: re.Match[str]) -> str:
    number = float(match[0])
    return date_times.render(_EPOCH + timedelta(seconds=number / 1000 if abs(number) >= _MILLISECONDS else number))


def _of_mail_date(match: re.Match[str]) -> str:
    instant = parsedate_to_datetime(match[0])
    return date_times.render(instant if instant.tzinfo else instant.replace(tzinfo=UTC))  # it has the offset -0000


def _next_day(match: re.Match[str]) -> str:
    date = datetime.fromisoformat(match[1]) + timedelta(days=1)
    return f"{date.year:04}-{date:%m-%d}T00:00"


def _row(fault: str, pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> Repair:
    """`DATE` and `TIME` in `pattern` stand for those of a timestamp."""
    pattern = pattern.replace("DATE", "[0-9]{4}-[0-9]{2}-[0-9]{2}")
    return Repair(
        fault, re.compile(pattern.replace("TIME", r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?")), replacement
    )


_REPAIRS = [
    _row("it has white space around it", r"\A\s+|\s+\Z", ""),
    _row("it is a Unix time", r"\A-?(?:[0-9]{9,10}|[0-9]{13})(?:\.[0-9]{1,9})?\Z", _of_unix_time),
    _row(
        "it is a date of RFC 5322",
        r"\A(?:[A-Z][a-z]{2}, )?[0-9]{1,2} [A-Z][a-z]{2} [1-9][0-9]{3} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? "
        r"(?:[+-][0-9]{4}|UTC?|GMT)\Z",
        _of_mail_date,
    ),
    _row("it has a suffix in brackets (RFC 9557)", r"(?:\[[^\[\]]*\])+\Z", ""),
    _row(
        "it has the name of a time zone after the offset",
        r"(?:(?<=[+-][0-9]{4})|(?<=[+-][0-9]{2}:[0-9]{2})) [A-Z]{1,5}\Z",
        "",
    ),
    _row("its time zone is a name, not Z or an offset", r"(?<=[0-9]) ?(?:UTC|GMT)\Z", "Z"),
    _row(
        "its date has no hyphens",
        r"\A([0-9]{4})[/.]?([0-9]{2})[/.]?([0-9]{2})(?=[Tt ]|\Z|[0-9]{4}(?:[0-9]{2})?\Z)",
        r"\1-\2-\3",
    ),
    _row("it has no time of day", r"\A(DATE)(?=Z?\Z)", r"\1T00:00:00"),
    _row("it has no T before the time of day", r"\A(DATE)[ _]?(?=[0-9])", r"\1T"),
    _row("its time of day has no colons", r"\A(DATE[Tt][0-9]{2})([0-9]{2})(?=[^0-9:]|\Z)", r"\1:\2"),
    _row("its time of day has no colons", r"\A(DATE[Tt][0-9]{2})([0-9]{2})([0-9]{2})(?=[^0-9:]|\Z)", r"\1:\2:\3"),
    _row("it has no minutes", r"\A(DATE[Tt][0-9]{2})(?=[Zz+-]|\Z)", r"\1:00"),
    _row("its fraction has no digits", r"(?<=:[0-9]{2})[.,](?=[Zz+-]|\Z)", ""),
    _row(
        SPACE_SIGN,
        r"\A(DATE[Tt]TIME) +(?=[0-9]{2}(?::?[0-9]{2})?\Z)",
        r"\1+",
    ),
    _row("it has a space before the time zone", r"\A(DATE[Tt]TIME) (?=Z|[+-])", r"\1"),
    _row("its offset has seconds", r"(?<=[+-][0-9]{2}:[0-9]{2}):[0-9]{2}\Z", ""),
    _row("its hour is 24", r"\A(DATE)[Tt]24:00(?=(?::00(?:[.,]0*)?)?(?:[Zz+-]|\Z))", _next_day),
    _row(NO_ZONE, r"\A(DATE[Tt]TIME)\Z", r"\1Z"),
]
