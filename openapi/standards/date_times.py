"""Date-times in the format of RFC 3339 section 5.6."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-][0-9]{2}:[0-9]{2}))"
)

_SHORTEST = len("2026-03-31T12:00:00Z")


@lru_cache(maxsize=8)  # a text is parsed to validate it, then again to store it
def parse(text: str) -> datetime:
    """Return the instant of `text` in UTC, truncated to microseconds.

    A leap second (60, allowed only at 23:59 UTC) becomes the first instant of the next minute, as in PostgreSQL and
    POSIX. Raises ValueError for anything but an RFC 3339 date-time in the years 0001 to 9999 UTC.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 date-time")
    date, time, second, fraction, offset = match.groups()
    if time > "24":  # Python 3.13 reads 24:00 as the first instant of the next day
        raise ValueError("there is no such day or time of day")
    if offset and (offset[1:3] > "23" or offset[4:] > "59"):
        raise ValueError("an offset is at most 23:59")
    leap = second == "60"
    try:
        local = datetime.fromisoformat(
            f"{date}T{time}:{'59' if leap else second}.{(fraction or '')[:6]:0<6}{offset or '+00:00'}"
        )
    except ValueError:  # its message depends on the Python version
        raise ValueError("there is no such day or time of day") from None
    try:
        instant = local.astimezone(UTC)
        if not leap:
            return instant
        if (instant.hour, instant.minute) != (23, 59):
            raise ValueError("a leap second is possible only at 23:59:60 UTC")
        return instant + timedelta(seconds=1)
    except OverflowError as error:
        raise ValueError("outside the years 0001 to 9999 UTC") from error


def normalized(text: str) -> str:
    """Return `text`, a date-time that `parse` accepts, in the format of `render`."""
    is_whole_second_of_utc = len(text) == _SHORTEST and text[10] == "T" and text[-1] == "Z" and text[17] != "6"
    return text if is_whole_second_of_utc else render(parse(text))


def render(instant: datetime) -> str:
    """`instant` in UTC with `Z`; the fraction has six digits, or is omitted if zero."""
    return instant.astimezone(UTC).isoformat()[:-6] + "Z"


def is_date_time(text: str) -> bool:
    """True if `parse` accepts `text`: the JSON Schema format `date-time`."""
    try:
        parse(text)
    except ValueError:
        return False
    return True
