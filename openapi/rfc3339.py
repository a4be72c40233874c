"""Date-times as RFC 3339 section 5.6 writes them."""

import re
from datetime import UTC, datetime, timedelta, timezone

_DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)


def parse(text: str) -> datetime:
    """The instant that `text` names, in UTC, cut off after the microsecond.

    A leap second (60, allowed only at 23:59 UTC) becomes the first instant of the next minute, as PostgreSQL and POSIX
    count. Raises ValueError for anything else than an RFC 3339 date-time in the years 0001 to 9999 UTC.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 date-time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, _, sign, offset_hours, offset_minutes = match.groups()[6:]
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    leap = second == 60
    local = datetime(
        year, month, day, hour, minute, 59 if leap else second, microsecond, _zone(sign, offset_hours, offset_minutes)
    )
    try:
        instant = local.astimezone(UTC)
        if not leap:
            return instant
        if (instant.hour, instant.minute) != (23, 59):
            raise ValueError("a leap second is possible only at 23:59:60 UTC")
        return instant + timedelta(seconds=1)
    except OverflowError as error:
        raise ValueError("outside the years 0001 to 9999 UTC") from error


def render(instant: datetime) -> str:
    """`instant` in UTC with `Z`; the fraction is left out when it is zero, else it has six digits."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def is_date_time(text: str) -> bool:
    """Whether `parse` accepts `text`: the JSON Schema format `date-time`."""
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _zone(sign: str | None, hours: str, minutes: str) -> timezone:
    """The zone of a numeric offset (UTC for `Z`); ValueError beyond 23:59."""
    if sign is None:
        return UTC
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError("an offset is at most 23:59")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
