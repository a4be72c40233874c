"""Timestamps as ISO 8601 writes them: the date-times of RFC 3339 section 5.6, and three shorter forms.

The shorter forms are those that common libraries write: without seconds, with an offset without a colon or without
minutes, and with a comma before the fraction.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"(?:[Zz]|([+-][0-9]{2})(?::?([0-9]{2}))?)"
)
_SHORTEST = len("2026-03-31T12:00:00Z")


@lru_cache(maxsize=8)  # the same text is validated and then kept
def parse(text: str) -> datetime:
    """The instant that `text` names, in UTC, cut off after the microsecond.

    A leap second (60, allowed only at 23:59 UTC) becomes the first instant of the next minute, as PostgreSQL and POSIX
    count. Raises ValueError for any other text than a timestamp in the years 0001 to 9999 UTC.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("it is not written as YYYY-MM-DDThh:mm:ss with a time zone")
    date, time, second, fraction, hours, minutes = match.groups()
    if time > "24":  # Python 3.13 takes 24:00 for the next day's first instant
        raise ValueError("there is no such day or time of day")
    if hours and (hours[1:] > "23" or (minutes or "00") > "59"):
        raise ValueError("an offset is at most 23:59")
    leap = second == "60"
    offset = f"{hours}:{minutes or '00'}" if hours else "+00:00"
    try:
        local = datetime.fromisoformat(
            f"{date}T{time}:{'59' if leap else second or '00'}.{(fraction or '')[:6]:0<6}{offset}"
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
        raise ValueError("it is outside the years 0001 to 9999 UTC") from error


def normalized(text: str) -> str:
    """The same instant as `text`, a timestamp that `parse` accepts, as `render` writes it."""
    is_whole_second_of_utc = len(text) == _SHORTEST and text[10] == "T" and text[-1] == "Z" and text[17] != "6"
    return text if is_whole_second_of_utc else render(parse(text))


def render(instant: datetime) -> str:
    """`instant` in UTC with `Z`; the fraction is left out when it is zero, else it has six digits."""
    return instant.astimezone(UTC).isoformat()[:-6] + "Z"


def is_timestamp(text: str) -> bool:
    """True if `parse` accepts `text`; this implements the format `date-time` of contracts."""
    try:
        parse(text)
    except ValueError:
        return False
    return True
