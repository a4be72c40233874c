"""The report of a migration: JSON for programs, Markdown and a page of HTML for people."""

import dataclasses
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from handlers.contracts.migration import HubUse, Migration, Use, Version
from openapi.rendering import markdown
from openapi.rendering.html import Layout, each
from openapi.rendering.terminal import printable
from openapi.standards import date_times

MOST_HUBS = 2000
"""Limit on the hubs in a page."""
WOULD_BREAK = "would break"


def as_json(migration: Migration) -> dict[str, Any]:
    """The whole report, for programs."""
    return {
        "at": date_times.render(migration.at),
        "days": [day.isoformat() for day in migration.days],
        "versions": [_plain(dataclasses.asdict(version)) for version in migration.versions],
        "hubs": [_hub(hub) for hub in migration.hubs],
        "totals": totals(migration),
    }


def as_markdown(migration: Migration) -> str:
    """The report for a ticket, or a page of a wiki."""
    items = "\n".join(f"- {markdown.line(sentence)}" for sentence in sentences(migration))
    head, *rows = [list(map(markdown.line, row)) for row in cells(migration)]
    return f"# Migration\n\n{items}\n\n{markdown.table(head, rows)}\n"


def as_html(migration: Migration, limit: int | None = None) -> str:
    """A self-contained page, which loads nothing and runs nothing, with the first `limit` of the hubs."""
    head, *rows = cells(dataclasses.replace(migration, hubs=migration.hubs[:limit]))
    beyond = len(migration.hubs) - len(rows)
    items = [*sentences(migration), *([f"Not on this page: {beyond} of {len(migration.hubs)} hubs."] if beyond else [])]
    content = _CONTENT.format(
        sentences=each(Markup("<li>{}"), map(printable, items)),
        head=each(Markup("<th scope=col>{}"), head),
        rows=each(Markup("<tr>{}\n"), (_row(row) for row in rows)),
    )
    return LAYOUT.page("Migration", content)


def totals(migration: Migration) -> dict[str, int]:
    """The number of hubs, of those that would break or are cut over, and of those with clients."""
    return {
        "hubs": len(migration.hubs),
        "would_break": sum(hub.would_break for hub in migration.hubs),
        "cut_over": sum(hub.cut_over_at is not None for hub in migration.hubs),
        "with_clients": sum(hub.clients > 0 for hub in migration.hubs),
    }


def sentences(migration: Migration) -> list[str]:
    """The summary: a sentence on each version, and on all hubs."""
    counts = totals(migration)
    days = f"from {migration.days[0]} to {migration.days[-1]}, in UTC"
    left = " or ".join(f"version {version.major}" for version in migration.versions if version.is_left)
    summary = [version_sentence(version) for version in migration.versions]
    if left:
        summary.append(
            f"Judging by the requests sent {days}, {counts['would_break']} of {counts['hubs']} hubs would break "
            f"if {left} ended."
        )
    else:
        summary.append(f"None of {counts['hubs']} hubs would break: no version is being phased out.")
    return [*summary, f"Cut over: {counts['cut_over']}. With a client for access tokens: {counts['with_clients']}."]


def cells(migration: Migration) -> Iterator[list[str]]:
    """The table of the hubs: the names of the columns, then a line for each hub."""
    versions = [str(version.major) for version in migration.versions]
    slashed = " / ".join(f"v{major}" for major in versions)
    seen = [f"last seen on v{major}" for major in versions]
    yield [
        "hub",
        "state",
        "clients",
        "cut over since",
        *seen,
        f"{slashed} in all",
        *(str(day) for day in migration.days),
    ]
    for hub in migration.hubs:
        state = f"{WOULD_BREAK}: {hub.state}" if hub.would_break else hub.state
        uses = list(hub.uses.values())
        yield [
            hub.hub,
            state,
            str(hub.clients),
            _instant(hub.cut_over_at) + (f": {hub.cut_over_why}" if hub.cut_over_why else ""),
            *(_instant(use.last_seen_at) for use in uses),
            _slashed([sum(use.requests) for use in uses]),
            *(_slashed(of_day) for of_day in zip(*(use.requests for use in uses), strict=True)),
        ]


def version_sentence(version: Version) -> str:
    """Whether a version goes on, in a sentence."""
    name = f"Version {version.major}"
    if version.contract is None:
        return f"{name} is not served any more."
    name += f" (contract {version.contract}) is {version.status}"
    if version.sunset_at:
        return f"{name} and ends at {_instant(version.sunset_at)}."
    return f"{name}; hubs should move to another version, and it has no sunset yet." if version.is_left else f"{name}."


def _hub(hub: HubUse) -> dict[str, Any]:
    values = {field.name: getattr(hub, field.name) for field in dataclasses.fields(hub) if field.name != "uses"}
    return {**_plain(values), "versions": [_use(major, use) for major, use in hub.uses.items()]}


def _use(major: int, use: Use) -> dict[str, Any]:
    values = {"major": major, "requests": use.requests, "total": sum(use.requests), "last_seen_at": use.last_seen_at}
    return _plain(values)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: date_times.render(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _instant(at: datetime | None) -> str:
    return date_times.render(at.replace(microsecond=0)) if at else ""


def _slashed(counts: Sequence[int]) -> str:
    """The counts of each version, separated by slashes; empty if all are 0."""
    return " / ".join(map(str, counts)) if any(counts) else ""


def _row(row: Sequence[str]) -> Markup:
    hub, state, *rest = row
    cell = _STATE_OF_CONCERN if state.startswith(f"{WOULD_BREAK}: ") else _CELL
    return _HUB.format(printable(hub)) + cell.format(state) + each(_CELL, map(printable, rest))


_HUB, _CELL = Markup("<th scope=row><bdi>{}</bdi>"), Markup("<td>{}")
_STATE_OF_CONCERN = Markup("<td><strong>{}</strong>")
_CONTENT = Markup("<ul>{sentences}</ul>\n<table><tr>{head}</tr>\n{rows}</table>")
LAYOUT = Layout(Markup("table{border-collapse:collapse}td,th{padding:.3em .6em;border-bottom:1px solid #ccc}"))
