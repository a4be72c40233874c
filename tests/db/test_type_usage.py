"""Stored events by type and hour."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete

from db import submission_usage, type_usage
from db.submission_usage import Key
from db.tables import type_usage as table
from db.type_usage import TypeUsage

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def submit(connection: Connection, at: datetime, counts: dict[Key, int]) -> None:
    """Count submissions, as they are written."""
    submission_usage.add(connection, Counter(counts), at)


def test_stored_events_are_summed_over_hubs(connection: Connection) -> None:
    """Of each type, since an instant; the last hour is of any time."""
    submit(connection, NOON - 2 * HOUR, {(1, "1.1", "event", "created", "clicked"): 8})
    submit(connection, NOON - HOUR, {(1, "1.1", "event", "duplicate", "viewed"): 4})
    for hub in (1, 2):
        submit(connection, NOON, {(hub, "1.1", "event", "created", "clicked"): 3})
    submit(connection, NOON, {(1, "2.0", "event", "duplicate", "clicked"): 1})
    usage = type_usage.of_types(connection, ["clicked", "viewed", "unused"], NOON)
    assert usage == {
        "clicked": TypeUsage(6, 1, NOON),
        "viewed": TypeUsage(0, 0, NOON - HOUR),
        "unused": TypeUsage(0, 0, None),
    }
    assert type_usage.of_types(connection, ["clicked"], NOON - 2 * HOUR) == {"clicked": TypeUsage(14, 1, NOON)}
    assert type_usage.of_types(connection, [], NOON) == {}


def test_what_is_not_stored_has_no_type(connection: Connection) -> None:
    """The reason of a rejected or throttled event is a code, and that of an annotation its category."""
    submit(connection, NOON, {(1, "1.1", "event", outcome, "clicked"): 1 for outcome in ("rejected", "throttled")})
    submit(connection, NOON, {(1, "1.1", "annotation", "created", "clicked"): 1})
    assert type_usage.of_types(connection, ["clicked"], NOON) == {"clicked": TypeUsage(0, 0, None)}


def test_events_of_before_the_table_are_found(connection: Connection) -> None:
    """The last hour, not their number; what was rejected under a code of this name is none."""
    submit(connection, NOON, {(1, "1.1", "event", "created", "clicked"): 1})
    submit(connection, NOON + HOUR, {(1, "1.1", "event", "rejected", "clicked"): 1})
    connection.execute(delete(table))
    assert type_usage.of_types(connection, ["clicked"], NOON) == {"clicked": TypeUsage(0, 0, NOON)}
