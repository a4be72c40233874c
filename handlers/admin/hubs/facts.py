"""What is known about a hub, for its page and for commands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping

from db import (
    hub_capability_manifests,
    hub_origins,
    hub_totals,
    hubs,
    oauth_clients,
    rejected_submissions,
    submission_usage,
    version_usage,
)
from db.hub_capability_manifests import Revision
from db.hubs import Hub
from db.oauth_clients import OAuthClient

MOST_CLIENTS, MOST_REVISIONS, MOST_REJECTED = 50, 5, 5
PERIODS = {"Last 24 hours": timedelta(hours=24), "Last 7 days": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a hub. `outcomes` are numbers of items by period, `uses` its last requests by version.

    `seen_at` is its last request, None if there was none. `is_cut`: it has more clients than these.
    """

    hub: Hub
    origins: Sequence[str]
    seen_at: datetime | None
    outcomes: Mapping[str, Counter[str]]
    uses: Mapping[int, datetime]
    clients: Sequence[OAuthClient]
    is_cut: bool
    revisions: Sequence[Revision]
    rejected: Sequence[RowMapping]


def look_up(connection: Connection, name: str, now: datetime) -> Facts:
    """What is known about the hub named `name`; NotFound if absent."""
    hub = hubs.get(connection, name)
    clients = oauth_clients.of_hub(connection, name, MOST_CLIENTS + 1)
    return Facts(
        hub,
        hub_origins.of_hub(connection, name),
        hub_totals.last_seen(connection, [hub.id]).get(hub.id),
        {
            words: submission_usage.outcomes(connection, [hub.id], now - period)[hub.id]
            for words, period in PERIODS.items()
        },
        version_usage.of_hub(connection, hub.id),
        clients[:MOST_CLIENTS],
        len(clients) > MOST_CLIENTS,
        hub_capability_manifests.history(connection, hub.id, MOST_REVISIONS),
        rejected_submissions.newest(connection, hub.id, MOST_REJECTED),
    )
