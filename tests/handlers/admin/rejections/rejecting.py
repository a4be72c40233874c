"""Rejections of a test's own hub, and the replays that a browser begins."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Json

from db import rejected_submissions, replays
from db.ids import new_id
from db.replays import Replay
from tests.examples import EVENT
from tests.handlers.conftest import Hub
from tests.page_admins import AdminBrowser
from tests.service import Service
from tests.waiting import wait_until

REJECTED, REPLAYS = "/admin/rejected", "/admin/replays"
INSERT = """
    INSERT INTO rejected_submissions (id, hub_id, kind, code, error, help, pointer, raw, contract_version, event_type)
    SELECT (item ->> 'id')::uuid, %s, item ->> 'kind', item ->> 'code', item ->> 'error', 'Do it.',
        item ->> 'pointer', decode(item ->> 'raw', 'hex'), item ->> 'contract_version', item ->> 'event_type'
    FROM jsonb_array_elements(%s::jsonb) AS item
"""


def reject(service: Service, hub_id: UUID, *contents: bytes, **columns: Any) -> list[str]:
    """Rejections with `contents`, oldest first; returns their ids."""
    ids = [new_id() for _ in contents]
    given = {"kind": "event", "code": "invalid_body", "error": "It is wrong.", "contract_version": "1.1", **columns}
    items = [{**given, "id": each, "raw": raw.hex()} for each, raw in zip(ids, contents, strict=True)]
    with psycopg.connect(service.database_url) as connection:
        connection.execute(INSERT, [hub_id, Json(items)])
    return ids


def event(name: str, number: int = 0) -> bytes:
    """The content of an event; each number makes another one."""
    return json.dumps(EVENT | {"event_type": name, "view_context_ref": str(number)}).encode()


def reject_events(hub: Hub, name: str, count: int) -> list[str]:
    """Rejections of events of a type that is not registered."""
    contents = [event(name, number) for number in range(count)]
    return reject(
        hub.service,
        hub.id,
        *contents,
        code="event_type_not_registered",
        event_type=name,
        pointer="/event_type",
        error=f"event_type '{name}' not registered",
    )


def begin(browser: AdminBrowser, scope: str = "filter", **fields: Any) -> str:
    """The path of the replay that a form has begun."""
    answer = browser.post(REPLAYS, {"scope": scope, **fields})
    assert answer.status_code == 303, answer.text
    path: str = answer.headers["location"]
    assert path.startswith(REPLAYS)
    return path


def replay_at(service: Service, path: str) -> Replay:
    """The replay whose page is at `path`."""
    with service.database.begin() as connection:
        replay = replays.find(connection, UUID(path.rpartition("/")[2]))
    assert replay is not None
    return replay


def ended(service: Service, path: str) -> Replay:
    """Likewise, when it has ended."""
    wait_until(lambda: replay_at(service, path).finished_at is not None)
    return replay_at(service, path)


def counts(replay: Replay) -> Mapping[str, int]:
    """What came of a replay."""
    return {name: getattr(replay, name) for name in ("total", "stored", "rejected", "skipped", "left")}


def settled(service: Service, ids: list[str]) -> int:
    """How many of some rejections have been replayed."""
    with service.database.begin() as connection:
        hub_ids = rejected_submissions.hubs(connection)
        return sum(
            row["replayed_at"] is not None
            for hub_id in hub_ids
            for row in rejected_submissions.named(connection, hub_id, [UUID(each) for each in ids]).values()
        )
