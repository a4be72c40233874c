"""The peer fits the comparison: it stores each event, in a table like the service's."""

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from scripts.service.demonstration import WIDGET
from scripts.trials.bench import EVENT, PATH
from scripts.trials.peer import running_peer

pytestmark = pytest.mark.slow

INDEXES = "SELECT indexdef FROM pg_indexes WHERE tablename = %s"


def test_the_peer_stores_acknowledged_events(database_url: str) -> None:
    """Each 201 of both workers is a row with the event's fields and its id; an event with another key is not stored."""
    event = {"widget_id": str(WIDGET), **EVENT}
    with running_peer(database_url, "key", workers=2) as url:
        answers = [httpx.post(url + PATH, json=event, headers={"Authorization": "Bearer key"}) for _ in range(20)]
        refused = httpx.post(url + PATH, json=event, headers={"Authorization": "Bearer other"})
    assert {answer.status_code for answer in answers} == {201}
    assert refused.status_code == 401
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        rows = connection.execute("SELECT * FROM peer_events").fetchall()
    assert {str(row["id"]) for row in rows} == {answer.json()["id"] for answer in answers}
    assert len(rows) == 20
    stored = {name: value if name == "metadata" else str(value) for name, value in rows[0].items() if name in event}
    assert stored == event | {"occurred_at": "2026-03-31 12:00:00+00:00"}


def test_the_table_of_the_peer_has_the_indexes_of_the_service(database_url: str) -> None:
    """The indexes are equal in columns, kind and number."""
    with running_peer(database_url, "key", workers=1), psycopg.connect(database_url) as connection:
        of_service, of_peer = (
            sorted(text.split(" USING ")[1] for (text,) in connection.execute(INDEXES, [table]).fetchall())
            for table in ("interaction_events", "peer_events")
        )
    assert of_peer == of_service
    assert len(of_peer) == 4
