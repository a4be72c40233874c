"""Timestamps: the texts that are accepted, the instant of each, and the one form of responses."""

from datetime import UTC, datetime, timedelta, timezone

import isodate  # type: ignore[import-untyped] # it has no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi.standards import date_time_faults, date_times

OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
ACCEPTED = {
    "as in the contract": ("2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z"),
    "lower case": ("2026-03-31t12:00:00z", "2026-03-31T12:00:00Z"),
    "east of Greenwich": ("2026-03-31T14:00:00+02:00", "2026-03-31T12:00:00Z"),
    "west of Greenwich": ("2026-03-30T22:15:00-13:45", "2026-03-31T12:00:00Z"),
    "offset unknown": ("2026-03-31T12:00:00-00:00", "2026-03-31T12:00:00Z"),
    "largest offset": ("2026-04-01T11:59:00+23:59", "2026-03-31T12:00:00Z"),
    "one digit of fraction": ("2026-03-31T12:00:00.5Z", "2026-03-31T12:00:00.500000Z"),
    "one microsecond": ("2026-03-31T12:00:00.000001Z", "2026-03-31T12:00:00.000001Z"),
    "cut off, not rounded": ("2026-03-31T12:00:00.999999999999Z", "2026-03-31T12:00:00.999999Z"),
    "a fraction of zero": ("2026-03-31T12:00:00.000Z", "2026-03-31T12:00:00Z"),
    "leap day": ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
    "first instant": ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    "last instant": ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    "leap second": ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    "leap second in another zone": ("2016-12-31T15:59:60-08:00", "2017-01-01T00:00:00Z"),
    "within a leap second": ("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250000Z"),
    "no seconds, as Java writes it": ("2026-03-31T12:00Z", "2026-03-31T12:00:00Z"),
    "no seconds, with an offset": ("2026-03-31T14:00+02:00", "2026-03-31T12:00:00Z"),
    "offset without colon, as PHP writes it": ("2026-03-31T14:00:00+0200", "2026-03-31T12:00:00Z"),
    "offset without minutes, as PostgreSQL writes it": ("2026-03-31T14:00:00+02", "2026-03-31T12:00:00Z"),
    "comma before the fraction": ("2026-03-31T12:00:00,25Z", "2026-03-31T12:00:00.250000Z"),
    "all short forms": ("2026-03-31T10:30-0130", "2026-03-31T12:00:00Z"),
}
"""By name: a text, and the same instant as responses write it."""
SHAPE = "it is not written as YYYY-MM-DDThh:mm:ss with a time zone"
NO_SUCH = "there is no such day or time of day"
LEAP = "a leap second is possible only at 23:59:60 UTC"
RANGE = "it is outside the years 0001 to 9999 UTC"
EXAMPLE = date_time_faults.EXAMPLE
NO_SEPARATORS = (
    "its date has no hyphens; it has no T before the time of day; its time of day has no colons; it has no time zone"
)
REFUSED = {
    "empty": ("", SHAPE, EXAMPLE),
    "words": ("yesterday", SHAPE, EXAMPLE),
    "a sign before the year": ("+2026-03-31T12:00:00Z", SHAPE, EXAMPLE),
    "a full-width digit": ("\uff12026-03-31T12:00:00Z", SHAPE, EXAMPLE),
    "very long": ("2026-03-31T12:00:00." + "0" * 99 + "X", SHAPE, EXAMPLE),
    "JavaScript's toString": ("Tue Mar 31 2026 12:00:00 GMT+0200 (CEST)", SHAPE, EXAMPLE),
    "week date": ("2026-W14-2T12:00:00Z", SHAPE, EXAMPLE),
    "offset of a day": ("2026-03-31T12:00:00+24:00", "an offset is at most 23:59", EXAMPLE),
    "offset of sixty minutes": ("2026-03-31T12:00:00-01:60", "an offset is at most 23:59", EXAMPLE),
    "year zero": ("0000-01-01T00:00:00Z", NO_SUCH, EXAMPLE),
    "not a leap year": ("2026-02-29T00:00:00Z", NO_SUCH, EXAMPLE),
    "thirteenth month": ("2026-13-01T00:00:00Z", NO_SUCH, EXAMPLE),
    "61 seconds": ("2026-03-31T12:00:61Z", NO_SUCH, EXAMPLE),
    "leap second at noon": ("2016-12-31T12:00:60Z", LEAP, EXAMPLE),
    "leap second of local time": ("2016-12-31T23:59:60+01:00", LEAP, EXAMPLE),
    "before the first instant": ("0001-01-01T00:00:00+00:01", RANGE, EXAMPLE),
    "after the last instant": ("9999-12-31T23:59:00-00:01", RANGE, EXAMPLE),
    "leap second after the last instant": ("9999-12-31T23:59:60Z", RANGE, EXAMPLE),
    "midnight after the last day": ("9999-12-31T24:00:00Z", NO_SUCH, EXAMPLE),
    "no zone": ("2026-03-31T12:00:00", "it has no time zone", "2026-03-31T12:00:00Z"),
    "no zone, with a fraction": ("2026-03-31T12:00:00.25", "it has no time zone", "2026-03-31T12:00:00.25Z"),
    "no zone, no seconds": ("2026-03-31T12:00", "it has no time zone", "2026-03-31T12:00Z"),
    "RFC 9557 zone": (
        "2026-03-31T12:00:00+02:00[Europe/Paris]",
        "it has a suffix in brackets (RFC 9557)",
        "2026-03-31T12:00:00+02:00",
    ),
    "RFC 9557 tags": (
        "2026-03-31T12:00:00Z[!u-ca=gregory][x-a=b]",
        "it has a suffix in brackets (RFC 9557)",
        "2026-03-31T12:00:00Z",
    ),
    "a date alone": (
        "2026-03-31",
        "it has no time of day; it has no time zone",
        "2026-03-31T00:00:00Z",
    ),
    "a space for T": ("2026-03-31 12:00:00Z", "it has no T before the time of day", "2026-03-31T12:00:00Z"),
    "Python's str": (
        "2026-03-31 12:00:00.250000+00:00",
        "it has no T before the time of day",
        "2026-03-31T12:00:00.250000+00:00",
    ),
    "SQL": (
        "2026-03-31 12:00:00",
        "it has no T before the time of day; it has no time zone",
        "2026-03-31T12:00:00Z",
    ),
    "Go's String": (
        "2026-03-31 14:00:00 +0200 CEST",
        (
            "it has the name of a time zone after the offset; it has no T before the time of day; "
            "it has a space before the time zone"
        ),
        "2026-03-31T14:00:00+0200",
    ),
    "UTC": ("2026-03-31T12:00:00 UTC", "its time zone is a name, not Z or an offset", "2026-03-31T12:00:00Z"),
    "no minutes": ("2026-03-31T12Z", "it has no minutes", "2026-03-31T12:00Z"),
    "a point without digits": ("2026-03-31T12:00:00.Z", "its fraction has no digits", "2026-03-31T12:00:00Z"),
    "basic format": (
        "20260331T120000Z",
        "its date has no hyphens; its time of day has no colons",
        "2026-03-31T12:00:00Z",
    ),
    "slashes": ("2026/03/31T12:00:00Z", "its date has no hyphens", "2026-03-31T12:00:00Z"),
    "24 o'clock": ("2026-12-31T24:00:00Z", "its hour is 24", "2027-01-01T00:00:00Z"),
    "offset with seconds": ("2026-03-31T12:00:00+02:00:30", "its offset has seconds", "2026-03-31T12:00:00+02:00"),
    "a plus that the query lost": (
        "2026-03-31T12:00:00 02:00",
        "it has a space where the offset needs + or -",
        "2026-03-31T12:00:00+02:00",
    ),
    "a plus that the query lost, after a blank": (
        "2026-03-31T12:00:00  02:00",
        "it has a space where the offset needs + or -",
        "2026-03-31T12:00:00+02:00",
    ),
    "a space before the offset": (
        "2026-03-31T12:00:00 +02:00",
        "it has a space before the time zone",
        "2026-03-31T12:00:00+02:00",
    ),
    "white space around it": (" 2026-03-31T12:00:00Z\n", "it has white space around it", "2026-03-31T12:00:00Z"),
    "Unix time": ("1774958400", "it is a Unix time", "2026-03-31T12:00:00Z"),
    "Unix time in milliseconds": ("1774958400250", "it is a Unix time", "2026-03-31T12:00:00.250000Z"),
    "Unix time with a fraction": ("1774958400.25", "it is a Unix time", "2026-03-31T12:00:00.250000Z"),
    "HTTP date": ("Tue, 31 Mar 2026 12:00:00 GMT", "it is a date of RFC 5322", "2026-03-31T12:00:00Z"),
    "a date and time without separators": (
        "20260331120000",
        NO_SEPARATORS,
        "2026-03-31T12:00:00Z",
    ),
    "a date and minutes without separators": (
        "202603311200",
        NO_SEPARATORS,
        "2026-03-31T12:00Z",
    ),
    "a second after 24 o'clock": ("2026-12-31T24:00:01Z", NO_SUCH, EXAMPLE),
    "a plus that the query lost, before hours alone": (
        "2026-03-31T12:00:00 02",
        "it has a space where the offset needs + or -",
        "2026-03-31T12:00:00+02",
    ),
    "more digits than are kept": (
        "2026-03-31T12:00:00.123456789123456789",
        "it has no time zone",
        "2026-03-31T12:00:00.123456Z",
    ),
    "mail date of an unknown zone": ("Tue, 31 Mar 2026 12:00:00 CEST", SHAPE, EXAMPLE),
    "mail date with a short offset": ("Tue, 31 Mar 2026 12:00:00 +02", SHAPE, EXAMPLE),
    "mail date of an unknown offset": (
        "31 Mar 2026 12:00:00 -0000",
        "it is a date of RFC 5322",
        "2026-03-31T12:00:00Z",
    ),
    "mail date of another century": ("31 Mar 0026 12:00:00 -0000", SHAPE, EXAMPLE),
    "mail date without seconds": ("31 Mar 2026 14:00 +0200", "it is a date of RFC 5322", "2026-03-31T12:00:00Z"),
    "mail date": ("31 Mar 2026 14:00:00 +0200", "it is a date of RFC 5322", "2026-03-31T12:00:00Z"),
}
"""By name: a text, its faults, and the timestamp that the help shows."""


@pytest.mark.parametrize(("text", "rendered"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_timestamp_names_an_instant(text: str, rendered: str) -> None:
    """Each accepted form is parsed, and rendered in the one form of responses."""
    assert date_times.is_timestamp(text)
    assert date_times.render(date_times.parse(text)) == date_times.normalized(text) == rendered


@pytest.mark.parametrize(("text", "faults", "timestamp"), REFUSED.values(), ids=REFUSED.keys())
def test_any_other_text_is_refused_with_its_faults_and_a_timestamp(text: str, faults: str, timestamp: str) -> None:
    """The timestamp is the text with its faults repaired, where that is possible, and is accepted."""
    assert not date_times.is_timestamp(text)
    assert date_time_faults.explain(text) == (faults, timestamp)
    assert date_times.is_timestamp(timestamp)


@settings(deadline=None)
@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_read_as_it_was_written(instant: datetime) -> None:
    """Rendering loses nothing of an instant in the years 0001 to 9999."""
    assert date_times.parse(date_times.render(instant)) == instant


def texts(separator: str, zones: str) -> st.SearchStrategy[str]:
    """Random texts that consist of a date, `separator`, a time of day with a fraction or without one, and a zone."""
    times = r"([01]\d|2[0-3]):[0-5]\d" + "(:[0-5][0-9]([.,][0-9]{1,9})?)?"
    return st.tuples(
        st.dates(datetime(1000, 1, 2).date(), datetime(9999, 12, 30).date()).map(str),
        st.just(separator),
        st.from_regex(rf"\A{times}\Z", alphabet=st.characters(codec="ascii")),
        st.from_regex(rf"\A{zones}\Z", alphabet=st.characters(codec="ascii")),
    ).map("".join)


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(texts("T", r"(Z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)"))
def test_another_parser_reads_the_same_instant(text: str) -> None:
    """isodate, a parser of ISO 8601, agrees on every accepted form."""
    assert date_times.parse(text) == isodate.parse_datetime(text)


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(texts("T", r"(\[[A-Z][a-z]{1,9}/[A-Z][a-z]{1,9}\])?") | texts(" ", r"( ?(Z|UTC|[+-]\d\d:\d\d))?"))
def test_a_repaired_text_names_the_instant_that_another_parser_reads(text: str) -> None:
    """Without its suffix, with T, and in UTC where it has no zone."""
    assert not date_times.is_timestamp(text)
    _, timestamp = date_time_faults.explain(text)
    plain = text.partition("[")[0].replace("UTC", "Z").replace(" ", "T", 1).replace(" ", "")
    if timestamp == EXAMPLE != plain:  # the offset exceeds 23:59
        assert plain[-6] in "+-"
        return
    expected = isodate.parse_datetime(plain)
    assert date_times.parse(timestamp) == (expected if expected.tzinfo else expected.replace(tzinfo=UTC))


@pytest.mark.slow
@settings(deadline=None, max_examples=1000)
@given(st.text(max_size=40) | st.from_regex(r"\A\d{4}-\d\d-\d\d[Tt ]?\d\d:?\d\d(:?\d\d)?([.,]\d*)?\s?\S{0,6}\Z"))
def test_every_refused_text_gets_a_timestamp_that_is_accepted(text: str) -> None:
    """Whatever a client sends, it is a timestamp, or its fault has words and the help shows a timestamp."""
    try:
        instant = date_times.parse(text)
    except ValueError:
        assert not date_times.is_timestamp(text)
        faults, timestamp = date_time_faults.explain(text)
        assert faults
        assert date_times.is_timestamp(timestamp)
    else:
        assert text.isascii()
        assert instant.tzinfo is UTC


@settings(deadline=None)
@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=OFFSETS))
def test_the_zone_of_a_text_does_not_change_its_instant(local: datetime) -> None:
    """A local time with its offset is the same instant in UTC, when parsed and when rendered."""
    assert date_times.parse(local.isoformat()) == local
    assert date_times.render(local) == date_times.render(local.astimezone(UTC))
