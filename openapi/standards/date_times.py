"""Date-times as RFC 3339 section 5.6 writes them."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-][0-9]{2}:[0-9]{2}))"
)

_SHORTEST = len("2026-03-31T12:00:00Z")


@lru_cache(maxsize=8)  # the same text is validated and then kept
def parse(text: str) -> datetime:
    """The instant that `text` names, in UTC, cut off after the microsecond.

    A leap second (60, allowed only at 23:59 UTC) becomes the first instant of the next minute, as PostgreSQL and POSIX
    count. Raises ValueError for anything else than an RFC 3339 date-time in the years 0001 to 9999 UTC.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 date-time")
    date, time, second, fraction, offset = match.groups()
    if time > "24":  # Python 3.13 takes 24:00 for the next day's first instant
        raise ValueError("there is no such day or time of day")
    if offset and (offset[1:3] > "23" or offset[4:] > "59"):
        raise ValueError("an offset is at most 23:59")
    leap = second == "60"
    try:
        local = datetime.fromisoformat(
            f"{date}T{time}:{'59' if leap else second}.{(fraction or '')[:6]:0<6}{offset or '+00:00'}"
        )
    except ValueError:  # each Python words it otherwise
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
    """The same instant as `text`, a date-time that `parse` accepts, as `render` writes it."""
    is_whole_second_of_utc = len(text) == _SHORTEST and text[10] == "T" and text[-1] == "Z" and text[17] != "6"
    return text if is_whole_second_of_utc else render(parse(text))


def render(instant: datetime) -> str:
    """`instant` in UTC with `Z`; the fraction is left out when it is zero, else it has six digits."""
    return instant.astimezone(UTC).isoformat()[:-6] + "Z"


def is_date_time(text: str) -> bool:
    """Whether `parse` accepts `text`: the JSON Schema format `date-time`."""
    try:
        parse(text)
    except ValueError:
        return False
    return True
