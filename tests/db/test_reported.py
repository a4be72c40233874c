"""What hubs have reported is forgotten whole; what an operator has registered stays."""

from collections import Counter
from uuid import UUID

from sqlalchemy import Connection, func, insert, select

from db import hubs, reported, submission_usage, version_usage, widgets
from db.clocks import both
from db.ids import new_id
from db.tables import annotations, idempotency_keys, interaction_events, rejected_submissions

HUB = UUID(int=1)
OF_A_REPORT = {"hub_id": HUB, "widget_id": HUB, "occurred_at": "2026-03-31T12:00:00Z", "contract_version": "1.1"}
ROWS = {
    interaction_events: OF_A_REPORT | {"event_type": "clicked"},
    annotations: OF_A_REPORT | {"category": "idea", "body": "Make it red."},
    rejected_submissions: {"hub_id": HUB, "kind": "event", "code": "x", "error": "No.", "contract_version": "1.1"}
    | {"raw": b"{}"},
    idempotency_keys: {"hub_id": HUB, "kind": "event", "key": "one", "digest": HUB},
}


def test_all_reports_are_forgotten(connection: Connection) -> None:
    """Submissions, rejections, keys and counts; the hub and the widget stay."""
    hubs.create(connection, "acme")
    widgets.register(connection, "button")
    for table, values in ROWS.items():
        connection.execute(insert(table).values(id=UUID(new_id()), **values))
    now, _ = both(connection)
    submission_usage.add(connection, Counter({(1, "1.1", "event", "created", "clicked"): 1}), now)
    version_usage.add(connection, Counter({(1, "1.1"): 1}), now)
    assert counts(connection) == [1] * len(reported.TABLES)
    reported.forget(connection)
    assert counts(connection) == [0] * len(reported.TABLES)
    assert (len(hubs.list_all(connection)), len(widgets.list_all(connection))) == (1, 1)


def counts(connection: Connection) -> list[int | None]:
    """The number of rows in each table of reports."""
    return [connection.scalar(select(func.count()).select_from(table)) for table in reported.TABLES]
