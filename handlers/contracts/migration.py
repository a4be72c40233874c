"""Migration between major versions: usage per hub, and cutting hubs over."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection

from db import contracts, hubs, oauth_clients, version_usage
from db.errors import Refused
from db.hubs import Hub

DEFAULT_DAYS, MOST_DAYS = 14, 366
LAG = timedelta(seconds=5)
"""The key of a hub that is cut over works for up to a second, and its last request is written a second later."""
NOT_SERVED = "not served"


@dataclass(frozen=True, slots=True)
class Version:
    """A major version that is served, or that a hub has used. `is_left`: hubs should leave it.

    A version is left if it ends or has a successor. `contract` is the governing version, None if nothing is served.
    """

    major: int
    contract: str | None
    status: str
    deprecated_at: datetime | None
    sunset_at: datetime | None
    is_left: bool


@dataclass(frozen=True, slots=True)
class Use:
    """Requests of a hub to a major version: their number on each of the days, and the time of the last one."""

    requests: list[int]
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class HubUse:
    """The uses of a hub by major version, its state in words, and the number of its clients for access tokens.

    It would break if on these days it sent a request to a version that it should leave, unless its key is refused.
    """

    hub: str
    state: str
    would_break: bool
    clients: int
    cut_over_at: datetime | None
    cut_over_why: str | None
    disabled_at: datetime | None
    uses: Mapping[int, Use]


@dataclass(frozen=True, slots=True)
class Migration:
    """The uses of every hub on `days`, in UTC, as counted at `at`."""

    at: datetime
    days: list[date]
    versions: list[Version]
    hubs: list[HubUse]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the report: at most `limit` hubs after a name, perhaps only those that would break."""

    after: str
    limit: int
    breaking_alone: bool


@dataclass(frozen=True, slots=True)
class MigrationPage:
    """A part of the report: its hubs, in name order, and the name after which the next part begins, None at the end.

    `would_break` is the number of all hubs that would.
    """

    report: Migration
    would_break: int
    next_after: str | None


def migration(connection: Connection, days: int, now: datetime) -> Migration:
    """The uses of every hub on the last `days` until `now`, in UTC; hubs that would break come first."""
    report = _report(connection, days, now, None)
    return replace(report, hubs=sorted(report.hubs, key=lambda use: (not use.would_break, use.hub)))


def page(connection: Connection, days: int, now: datetime, part: Part) -> MigrationPage:
    """A part of the report."""
    left = [version.major for version in _versions(contracts.serving(connection)) if version.is_left]
    day, most = _dates(days, now)[0], part.limit + 1
    if part.breaking_alone:
        names = version_usage.leaving(connection, left, day, part.after, most)
    else:
        names = hubs.names_after(connection, part.after, most)
    report = _report(connection, days, now, names[: part.limit])
    report = replace(report, hubs=sorted(report.hubs, key=lambda use: use.hub))
    count = version_usage.count_leaving(connection, left, day)
    return MigrationPage(report, count, names[part.limit - 1] if len(names) == most else None)


def _dates(days: int, now: datetime) -> list[date]:
    return [now.date() - timedelta(days=ago) for ago in reversed(range(days))]


def _report(connection: Connection, days: int, now: datetime, names: Sequence[str] | None) -> Migration:
    """The uses of the hubs with `names`, or of all, in any order."""
    dates = _dates(days, now)
    listed = hubs.list_all(connection) if names is None else hubs.named(connection, names)
    ids = None if names is None else [hub.id for hub in listed]
    counts: dict[UUID, Counter[tuple[int, date]]] = defaultdict(Counter)
    for row in version_usage.since(connection, dates[0], ids):
        counts[row.hub_id][row.major, row.day] = row.count
    last_seen, clients = version_usage.last_seen(connection, ids), oauth_clients.counts(connection)
    versions = _versions(contracts.serving(connection), {major for _, major in last_seen})
    uses_of_hubs = []
    for hub in listed:
        uses = {
            version.major: Use(
                [counts[hub.id][version.major, day] for day in dates], last_seen.get((hub.id, version.major))
            )
            for version in versions
        }
        uses_of_hubs.append(_hub_use(hub, uses, versions, clients.get(hub.id, 0)))
    return Migration(now, dates, versions, uses_of_hubs)


def cut_over(connection: Connection, name: str, why: str | None, is_forced: bool) -> Hub:
    """Refuse the key of the hub named `name` from now on; NotFound if absent.

    Refused if no version is served that hubs should move to, or, unless `is_forced`, if this hub has never used one.
    """
    untried = untried_versions(connection, hubs.get(connection, name))
    if untried and not is_forced:
        raise Refused(
            f"the hub {name!r} was never seen on {untried}: it might no longer be able to report anything; "
            "--force cuts it over anyway"
        )
    return hubs.cut_over(connection, name, why)


def untried_versions(connection: Connection, hub: Hub) -> str:
    """The versions that `hub` should move to, in words, if it has never used one; empty if it has.

    Refused if no version is served that hubs should move to.
    """
    versions = _versions(contracts.serving(connection))
    targets = [version.major for version in versions if not version.is_left]
    if len(targets) == len(versions) or not targets:
        raise Refused("hubs have no version to move to: no major version is served besides one that they should leave")
    return "" if version_usage.is_seen(connection, hub.id, targets) else _named(targets)


def _versions(rows: Sequence[contracts.ContractRow], used: Collection[int] = ()) -> list[Version]:
    """The major versions of the governing `rows`, and those that are `used`, in ascending order."""
    served = {row.major: row for row in rows}
    return [
        Version(
            major,
            served[major].contract_version,
            served[major].status,
            served[major].deprecated_at,
            served[major].sunset_at,
            is_left=served[major].status == "deprecated" or major < max(served),
        )
        if major in served
        else Version(major, None, NOT_SERVED, None, None, is_left=False)
        for major in sorted(served.keys() | used)
    ]


def _hub_use(hub: Hub, uses: Mapping[int, Use], versions: Sequence[Version], clients: int) -> HubUse:
    left = [version.major for version in versions if version.is_left]
    used = [major for major, use in uses.items() if any(use.requests)]
    would_break = not hub.disabled_at and not hub.cut_over_at and not set(used).isdisjoint(left)
    state = _state(hub, uses, left, used)
    if would_break and not clients:
        state += ", and has no client that could get an access token"
    return HubUse(hub.name, state, would_break, clients, hub.cut_over_at, hub.cut_over_why, hub.disabled_at, uses)


def _state(hub: Hub, uses: Mapping[int, Use], left: Sequence[int], used: Sequence[int]) -> str:
    """The state of a hub in words; `used` are the versions that it used, `left` those that hubs should leave."""
    seen = [major for major, use in uses.items() if use.last_seen_at]
    if hub.disabled_at:
        return "disabled"
    if hub.cut_over_at:
        late = [major for major in left if (at := uses[major].last_seen_at) and at > hub.cut_over_at + LAG]
        return f"cut over, but still sends requests to {_named(late)} with its key" if late else "cut over"
    if not used:
        return f"no requests on these days; used {_named(seen)} before" if seen else "never seen"
    if set(used) <= set(left):
        return f"uses {_named(used)} only"
    return f"uses {_named(used)}" if set(used) & set(left) or not left else f"has moved: uses {_named(used)} only"


def _named(majors: Sequence[int]) -> str:
    return f"version{'s' if len(majors) > 1 else ''} {' and '.join(map(str, majors))}"
