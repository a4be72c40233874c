"""The submission counts of a hub."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping

from db import submission_usage
from handlers import field_errors
from openapi.generated.v1.types import SubmissionKind, UsageHour
from openapi.serving.messages import Answer, Request
from openapi.standards import date_times

DEFAULT_HOURS = timedelta(days=1)
MOST_HOURS = timedelta(days=31)
EARLIEST = datetime.min.replace(tzinfo=UTC) + DEFAULT_HOURS
MOST_COUNTS = 20_000
"""Limit on the counts in one answer; a hub with many event types reaches it within a few days."""
OUTCOMES = ("created", "duplicate", "rejected", "throttled")


async def get(request: Request) -> Answer:
    """The outcomes of the hub's submissions and their reasons, by hour."""
    parameters = request.parameters
    since, until = _period(parameters.get("since"), parameters.get("until"))
    if not timedelta() <= until - since <= MOST_HOURS:
        raise field_errors.period_out_of_range(MOST_HOURS.days)
    await request.resources.usage.write()
    rows = await request.resources.database.run(
        submission_usage.of_hub, request.caller.id, since, until, MOST_COUNTS + 1
    )
    if len(rows) > MOST_COUNTS:
        raise field_errors.too_many_counts(MOST_COUNTS)
    hours: dict[tuple[datetime, SubmissionKind], list[RowMapping]] = defaultdict(list)
    for row in rows:
        hours[row["hour"], row["kind"]].append(row)
    return Answer(200, {"items": [_as_json(*key, counts) for key, counts in hours.items()]})


def _period(since: str | None, until: str | None) -> tuple[datetime, datetime]:
    """The period of a request: the day before `until`, or from `since` until now if that is not too long."""
    now = datetime.now(UTC)
    if since is None:
        end = date_times.parse(until) if until else now
        return max(end, EARLIEST) - DEFAULT_HOURS, end
    begin = date_times.parse(since)
    if until:
        return begin, date_times.parse(until)
    return begin, begin + MOST_HOURS if begin < now - MOST_HOURS else max(now, begin)


def _as_json(hour: datetime, kind: SubmissionKind, rows: list[RowMapping]) -> UsageHour:
    totals = dict.fromkeys(OUTCOMES, 0)
    for row in rows:
        totals[row["outcome"]] += row["count"]
    return {
        "hour": date_times.render(hour),
        "kind": kind,
        "received": sum(totals.values()),
        "created": totals["created"],
        "duplicate": totals["duplicate"],
        "rejected": totals["rejected"],
        "throttled": totals["throttled"],
        "reasons": [{"outcome": row["outcome"], "reason": row["reason"], "count": row["count"]} for row in rows],
    }
