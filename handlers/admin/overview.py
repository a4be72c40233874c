"""The first page of the admin: whether anything is wrong now."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection
from starlette.responses import Response

from db import contracts, event_types, interaction_events, latencies, usage_minutes
from db.usage_minutes import REQUEST, Minutes, Step
from handlers.admin.roles import GET
from handlers.admin.visits import Handle, Visit
from handlers.contracts import lifecycle
from handlers.pages import parameters
from handlers.pages.charts import Chart
from handlers.paths import ADMIN

OUTCOMES = ("created", "duplicate", "rejected", "throttled")


@dataclass(frozen=True, slots=True)
class Period:
    """The time that the page looks back to, and the steps that it is drawn in."""

    words: str
    length: timedelta
    step: Step
    form: str


PERIODS = {
    "hour": Period("The last hour", timedelta(hours=1), "minute", "%H:%M"),
    "day": Period("The last day", timedelta(days=1), "hour", "%-d %b, %H:%M"),
    "two-days": Period("The last two days", timedelta(days=2), "hour", "%-d %b, %H:%M"),
}
DEFAULT = "hour"


@dataclass(frozen=True, slots=True)
class Share:
    """What one major version received; `sunset` says when it ends, None if that is open."""

    major: int
    received: int
    percent: int
    sunset: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """The page. `totals` are by outcome; `p50` and `p99` are milliseconds that so many requests took at most.

    `differences` say how the contracts are not as this release has them; `waiting` is the number of event types that
    wait for approval.
    """

    period: str
    chart: Chart
    totals: dict[str, int]
    received: int
    p50: float | None
    p99: float | None
    shares: Sequence[Share]
    waiting: int
    differences: Sequence[str]
    has_events: bool
    title: str = "Overview"
    tab: str = ADMIN

    @property
    def verdict(self) -> str:
        """Whether anything is wrong, in a sentence."""
        if self.waiting or self.differences:
            return "Something waits for you."
        refused = self.totals["rejected"] + self.totals["throttled"]
        if not self.received:
            return "Nothing was received lately."
        return f"{round(100 * refused / self.received)} % of what was received was refused."

    @property
    def periods(self) -> dict[str, str]:
        """The words of each period."""
        return {name: period.words for name, period in PERIODS.items()}


@dataclass(frozen=True, slots=True)
class _Read:
    """What the page reads in one transaction."""

    minutes: Sequence[Minutes]
    durations: dict[float, int]
    waiting: int
    differences: Sequence[str]
    has_events: bool
    sunsets: dict[int, datetime | None]


def pages() -> dict[tuple[str, str], Handle]:
    """The page."""
    return {(GET, ADMIN): _show}


async def _show(visit: Visit) -> Response:
    name = parameters.choice(visit.request, "period", PERIODS) or DEFAULT
    now = datetime.now(UTC)
    read = await visit.read(_read, PERIODS[name], now)
    return visit.page("overview.html", _overview(name, read, now))


def _read(connection: Connection, period: Period, now: datetime) -> _Read:
    since = now - period.length
    return _Read(
        usage_minutes.minutes(connection, since, now, period.step),
        latencies.latency(connection, since, now),
        event_types.count_waiting(connection),
        lifecycle.differences(connection),
        interaction_events.exist(connection),
        {row.major: row.sunset_at for row in contracts.serving(connection)},
    )


def _overview(name: str, read: _Read, now: datetime) -> Overview:
    submitted = [each for each in read.minutes if each.kind != REQUEST]
    totals = {outcome: sum(each.count for each in submitted if each.outcome == outcome) for outcome in OUTCOMES}
    received = sum(totals.values())
    p50, p99 = (latencies.at_most(read.durations, share) for share in (0.5, 0.99))
    return Overview(
        name,
        _chart(PERIODS[name], submitted, now),
        totals,
        received,
        _milliseconds(p50),
        _milliseconds(p99),
        _shares(submitted, received, read.sunsets),
        read.waiting,
        read.differences,
        read.has_events,
    )


def _chart(period: Period, counted: Sequence[Minutes], now: datetime) -> Chart:
    """A bar for each step, also for those in which nothing came."""
    by_start: dict[datetime, dict[str, int]] = defaultdict(dict)
    for each in counted:
        by_start[each.start][each.outcome] = by_start[each.start].get(each.outcome, 0) + each.count
    step = timedelta(minutes=1) if period.step == "minute" else timedelta(hours=1)
    last = now.replace(second=0, microsecond=0)
    last = last if period.step == "minute" else last.replace(minute=0)
    starts = [last - step * index for index in range(period.length // step - 1, -1, -1)]
    rows = []
    for start in starts:
        numbers = by_start.get(start, {})
        refused = numbers.get("rejected", 0) + numbers.get("throttled", 0)
        total = sum(numbers.values())
        rows.append((start.strftime(period.form), (total, refused, *(numbers.get(name, 0) for name in OUTCOMES))))
    return Chart(f"Submissions by {period.step}", ("received", "refused", *OUTCOMES), rows)


def _shares(counted: Sequence[Minutes], received: int, sunsets: dict[int, datetime | None]) -> list[Share]:
    by_major: dict[int, int] = dict.fromkeys(sorted(sunsets), 0)
    for each in counted:
        by_major[each.major] = by_major.get(each.major, 0) + each.count
    return [
        Share(major, count, round(100 * count / received) if received else 0, sunsets.get(major))
        for major, count in sorted(by_major.items())
    ]


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
