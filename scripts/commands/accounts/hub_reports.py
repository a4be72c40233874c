"""The commands of `interaction-reporting hub` that only show: how a hub is, and what its manifests have changed."""

import dataclasses
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from db import hub_capability_manifests, hubs
from handlers.admin.hubs.facts import Facts, look_up
from handlers.admin.hubs.manifest_changes import Changes, compare
from handlers.admin.hubs.states import word
from openapi.standards import date_times
from scripts.commands.accounts.hubs import Name
from scripts.commands.arguments import AsJSON
from scripts.commands.output import show
from scripts.service.databases import database
from scripts.service.settings import Settings

MOST_REVISIONS = 50


def show_hub(name: Name, as_json: AsJSON = False) -> None:
    """Show how a hub is: its last request, items, clients, origins, manifests and last rejections."""
    now = datetime.now(UTC)
    with database(Settings.read()) as opened, opened.begin() as connection:
        facts = look_up(connection, name, now)
    show(_as_dict(facts, now), as_json)


def manifests(
    name: Name,
    before: Annotated[int | None, typer.Option("--from", help="The revision to compare with.", min=0)] = None,
    after: Annotated[int | None, typer.Option("--to", help="The revision to compare.", min=1)] = None,
    as_json: AsJSON = False,
) -> None:
    """List the manifests of a hub, or show what one of them changes against another."""
    if (before is None) != (after is None):
        raise typer.BadParameter("--from and --to are needed together")
    with database(Settings.read()) as opened, opened.begin() as connection:
        if before is None or after is None:
            hub = hubs.get(connection, name)
            show(hub_capability_manifests.history(connection, hub.id, MOST_REVISIONS), as_json)
            return
        comparison = compare(connection, name, before, after)
    show([row for kind, changes in comparison.changes.items() for row in _rows(kind, changes)], as_json)


def _as_dict(facts: Facts, now: datetime) -> dict[str, Any]:
    """The facts for display."""
    hub = facts.hub
    return {
        **dataclasses.asdict(hub),
        "state": word(hub.disabled_at, hub.cut_over_at, facts.seen_at, now),
        "last_seen_at": facts.seen_at,
        **{period.lower().replace(" ", "_"): _counts(counts) for period, counts in facts.outcomes.items()},
        "last_requests": [f"version {major}: {date_times.render(at)}" for major, at in facts.uses.items()],
        "origins": list(facts.origins),
        "clients": [client.client_id for client in facts.clients],
        "manifests": [f"{each.number}: {date_times.render(each.received_at)}" for each in facts.revisions],
        "rejected_last": [f"{row['code']}: {date_times.render(row['received_at'])}" for row in facts.rejected],
    }


def _counts(counts: Counter[str]) -> list[str]:
    return [f"{outcome}: {count}" for outcome, count in sorted(counts.items())]


def _rows(kind: str, changes: Changes) -> list[dict[str, Any]]:
    """A row for each change, and one for the number of those that are not shown."""
    rows: list[tuple[str | None, ...]] = [(name, "added", "", None, None) for name in changes.added]
    rows += [(name, "left out", "", None, None) for name in changes.left_out]
    for name, differences in changes.changed.items():
        rows += [(name, "changed", each.place, each.before, each.after) for each in differences]
    if changes.others:
        rows.append((f"{changes.others} more", "", "", None, None))
    columns = ("name", "change", "place", "before", "after")
    return [{"kind": kind, **dict(zip(columns, row, strict=True))} for row in rows]
