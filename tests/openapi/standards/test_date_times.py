"""Date-times: the texts of RFC 3339, the instant of each, and the text of an instant."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi.standards import date_times

OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        pytest.param("2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z", id="as in the contract"),
        pytest.param("2026-03-31t12:00:00z", "2026-03-31T12:00:00Z", id="lower case"),
        pytest.param("2026-03-31T14:00:00+02:00", "2026-03-31T12:00:00Z", id="east of Greenwich"),
        pytest.param("2026-03-30T22:15:00-13:45", "2026-03-31T12:00:00Z", id="west of Greenwich"),
        pytest.param("2026-03-31T12:00:00-00:00", "2026-03-31T12:00:00Z", id="offset unknown"),
        pytest.param("2026-04-01T11:59:00+23:59", "2026-03-31T12:00:00Z", id="largest offset"),
        pytest.param("2026-03-31T12:00:00.5Z", "2026-03-31T12:00:00.500000Z", id="one digit of fraction"),
        pytest.param("2026-03-31T12:00:00.000001Z", "2026-03-31T12:00:00.000001Z", id="one microsecond"),
        pytest.param("2026-03-31T12:00:00.999999999999Z", "2026-03-31T12:00:00.999999Z", id="cut off, not rounded"),
        pytest.param("2026-03-31T12:00:00.000Z", "2026-03-31T12:00:00Z", id="a fraction of zero"),
        pytest.param("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z", id="leap day"),
        pytest.param("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", id="first instant"),
        pytest.param("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z", id="last instant"),
        pytest.param("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", id="leap second"),
        pytest.param("2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00Z", id="leap second in another zone"),
        pytest.param("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250000Z", id="within a leap second"),
    ],
)
def test_a_date_time_names_an_instant(text: str, rendered: str) -> None:
    """Each form that RFC 3339 allows is parsed, and rendered in the one form of responses."""
    assert date_times.is_date_time(text)
    assert date_times.render(date_times.parse(text)) == rendered


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "not an RFC 3339 date-time", id="empty"),
        pytest.param("2026-03-31", "not an RFC 3339 date-time", id="a date alone"),
        pytest.param("2026-03-31T12:00:00", "not an RFC 3339 date-time", id="no zone"),
        pytest.param("2026-03-31 12:00:00Z", "not an RFC 3339 date-time", id="a space for T"),
        pytest.param("2026-03-31T12:00Z", "not an RFC 3339 date-time", id="no seconds"),
        pytest.param("2026-03-31T12:00:00.Z", "not an RFC 3339 date-time", id="a point without digits"),
        pytest.param("2026-03-31T12:00:00,5Z", "not an RFC 3339 date-time", id="a comma for the point"),
        pytest.param("2026-03-31T12:00:00+0200", "not an RFC 3339 date-time", id="offset without colon"),
        pytest.param("2026-03-31T12:00:00+02", "not an RFC 3339 date-time", id="offset without minutes"),
        pytest.param("20260331T120000Z", "not an RFC 3339 date-time", id="basic format of ISO 8601"),
        pytest.param("+2026-03-31T12:00:00Z", "not an RFC 3339 date-time", id="a sign before the year"),
        pytest.param("2026-03-31T12:00:00Z\n", "not an RFC 3339 date-time", id="a line break after it"),
        pytest.param(" 2026-03-31T12:00:00Z", "not an RFC 3339 date-time", id="a space before it"),
        pytest.param("\uff12026-03-31T12:00:00Z", "not an RFC 3339 date-time", id="a full-width digit"),
        pytest.param("2026-03-31T12:00:00+24:00", "an offset is at most 23:59", id="offset of a day"),
        pytest.param("2026-03-31T12:00:00-01:60", "an offset is at most 23:59", id="offset of sixty minutes"),
        pytest.param("0000-01-01T00:00:00Z", "there is no such day", id="year zero"),
        pytest.param("2026-02-29T00:00:00Z", "there is no such day", id="no leap year"),
        pytest.param("2026-13-01T00:00:00Z", "there is no such day", id="thirteenth month"),
        pytest.param("2026-03-31T24:00:00Z", "there is no such day", id="24 o'clock"),
        pytest.param("2026-03-31T12:00:61Z", "there is no such day", id="61 seconds"),
        pytest.param("2016-12-31T12:00:60Z", "only at 23:59:60 UTC", id="leap second at noon"),
        pytest.param("2016-12-31T23:59:60+01:00", "only at 23:59:60 UTC", id="leap second of local time"),
        pytest.param("0001-01-01T00:00:00+00:01", "outside the years", id="before the first instant"),
        pytest.param("9999-12-31T23:59:00-00:01", "outside the years", id="after the last instant"),
        pytest.param("9999-12-31T23:59:60Z", "outside the years", id="leap second after the last instant"),
    ],
)
def test_anything_else_is_refused(text: str, reason: str) -> None:
    """A text that RFC 3339 forbids, or that no datetime can hold, raises ValueError with the reason."""
    assert not date_times.is_date_time(text)
    with pytest.raises(ValueError, match=reason):
        date_times.parse(text)


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_read_as_it_was_written(instant: datetime) -> None:
    """Rendering loses nothing of an instant in the years 0001 to 9999."""
    assert date_times.parse(date_times.render(instant)) == instant


@settings(deadline=None)
@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS))
def test_the_zone_of_a_text_does_not_change_its_instant(local: datetime) -> None:
    """A local time with its offset is the same instant in UTC, when parsed and when rendered."""
    assert date_times.parse(local.isoformat()) == local
    assert date_times.render(local) == date_times.render(local.astimezone(UTC))


@settings(deadline=None)
@given(st.from_regex(r"\A\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[-+]\d\d:\d\d)\Z"))
def test_the_format_accepts_exactly_the_texts_that_parse(text: str) -> None:
    """A text of the right shape, with any digits, is parsed or raises ValueError and nothing else."""
    try:
        instant = date_times.parse(text)
    except ValueError:
        assert not date_times.is_date_time(text)
    else:
        assert text.isascii()
        assert instant.tzinfo is UTC
        assert date_times.is_date_time(text)
